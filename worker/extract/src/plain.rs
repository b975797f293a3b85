//! Plain text: UTF-8, changed only in two things that later steps could not hold.
//!
//! A byte order mark at the start is dropped. A stray NUL, which Postgres cannot store in text, becomes U+FFFD: one character for
//! one character. Line ends, tabs and all other characters stay, so a caller's character offsets into a file without a byte order
//! mark equal ours. A document with many NULs or other control characters is no plain text.

use bytes::Bytes;

use crate::{ExtractError, ExtractedText, PageTable};

const BYTE_ORDER_MARK: char = '\u{feff}';

/// Largest share of control characters, in percent. Half of UTF-16 in English is NULs, and two thirds or more of most binary data
/// is controls. A control that ends a record every ten characters still passes. So do the quotes and dashes of Windows text
/// decoded as Latin-1 (two in a hundred).
pub(super) const CONTROLS_PERCENT_MAX: usize = 10;
/// This many control characters pass in any text: a share of a few characters tells nothing.
const CONTROLS_FEW: usize = 8;

/// Reads plain text.
pub(super) fn text(bytes: Bytes) -> Result<ExtractedText, ExtractError> {
    let mut text = String::from_utf8(bytes.into()).map_err(|error| ExtractError::InvalidUtf8 {
        position: error.utf8_error().valid_up_to(),
    })?;
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len_utf8());
    }
    check_controls(&text)?;
    let (text, nuls) = without_nuls(text);
    let pages = PageTable::of_form_feeds(&text);
    Ok(ExtractedText { text, pages, nuls })
}

/// Refuses a text with too large a share of control characters. White space does not count: a text may be all line breaks.
fn check_controls(text: &str) -> Result<(), ExtractError> {
    let is_control = |c: &char| c.is_control() && !c.is_whitespace();
    let controls = text.chars().filter(is_control).count();
    if controls <= CONTROLS_FEW {
        return Ok(());
    }
    let characters = text.chars().count();
    if controls * 100 > characters * CONTROLS_PERCENT_MAX {
        return Err(ExtractError::ControlCharacters { controls, characters });
    }
    Ok(())
}

/// The text with U+FFFD for each NUL, and the bytes where those stand.
fn without_nuls(text: String) -> (String, Vec<usize>) {
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

    fn read(bytes: &'static [u8]) -> Result<ExtractedText, ExtractError> {
        text(Bytes::from_static(bytes))
    }

    #[test]
    fn the_text_is_kept_as_it_is() {
        let given = "Caf\u{e9} \u{1f600}\r\n\tA\u{301}";
        assert_eq!(read(given.as_bytes()).expect("it is UTF-8").text, given);
        assert_eq!(read(b"").expect("nothing is UTF-8").text, "");
    }

    #[test]
    fn a_nul_separates_words_and_a_lost_letter_does_not() {
        let text = read("a\0\u{fffd}b\0c".as_bytes()).expect("two NULs are few");
        assert_eq!(text.text, "a\u{fffd}\u{fffd}b\u{fffd}c");
        let blanks = text.text.char_indices().filter(|&(at, c)| text.is_blank_at(at, c));
        assert_eq!(blanks.map(|(at, _)| at).collect::<Vec<_>>(), [1, 8]);
    }

    fn utf_16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn utf_16_without_its_mark_and_other_data_are_refused() {
        let sentence = "Dana Whitfield signed the lease.";
        let big_endian: Vec<u8> = sentence.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let half = [sentence.as_bytes(), &utf_16(sentence)].concat();
        let binary: Vec<u8> = (0..=127).collect();
        for bad in [utf_16(sentence), big_endian, half, binary] {
            assert!(matches!(text(bad.into()), Err(ExtractError::ControlCharacters { .. })));
        }
        assert_eq!(
            text(utf_16(sentence).into())
                .expect_err("half of it are NULs")
                .to_string(),
            "the document is no plain text: 32 of its 64 characters are control characters, and at most 10% may be; send \
             UTF-16 as UTF-8"
        );
    }

    #[test]
    fn a_tenth_of_control_characters_passes() {
        let records = "Whitfield\u{1e}".repeat(1_000);
        assert!(text(records.clone().into()).is_ok());
        assert!(text((records + "\u{1e}").into()).is_err());
        let white = "\r\n\t\u{b}\u{c}\u{85}".repeat(1_000);
        assert!(text(white.into()).is_ok(), "white space is no sign of anything");
    }

    #[test]
    fn a_byte_order_mark_is_dropped_and_a_nul_replaced() {
        assert_eq!(read(b"\xef\xbb\xbfa\0b").expect("it is UTF-8").text, "a\u{fffd}b");
    }

    #[test]
    fn invalid_utf_8_names_its_place() {
        assert_eq!(read(b"abc\xffd"), Err(ExtractError::InvalidUtf8 { position: 3 }));
        assert_eq!(read(b"ab\xe2\x82"), Err(ExtractError::InvalidUtf8 { position: 2 }));
    }
}
