//! Plain text: changed only where later steps could not hold it, and in its encoding.
//!
//! A byte order mark at the start is dropped. A stray NUL, which Postgres cannot store in text, becomes U+FFFD: one character for
//! one character. Line ends, tabs and all other characters stay, so a caller's character offsets into a file without a byte order
//! mark equal ours. A document with many NULs or other control characters is no plain text.

use bytes::Bytes;
use docket_contract::coverage::{Coverage, Encoding};
use docket_contract::media_type::{Declared, MediaType};

use crate::ExtractedText;
use crate::limits::Limits;
use crate::parse::encoding::{self, Decoded};
use crate::refusal::Refusal;

/// Reads plain text. Keeps a CPU busy, so do not call it on a thread that serves sockets.
pub fn text(
    media_type: MediaType,
    declared: Declared,
    bytes: &Bytes,
    limits: &Limits,
) -> Result<ExtractedText, Refusal> {
    let said = declared.charset.map(encoding_rs::Encoding::name);
    let decoded = encoding::decode(bytes, said, false)?;
    if decoded.text.len() > limits.text_bytes {
        return Err(Refusal::TextTooLarge { max: limits.text_bytes });
    }
    let encoding = encoding_of(&decoded);
    let read = ExtractedText::from(decoded.text.into_owned());
    // What stands for a NUL has three bytes.
    if read.text.len() > limits.text_bytes {
        return Err(Refusal::TextTooLarge { max: limits.text_bytes });
    }
    Ok(ExtractedText {
        coverage: Coverage {
            encoding: Some(encoding),
            ..coverage(media_type, declared)
        },
        ..read
    })
}

/// What is said of a document before it is read.
pub(crate) fn coverage(media_type: MediaType, declared: Declared) -> Coverage {
    let said = declared.media_type;
    // Markdown is plain text: neither is wrong for the other.
    let is_same = said == media_type || (said == MediaType::Plain && media_type == MediaType::Markdown);
    let differs = !is_same && said != MediaType::Unknown;
    Coverage {
        media_type: media_type.as_str().to_owned(),
        declared: differs.then(|| said.as_str().to_owned()),
        ..Coverage::default()
    }
}

/// What is said of a text's encoding.
pub(crate) fn encoding_of(decoded: &Decoded<'_>) -> Encoding {
    Encoding {
        name: decoded.encoding.to_owned(),
        by: decoded.found.as_str().to_owned(),
        lost: decoded.lost as u64,
    }
}

/// The text with U+FFFD for each NUL, and the bytes where those stand.
pub(crate) fn without_nuls(text: String) -> (String, Vec<usize>) {
    if !text.contains('\0') {
        return (text, Vec::new());
    }
    let grown = char::REPLACEMENT_CHARACTER.len_utf8() - '\0'.len_utf8();
    let places = text.match_indices('\0').enumerate();
    let nuls = places.map(|(before, (at, _))| at + before * grown).collect();
    let mut replacement = [0; 4];
    (
        text.replace('\0', char::REPLACEMENT_CHARACTER.encode_utf8(&mut replacement)),
        nuls,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        pages: 1,
        text_bytes: 100_000,
        inflated_bytes: 1,
    };

    fn read_as(declared: &str, bytes: impl Into<Bytes>) -> Result<ExtractedText, Refusal> {
        let declared = Declared::parse(declared).expect("it is known");
        text(MediaType::Plain, declared, &bytes.into(), &LIMITS)
    }

    fn read(bytes: impl Into<Bytes>) -> Result<ExtractedText, Refusal> {
        read_as("text/plain", bytes)
    }

    #[test]
    fn the_text_is_kept_as_it_is() {
        let given = "Caf\u{e9} \u{1f600}\r\n\tA\u{301}";
        assert_eq!(read(given).expect("it is UTF-8").text, given);
        assert_eq!(read("").expect("nothing is UTF-8").text, "");
    }

    #[test]
    fn a_nul_separates_words_and_a_lost_letter_does_not() {
        let text = read("a\0\u{fffd}b\0c").expect("two NULs are few");
        assert_eq!(text.text, "a\u{fffd}\u{fffd}b\u{fffd}c");
        let blanks = text.text.char_indices().filter(|&(at, c)| text.is_blank_at(at, c));
        assert_eq!(blanks.map(|(at, _)| at).collect::<Vec<_>>(), [1, 8]);
    }

    #[test]
    fn any_encoding_is_read_and_told() {
        let sentence =
            "M\u{fc}ller unterschrieb f\u{fc}r die \u{dc}bernahmegesellschaft am 3. M\u{e4}rz 2024 in K\u{f6}ln.";
        let utf_16: Vec<u8> = sentence.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let (latin, _, _) = encoding_rs::WINDOWS_1252.encode(sentence);
        for (declared, bytes, name, by) in [
            ("text/plain", sentence.as_bytes().to_vec(), "UTF-8", "utf_8"),
            ("text/plain", utf_16, "UTF-16LE", "detected"),
            ("text/plain", latin.to_vec(), "windows-1252", "detected"),
            ("text/plain; charset=latin1", latin.to_vec(), "windows-1252", "declared"),
        ] {
            let text = read_as(declared, bytes).expect(name);
            assert_eq!(text.text, sentence, "{name}");
            let encoding = text.coverage.encoding.expect("a text has one");
            assert_eq!(
                (encoding.name.as_str(), encoding.by.as_str(), encoding.lost),
                (name, by, 0)
            );
        }
    }

    #[test]
    fn binary_data_is_refused() {
        let binary: Vec<u8> = (0..=127).collect();
        assert!(matches!(read(binary), Err(Refusal::NoText { .. })));
    }

    #[test]
    fn a_tenth_of_control_characters_passes() {
        let records = "Whitfield\u{1e}".repeat(1_000);
        assert!(read(records.clone()).is_ok());
        assert!(read(records + "\u{1e}").is_err());
        let white = "\r\n\t\u{b}\u{c}\u{85}".repeat(1_000);
        assert!(read(white).is_ok(), "white space is no sign of anything");
    }

    #[test]
    fn a_byte_order_mark_is_dropped_and_a_nul_replaced() {
        assert_eq!(read(&b"\xef\xbb\xbfa\0b"[..]).expect("it is UTF-8").text, "a\u{fffd}b");
    }

    #[test]
    fn a_text_has_a_largest_size() {
        assert!(read("a".repeat(100_000)).is_ok());
        assert_eq!(
            read("a".repeat(100_001)).expect_err("it is larger"),
            Refusal::TextTooLarge { max: 100_000 }
        );
    }

    #[test]
    fn what_stands_for_a_nul_counts_in_the_size() {
        let with_nul = |letters| "a".repeat(letters) + "\0";
        assert_eq!(read(with_nul(99_997)).expect("it is 100,000 bytes").text.len(), 100_000);
        assert_eq!(
            read(with_nul(99_998)).expect_err("it becomes larger"),
            Refusal::TextTooLarge { max: 100_000 }
        );
    }
}
