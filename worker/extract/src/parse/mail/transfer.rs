//! The encodings that carry bytes through a mail: base64 and quoted-printable. Both are read as far as they can be.

use std::borrow::Cow;

/// One character of base64 in this many may be none: more, and the part is no base64, whatever its header says.
const STRANGERS_ONE_IN: usize = 4;

/// The bytes that a part holds, by the name of its transfer encoding.
pub fn decode<'a>(encoding: Option<&[u8]>, body: &'a [u8]) -> Cow<'a, [u8]> {
    let name = encoding.unwrap_or_default().trim_ascii();
    if name.eq_ignore_ascii_case(b"base64") {
        base64(body).map_or(Cow::Borrowed(body), Cow::Owned)
    } else if name.eq_ignore_ascii_case(b"quoted-printable") {
        Cow::Owned(quoted_printable(body))
    } else {
        Cow::Borrowed(body)
    }
}

/// Reads base64 and passes over all other characters. `None` if too many are no base64.
pub fn base64(body: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(body.len() / 4 * 3);
    let (mut bits, mut count, mut strangers, mut letters) = (0_u32, 0_u8, 0_usize, 0_usize);
    for &byte in body {
        if let Some(value) = base64_value(byte) {
            letters += 1;
            bits = (bits << 6) | u32::from(value);
            count += 1;
            if count == 4 {
                let [_, bytes @ ..] = bits.to_be_bytes();
                decoded.extend_from_slice(&bytes);
                (bits, count) = (0, 0);
            }
        } else if byte == b'=' {
            end_base64(bits, count, &mut decoded);
            (bits, count) = (0, 0);
        } else if !byte.is_ascii_whitespace() {
            strangers += 1;
        }
    }
    end_base64(bits, count, &mut decoded);
    (strangers <= letters / STRANGERS_ONE_IN).then_some(decoded)
}

/// Writes what the last one to three characters of base64 hold.
fn end_base64(bits: u32, count: u8, decoded: &mut Vec<u8>) {
    match (count, (bits << (6 * (4 - u32::from(count.min(4))))).to_be_bytes()) {
        (2, [_, first, ..]) => decoded.push(first),
        (3, [_, first, second, _]) => decoded.extend([first, second]),
        _ => {}
    }
}

/// The six bits of a character of base64.
pub fn base64_value(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// Reads quoted-printable, line by line: blanks at a line's end are no text, and `=` at a line's end joins two lines.
fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|&byte| byte == b'\n') {
        let ended = line.ends_with(b"\n");
        let line = line.trim_ascii_end();
        match line.strip_suffix(b"=") {
            Some(joined) => quoted(joined, false, &mut decoded),
            None => {
                quoted(line, false, &mut decoded);
                if ended {
                    decoded.push(b'\n');
                }
            }
        }
    }
    decoded
}

/// Reads `=E4` as a byte and all else as it stands; in an encoded word of a header, `_` is a blank.
pub fn quoted(text: &[u8], is_word: bool, decoded: &mut Vec<u8>) {
    let mut rest = text;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match (byte, tail) {
            (b'=', [high, low, after @ ..]) => match (hexadecimal(*high), hexadecimal(*low)) {
                (Some(high), Some(low)) => {
                    decoded.push(high << 4 | low);
                    rest = after;
                }
                _ => decoded.push(b'='),
            },
            (b'_', _) if is_word => decoded.push(b' '),
            _ => decoded.push(*byte),
        }
    }
}

/// The value of a hexadecimal digit.
pub fn hexadecimal(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_with_and_without_its_end() {
        for text in ["QWRhIQ==", "QWRhIQ", "Q W\r\nRh\tIQ=", "QWRh!IQ=="] {
            assert_eq!(base64(text.as_bytes()).as_deref(), Some("Ada!".as_bytes()), "{text}");
        }
        assert_eq!(base64(b"QWQ=").as_deref(), Some("Ad".as_bytes()));
        assert_eq!(base64(b"QWQ=QWRh").as_deref(), Some("AdAda".as_bytes()));
        assert_eq!(base64(b"").as_deref(), Some("".as_bytes()));
    }

    #[test]
    fn a_text_that_is_called_base64_stays_a_text() {
        let text = "!? -- (1) -- \u{e4}\u{f6}\u{fc}!";
        assert_eq!(decode(Some(b" BASE64 "), text.as_bytes()), text.as_bytes());
    }

    #[test]
    fn quoted_printable_joins_lines_and_reads_bytes() {
        let text = b"Fr=F6=\r\nsche =3D 1=20\r\nblanks \t\r\n=zz =\n=4";
        assert_eq!(
            decode(Some(b"Quoted-Printable"), text),
            &b"Fr\xf6sche = 1 \nblanks\n=zz =4"[..]
        );
        assert_eq!(decode(None, text), &text[..]);
    }
}
