//! From bytes to characters, with or without the name of a character set.

use std::borrow::Cow;

use encoding_rs::{Encoding, REPLACEMENT, WINDOWS_1252};

/// Bits of a character of base64.
const BASE64_BITS: u32 = 6;
/// Bits of a unit of UTF-16.
const UNIT_BITS: u32 = 16;

/// The characters of `bytes` in the character set `label`, as people write it in a mail. A character set that nobody knows, or
/// none, is UTF-8 where the bytes allow this, and Windows' Western set where they do not.
pub fn decode<'a>(label: Option<&str>, bytes: &'a [u8]) -> Cow<'a, str> {
    let label = label.unwrap_or_default().trim();
    if is_utf_7(label) {
        return Cow::Owned(utf_7(bytes));
    }
    match Encoding::for_label(label.as_bytes()) {
        Some(encoding) if encoding != REPLACEMENT && !is_ascii(label) => encoding.decode(bytes).0,
        _ => without_label(bytes),
    }
}

/// US-ASCII has no byte above 127, so what such bytes mean is unknown.
fn is_ascii(label: &str) -> bool {
    ["us-ascii", "ascii"]
        .iter()
        .any(|name| label.eq_ignore_ascii_case(name))
}

fn without_label(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

fn is_utf_7(label: &str) -> bool {
    ["utf-7", "utf7", "unicode-1-1-utf-7", "x-unicode-2-0-utf-7"]
        .iter()
        .any(|name| label.eq_ignore_ascii_case(name))
}

/// UTF-7 (RFC 2152), which no library of the web knows any more, and old Outlook sent: between `+` and `-` stands UTF-16 in base64.
fn utf_7(bytes: &[u8]) -> String {
    let mut units: Vec<u16> = Vec::with_capacity(bytes.len());
    let mut shifted: Option<Shifted> = None;
    for &byte in bytes {
        let Some(state) = &mut shifted else {
            match byte {
                b'+' => shifted = Some(Shifted::default()),
                _ => units.push(u16::from(byte)),
            }
            continue;
        };
        match super::transfer::base64_value(byte) {
            Some(value) => units.extend(state.push(value)),
            None => {
                match (byte, state.is_empty) {
                    (b'-', true) => units.push(u16::from(b'+')),
                    (b'-', false) => {}
                    (_, true) => units.extend([u16::from(b'+'), u16::from(byte)]),
                    (_, false) => units.push(u16::from(byte)),
                }
                shifted = None;
            }
        }
    }
    String::from_utf16_lossy(&units)
}

/// What is read of UTF-16 in base64.
struct Shifted {
    bits: u32,
    count: u32,
    is_empty: bool,
}

impl Default for Shifted {
    fn default() -> Self {
        Self {
            bits: 0,
            count: 0,
            is_empty: true,
        }
    }
}

impl Shifted {
    /// Takes six bits more, and gives a unit once there are sixteen.
    fn push(&mut self, value: u8) -> Option<u16> {
        self.is_empty = false;
        self.bits = (self.bits << BASE64_BITS) | u32::from(value);
        self.count += BASE64_BITS;
        if self.count < UNIT_BITS {
            return None;
        }
        self.count -= UNIT_BITS;
        let unit = (self.bits >> self.count) & u32::from(u16::MAX);
        u16::try_from(unit).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_character_set_holds() {
        assert_eq!(decode(Some("ISO-8859-1"), b"Fr\xf6sche"), "Fr\u{f6}sche");
        assert_eq!(decode(Some("koi8-r"), b"\xf0\xd2\xc9"), "\u{41f}\u{440}\u{438}");
        assert_eq!(decode(Some("iso-2022-jp"), b"\x1b$B%O\x1b(B"), "\u{30cf}");
        assert_eq!(decode(Some("utf-16"), b"\xff\xfea\0"), "a");
    }

    #[test]
    fn without_a_name_it_is_utf_8_or_western() {
        for label in [
            None,
            Some(""),
            Some("us-ascii"),
            Some("unknown-8bit"),
            Some("iso-2022-kr"),
        ] {
            assert_eq!(decode(label, "\u{feff}\u{f6}".as_bytes()), "\u{f6}");
            assert_eq!(decode(label, b"\xf6\x80"), "\u{f6}\u{20ac}");
        }
    }

    #[test]
    fn utf_7_is_read() {
        assert_eq!(decode(Some("UTF-7"), b"Fr+APY-sche+ACE-"), "Fr\u{f6}sche!");
        assert_eq!(
            decode(Some("utf-7"), b"1 +- 1, +Jjo-, +ZeVnLIqe."),
            "1 + 1, \u{263a}, \u{65e5}\u{672c}\u{8a9e}."
        );
        assert_eq!(decode(Some("utf-7"), b"+"), "");
        assert_eq!(decode(Some("utf-7"), b"+!a"), "+!a");
    }
}
