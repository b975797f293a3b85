//! Plain text: UTF-8, taken as it is but for two things that later steps could not hold.
//!
//! A byte order mark at the start is dropped. A NUL, which Postgres cannot store in text, becomes U+FFFD: one character
//! for one character. Line ends, tabs and all other characters stay, so a caller's own character offsets into a
//! file without a byte order mark are ours too.

use bytes::Bytes;

use super::{ExtractError, ExtractedText, PageTable};

const BYTE_ORDER_MARK: char = '\u{feff}';
const REPLACEMENT: &str = "\u{fffd}";

/// Reads plain text.
pub(super) fn text(bytes: Bytes) -> Result<ExtractedText, ExtractError> {
    let mut text = String::from_utf8(bytes.into()).map_err(|error| ExtractError::InvalidUtf8 {
        position: error.utf8_error().valid_up_to(),
    })?;
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len_utf8());
    }
    if text.contains('\0') {
        text = text.replace('\0', REPLACEMENT);
    }
    let pages = PageTable::of_form_feeds(&text);
    Ok(ExtractedText { text, pages })
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
    fn a_byte_order_mark_is_dropped_and_a_nul_replaced() {
        assert_eq!(read(b"\xef\xbb\xbfa\0b").expect("it is UTF-8").text, "a\u{fffd}b");
    }

    #[test]
    fn invalid_utf_8_names_its_place() {
        assert_eq!(read(b"abc\xffd"), Err(ExtractError::InvalidUtf8 { position: 3 }));
        assert_eq!(read(b"ab\xe2\x82"), Err(ExtractError::InvalidUtf8 { position: 2 }));
    }
}
