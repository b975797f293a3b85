//! Fields with parameters, as `Content-Type: text/plain; charset=utf-8`, whole or in pieces (RFC 2231).

use super::{charset, transfer, words};

/// The parameters that matter.
const NAMES: [&str; 7] = [
    "boundary",
    "charset",
    "name",
    "filename",
    "format",
    "delsp",
    "smime-type",
];

/// A value and its parameters.
#[derive(Debug, Default)]
pub struct Parameterized {
    /// The value, in lower case.
    pub value: String,
    parameters: Vec<(&'static str, String)>,
}

/// A piece of a parameter: `filename*1*=...` is the piece 1, encoded.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Piece {
    name: &'static str,
    number: u32,
    is_encoded: bool,
    value: Vec<u8>,
}

impl Parameterized {
    /// Reads a field's value.
    pub fn read(field: &[u8]) -> Self {
        // Some programs forget the first semicolon. No value has a blank in it.
        let field = field.trim_ascii_start();
        let is_end = |&byte: &u8| byte == b';' || byte.is_ascii_whitespace();
        let end = field.iter().position(is_end).unwrap_or(field.len());
        let (value, mut rest) = field.split_at_checked(end).unwrap_or((field, b""));
        let mut read = Self {
            value: value_of(value),
            ..Self::default()
        };
        let mut pieces = Vec::new();
        while let Some((name, value, after)) = next(rest) {
            rest = after;
            read.take(name, value, &mut pieces);
        }
        read.join(pieces);
        read
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(of, _)| *of == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Keeps a parameter that matters, or the piece of one for later.
    fn take(&mut self, name: &[u8], value: Vec<u8>, pieces: &mut Vec<Piece>) {
        let mut name = name.split(|&byte| byte == b'*');
        let base = name.next().unwrap_or_default().trim_ascii();
        let Some(&base) = NAMES.iter().find(|known| base.eq_ignore_ascii_case(known.as_bytes())) else {
            return;
        };
        match (name.next(), name.next()) {
            (None, _) if self.get(base).is_none() => self.parameters.push((base, words::decode(&value))),
            (None, _) => {}
            (Some(b""), _) => pieces.push(Piece {
                name: base,
                number: 0,
                is_encoded: true,
                value,
            }),
            (Some(number), encoded) => {
                let number = std::str::from_utf8(number)
                    .ok()
                    .and_then(|number| number.trim().parse().ok());
                if let Some(number) = number {
                    pieces.push(Piece {
                        name: base,
                        number,
                        is_encoded: encoded.is_some(),
                        value,
                    });
                }
            }
        }
    }

    /// Joins the pieces of each parameter. A parameter in pieces holds against one of the same name that is whole, which stands
    /// there for old programs and has no letters but ASCII.
    fn join(&mut self, mut pieces: Vec<Piece>) {
        pieces.sort();
        for of_name in pieces.chunk_by(|one, next| one.name == next.name) {
            let Some(first) = of_name.first() else { continue };
            let value = joined(of_name);
            self.parameters.retain(|(name, _)| *name != first.name);
            self.parameters.push((first.name, value));
        }
    }
}

/// A value without comments and blanks, in lower case.
fn value_of(value: &[u8]) -> String {
    let end = value.iter().position(|&byte| byte == b'(').unwrap_or(value.len());
    let value = value.get(..end).unwrap_or(value).trim_ascii();
    String::from_utf8_lossy(value).to_ascii_lowercase()
}

/// The next parameter's name and value, and what stands behind it.
fn next(text: &[u8]) -> Option<(&[u8], Vec<u8>, &[u8])> {
    let start = text
        .iter()
        .position(|byte| !byte.is_ascii_whitespace() && *byte != b';')?;
    let text = text.get(start..)?;
    let end = text
        .iter()
        .position(|byte| matches!(byte, b'=' | b';'))
        .unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    let Some(value) = rest.strip_prefix(b"=") else {
        return Some((b"", Vec::new(), rest));
    };
    let (value, rest) = match value.trim_ascii_start().strip_prefix(b"\"") {
        Some(quoted) => quoted_value(quoted),
        None => plain_value(value),
    };
    Some((name.trim_ascii(), value, rest))
}

/// A value without quotes, up to the next `;`. File names stand here with blanks, against the rules.
fn plain_value(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let end = text.iter().position(|&byte| byte == b';').unwrap_or(text.len());
    let (value, rest) = text.split_at_checked(end).unwrap_or((text, b""));
    (value.trim_ascii().to_vec(), rest)
}

/// A value in quotes, behind the first of them. A backslash is one, but before a quote or another: file names have some.
fn quoted_value(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut value = Vec::new();
    let mut rest = text;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match (byte, tail) {
            (b'"', _) => break,
            (b'\\', [escaped @ (b'"' | b'\\'), after @ ..]) => {
                value.push(*escaped);
                rest = after;
            }
            (b'\r' | b'\n', _) => {}
            _ => value.push(*byte),
        }
    }
    (value, rest)
}

/// The text of a parameter's pieces. The first encoded piece begins with the character set and the language: `utf-8'en'`.
fn joined(pieces: &[Piece]) -> String {
    let mut label: Option<String> = None;
    let mut bytes = Vec::new();
    for piece in pieces {
        let mut value = piece.value.as_slice();
        if piece.is_encoded && label.is_none() && piece.number == 0 {
            let mut parts = value.splitn(3, |&byte| byte == b'\'');
            if let (Some(charset), Some(_), Some(text)) = (parts.next(), parts.next(), parts.next()) {
                label = Some(String::from_utf8_lossy(charset).into_owned());
                value = text;
            }
        }
        if piece.is_encoded {
            percent_decode(value, &mut bytes);
        } else {
            bytes.extend_from_slice(value);
        }
    }
    words::on_one_line(&charset::decode(label.as_deref(), &bytes))
}

/// Reads `%E4` as a byte and all else as it stands.
fn percent_decode(text: &[u8], decoded: &mut Vec<u8>) {
    let mut rest = text;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        if let (b'%', [high, low, after @ ..]) = (byte, tail)
            && let (Some(high), Some(low)) = (transfer::hexadecimal(*high), transfer::hexadecimal(*low))
        {
            decoded.push(high << 4 | low);
            rest = after;
        } else {
            decoded.push(*byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(field: &str) -> Option<String> {
        let read = Parameterized::read(field.as_bytes());
        read.get("filename").map(str::to_owned)
    }

    #[test]
    fn a_value_has_parameters() {
        let read =
            Parameterized::read(b" Text/HTML (a comment);\r\n\tCharset = UTF-8 ; x=1; format=\"flowed\" delsp=yes");
        assert_eq!(read.value, "text/html");
        assert_eq!(read.get("charset"), Some("UTF-8"));
        assert_eq!(read.get("format"), Some("flowed"));
        assert_eq!(read.get("delsp"), Some("yes"));
        assert_eq!(read.get("name"), None);
        let read = Parameterized::read(b"multipart/mixed\r\n boundary=b");
        assert_eq!(
            (read.value.as_str(), read.get("boundary")),
            ("multipart/mixed", Some("b"))
        );
    }

    #[test]
    fn file_names_are_read_as_they_are_written() {
        for (field, expected) in [
            ("a; filename=The lease.pdf; x=y", "The lease.pdf"),
            (r#"a; filename="a; \"b\".pdf"; x"#, "a; \"b\".pdf"),
            (r#"a; filename="C:\Users\a.pdf""#, "C:\\Users\\a.pdf"),
            ("a; filename=\"=?utf-8?Q?=C3=B6.pdf?=\"", "\u{f6}.pdf"),
            ("a; filename*=utf-8'de'%C3%B6.pdf; filename=o.pdf", "\u{f6}.pdf"),
            ("a; filename*1=\"b.pdf\"; filename*0*=utf-8''%C3%B6", "\u{f6}b.pdf"),
            ("a; filename*10=c; filename*2=b; filename*0=a; filename*x=d", "abc"),
            ("a; filename=\"open.pdf", "open.pdf"),
            ("a; filename=a.pdf; filename=b.pdf", "a.pdf"),
        ] {
            assert_eq!(name(field).as_deref(), Some(expected), "{field}");
        }
    }

    #[test]
    fn floods_of_pieces_cost_no_more_than_their_length() {
        let mut field = String::from("a/b");
        for number in 0..200_000 {
            field.push_str(&format!(";name*{number}=x;n{number}*1=y"));
        }
        let read = Parameterized::read(field.as_bytes());
        assert_eq!(read.get("name").map(str::len), Some(200_000));
        assert_eq!(read.parameters.len(), 1);
    }
}
