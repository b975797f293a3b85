//! From the bytes of a text to its characters: finds the character set, and decodes. A byte order mark is dropped; all other
//! characters stay, line ends and NULs too, so that a caller's character offsets into a text without a byte order mark equal ours.
//!
//! The sources are asked in this order, and the first that fits decides:
//!
//! 1. A byte order mark, which beats what the caller said, as the Encoding Standard wants it.
//! 2. The caller's `charset=`, if the bytes decode in it without an error.
//! 3. The shape of UTF-16 and UTF-32 without a mark, and the escape sequences of ISO-2022-JP: all can be valid UTF-8.
//! 4. UTF-8, whole or but for a few broken characters.
//! 5. What an HTML page declares about itself.
//! 6. The statistics of `chardetng`.
//!
//! Code pages of DOS (437, 850) and UTF-7 are not known. Mac Roman and ISO-8859-15 are read when they are said or declared, and are
//! taken for windows-1252 otherwise.

mod controls;
mod declared;
mod wide;

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{DecoderResult, Encoding};

use docket_contract::words;

use crate::refusal::Refusal;
use controls::check_controls;
pub use wide::shape as wide_shape;
use wide::{Wide, mark};

/// Bytes that the statistics see, from the first that is not ASCII. A few sentences are enough, and each byte costs 27 models.
const DETECTED_BYTES_MAX: usize = 256 * 1024;
/// Bytes before the first that is not ASCII which the statistics see too, because the word around it counts.
const DETECTED_BEFORE: usize = 16;
/// Whole multi-byte characters for each broken one that show a damaged UTF-8. In other character sets hardly any pair of bytes is
/// a character of UTF-8.
const UTF_8_WHOLE_PER_BROKEN: usize = 10;

/// A decoded text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The text; borrowed where the bytes were UTF-8.
    pub text: Cow<'a, str>,
    /// The character set's name in the Encoding Standard, or `UTF-32LE` and `UTF-32BE`.
    pub encoding: &'static str,
    /// How the character set was found.
    pub found: Found,
    /// Characters that could not be decoded. Each became a U+FFFD.
    pub lost: usize,
}

words!(
    /// How a character set was found.
    Found {
        /// The caller said so.
        Said = "declared",
        /// A byte order mark stands at the start.
        ByteOrderMark = "byte_order_mark",
        /// The bytes are UTF-8.
        Utf8 = "utf_8",
        /// The page declares its character set.
        Declared = "meta",
        /// The bytes have a shape that only this character set gives them, or statistics of languages tell.
        Detected = "detected",
    }
);

/// Decodes a text.
pub fn decode<'a>(bytes: &'a [u8], said: Option<&str>, is_html: bool) -> Result<Decoded<'a>, Refusal> {
    let said = said.map(known).transpose()?;
    let decoded = by_mark(bytes)
        .or_else(|| said.and_then(|said| by_saying(bytes, said)))
        .or_else(|| by_shape(bytes))
        .or_else(|| by_utf_8(bytes))
        .or_else(|| is_html.then(|| by_declaration(bytes)).flatten())
        .unwrap_or_else(|| by_statistics(bytes));
    check_controls(&decoded.text, decoded.lost)?;
    Ok(decoded)
}

/// A character set that a caller said.
#[derive(Debug, Clone, Copy)]
enum Said {
    Ascii,
    Narrow(&'static Encoding),
    Utf32(Wide),
}

fn known(label: &str) -> Result<Said, Refusal> {
    let label = label.trim_matches(|c: char| c.is_ascii_whitespace() || c == '"' || c == '\'');
    for (name, said) in [
        ("us-ascii", Said::Ascii),
        ("ascii", Said::Ascii),
        ("utf-32", Said::Utf32(Wide::Utf32Le)),
        ("utf-32le", Said::Utf32(Wide::Utf32Le)),
        ("utf-32be", Said::Utf32(Wide::Utf32Be)),
    ] {
        if label.eq_ignore_ascii_case(name) {
            return Ok(said);
        }
    }
    let encoding = Encoding::for_label_no_replacement(label.as_bytes());
    encoding.map(Said::Narrow).ok_or(Refusal::UnknownCharset)
}

fn by_mark(bytes: &[u8]) -> Option<Decoded<'_>> {
    if let Some((wide, rest)) = mark(bytes) {
        return Some(in_wide(rest, wide, Found::ByteOrderMark));
    }
    let (encoding, mark_bytes) = Encoding::for_bom(bytes)?;
    Some(in_encoding(bytes.get(mark_bytes..)?, encoding, Found::ByteOrderMark))
}

/// The text in the character set that the caller said, unless an error shows that the caller was wrong.
fn by_saying(bytes: &[u8], said: Said) -> Option<Decoded<'_>> {
    let decoded = match said {
        Said::Ascii if !bytes.is_ascii() => return None,
        Said::Ascii => in_encoding(bytes, encoding_rs::UTF_8, Found::Said),
        Said::Narrow(encoding) => in_encoding(bytes, encoding, Found::Said),
        Said::Utf32(wide) => in_wide(bytes, wide, Found::Said),
    };
    (decoded.lost == 0).then_some(decoded)
}

fn by_shape(bytes: &[u8]) -> Option<Decoded<'_>> {
    if let Some(wide) = wide::shape(bytes) {
        return Some(in_wide(bytes, wide, Found::Detected));
    }
    if !is_iso_2022_jp(bytes) {
        return None;
    }
    let decoded = in_encoding(bytes, encoding_rs::ISO_2022_JP, Found::Detected);
    (decoded.lost == 0).then_some(decoded)
}

/// Whether the bytes switch to Japanese by an escape sequence.
fn is_iso_2022_jp(bytes: &[u8]) -> bool {
    let switches = |at: &[u8]| matches!(at, [0x1b, b'$', b'B' | b'@']);
    bytes.is_ascii() && bytes.contains(&0x1b) && bytes.windows(3).any(switches)
}

fn by_utf_8(bytes: &[u8]) -> Option<Decoded<'_>> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some(Decoded {
            text: Cow::Borrowed(text),
            encoding: encoding_rs::UTF_8.name(),
            found: Found::Utf8,
            lost: 0,
        });
    }
    let (mut whole, mut broken) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        let starts = |byte: u8| byte >= 0xc0;
        whole = whole.saturating_add(chunk.valid().bytes().filter(|&byte| starts(byte)).count());
        broken = broken.saturating_add(usize::from(!chunk.invalid().is_empty()));
    }
    (whole > broken.saturating_mul(UTF_8_WHOLE_PER_BROKEN)).then(|| in_encoding(bytes, encoding_rs::UTF_8, Found::Utf8))
}

/// The text as the page declares it, unless another character set loses less.
fn by_declaration(bytes: &[u8]) -> Option<Decoded<'_>> {
    let declared = in_encoding(bytes, declared::declared(bytes)?, Found::Declared);
    if declared.lost == 0 {
        return Some(declared);
    }
    let detected = by_statistics(bytes);
    Some(if detected.lost < declared.lost {
        detected
    } else {
        declared
    })
}

fn by_statistics(bytes: &[u8]) -> Decoded<'_> {
    let first = bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or(0);
    let seen = bytes.get(first.saturating_sub(DETECTED_BEFORE)..).unwrap_or(bytes);
    let seen_whole = seen.len() <= DETECTED_BYTES_MAX;
    let seen = seen.get(..DETECTED_BYTES_MAX).unwrap_or(seen);
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(seen, seen_whole);
    // UTF-8 was tried before, and the statistics see only a part.
    let guess = detector.guess(None, Utf8Detection::Deny);
    let western = guess.is_single_byte() && has_only_western_signs(seen);
    let encoding = if western { encoding_rs::WINDOWS_1252 } else { guess };
    in_encoding(bytes, encoding, Found::Detected)
}

/// Whether all that is not ASCII are signs of windows-1252 and not letters: quotes, dashes, the section sign. The statistics take
/// the pound of `£950` for a Polish letter.
fn has_only_western_signs(bytes: &[u8]) -> bool {
    let next = bytes.iter().skip(1).chain(std::iter::once(&b' '));
    bytes.iter().zip(next).all(|(&byte, next)| match byte {
        0..=0x7f | 0x80 | 0x82 | 0x84..=0x87 | 0x89 | 0x8b | 0x91..=0x97 | 0x99 | 0x9b => true,
        0xa0 | 0xa6 | 0xa7 | 0xa9 | 0xab | 0xac | 0xae | 0xb0 | 0xb1 | 0xb6 | 0xb7 | 0xbb => true,
        // Letters in the sets of Central Europe.
        0xa3 | 0xa5 | 0xbc..=0xbe => !next.is_ascii_alphabetic(),
        _ => false,
    })
}

fn in_wide(bytes: &[u8], wide: Wide, found: Found) -> Decoded<'_> {
    let (text, lost) = match wide {
        Wide::Utf16Le => decoded(bytes, encoding_rs::UTF_16LE),
        Wide::Utf16Be => decoded(bytes, encoding_rs::UTF_16BE),
        Wide::Utf32Le => wide::utf_32(bytes, u32::from_le_bytes),
        Wide::Utf32Be => wide::utf_32(bytes, u32::from_be_bytes),
    };
    Decoded {
        text: Cow::Owned(text),
        encoding: wide.name(),
        found,
        lost,
    }
}

fn in_encoding<'a>(bytes: &'a [u8], encoding: &'static Encoding, found: Found) -> Decoded<'a> {
    let (text, lost) = match std::str::from_utf8(bytes) {
        Ok(text) if encoding == encoding_rs::UTF_8 => (Cow::Borrowed(text), 0),
        _ => {
            let (text, lost) = decoded(bytes, encoding);
            (Cow::Owned(text), lost)
        }
    };
    Decoded {
        text,
        encoding: encoding.name(),
        found,
        lost,
    }
}

/// Decodes, and counts what is lost. The text is at most three times as long as the bytes.
fn decoded(bytes: &[u8], encoding: &'static Encoding) -> (String, usize) {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(bytes.len());
    let mut lost = 0_usize;
    let mut rest = bytes;
    loop {
        let (result, read) = decoder.decode_to_string_without_replacement(rest, &mut text, true);
        rest = rest.get(read..).unwrap_or_default();
        match result {
            DecoderResult::InputEmpty => return (text, lost),
            // A decoder wants room for its longest character, even before the last byte.
            DecoderResult::OutputFull => text.reserve(rest.len().max(LONGEST_OUTPUT)),
            DecoderResult::Malformed(..) => {
                text.push(char::REPLACEMENT_CHARACTER);
                lost = lost.saturating_add(1);
            }
        }
    }
}

/// Bytes of output that are enough for any decoder to go on.
const LONGEST_OUTPUT: usize = 32;

#[cfg(test)]
mod tests;
