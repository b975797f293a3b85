//! The encoding of a part.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// How many bytes of a part may hold the declaration that names the encoding: `<?xml version="1.0" encoding="…"?>`.
const DECLARATION_BYTES_MAX: usize = 256;

/// Decodes a part: by its mark of byte order, as UTF-16 that has none, by its own declaration, and else as UTF-8. Bytes that are
/// no text become U+FFFD, so that one broken word does not cost the document.
pub fn decode(part: Vec<u8>) -> String {
    let encoding = Encoding::for_bom(&part)
        .map(|(encoding, _)| encoding)
        .or_else(|| unmarked_utf_16(&part))
        .or_else(|| declared(&part))
        .unwrap_or(UTF_8);
    if encoding == UTF_8 {
        return String::from_utf8(part).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    }
    encoding.decode_with_bom_removal(&part).0.into_owned()
}

/// UTF-16 without a mark: every part begins with `<`.
fn unmarked_utf_16(part: &[u8]) -> Option<&'static Encoding> {
    match part {
        [b'<', 0, ..] => Some(UTF_16LE),
        [0, b'<', ..] => Some(UTF_16BE),
        _ => None,
    }
}

fn declared(part: &[u8]) -> Option<&'static Encoding> {
    let head = part.get(..DECLARATION_BYTES_MAX.min(part.len()))?;
    let head = String::from_utf8_lossy(head.strip_prefix(b"<?xml")?);
    let (declaration, _) = head.split_once("?>")?;
    let (_, value) = declaration.split_once("encoding")?;
    let mut quoted = value.trim_start().strip_prefix('=')?.trim_start().split(['"', '\'']);
    let label = quoted.nth(1)?;
    let encoding = Encoding::for_label(label.as_bytes())?;
    // A declaration that can be read in ASCII does not stand in UTF-16.
    Some(encoding).filter(|encoding| encoding.is_ascii_compatible())
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn parts_are_decoded_by_mark_form_and_declaration() {
        let little = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let big = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
        assert_eq!(decode(little("\u{feff}<a>ü</a>")), "<a>ü</a>");
        assert_eq!(decode(little("<a>ü</a>")), "<a>ü</a>");
        assert_eq!(decode(big("\u{feff}<a>ü</a>")), "<a>ü</a>");
        assert_eq!(decode(big("<a>ü</a>")), "<a>ü</a>");
        assert!(decode(b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xFC</a>".to_vec()).ends_with("<a>ü</a>"));
        assert!(decode(b"<?xml version='1.0' encoding='UTF-16'?><a>b</a>".to_vec()).ends_with("<a>b</a>"));
        assert_eq!(decode(b"<a>b\xFF</a>".to_vec()), "<a>b\u{fffd}</a>");
    }
}
