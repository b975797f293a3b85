//! The text of a header: folded lines made one, and encoded words (RFC 2047) such as `=?utf-8?Q?Fr=C3=B6sche?=` decoded.

use super::{charset, transfer};

/// What may stand before the first `?` of an encoded word: names of character sets have some ten bytes, with a language some twenty.
const CHARSET_BYTES_MAX: usize = 60;

/// An encoded word, and what stands behind it.
struct Word<'a> {
    charset: &'a [u8],
    bytes: Vec<u8>,
    rest: &'a [u8],
}

/// A header's text on one line, with single blanks.
pub fn decode(value: &[u8]) -> String {
    let mut reader = Reader {
        text: String::new(),
        open: None,
        blank: false,
    };
    let mut rest = value;
    let mut plain_from = value;
    let mut last_end = End::default();
    while let Some(at) = find(rest, b"=?") {
        let (_, after) = rest.split_at_checked(at).unwrap_or((rest, b""));
        let Some(word) = word(after, &mut last_end) else {
            rest = after.get(2..).unwrap_or_default();
            continue;
        };
        let before = plain_from.len() - after.len();
        reader.plain(plain_from.get(..before).unwrap_or_default());
        rest = word.rest;
        plain_from = word.rest;
        reader.word(word);
    }
    reader.plain(plain_from);
    reader.finish()
}

/// Where the next `?=` stands, as bytes that are left behind it: each is looked for once, so a flood of words without an end costs
/// no more than its length.
#[derive(Default)]
struct End {
    left: Option<usize>,
    is_none: bool,
}

impl End {
    /// Where the next `?=` of `data` stands. `data` only ever becomes shorter.
    fn find(&mut self, data: &[u8]) -> Option<usize> {
        if self.is_none {
            return None;
        }
        if let Some(at) = self.left.and_then(|left| data.len().checked_sub(left)) {
            return Some(at);
        }
        let at = find(data, b"?=");
        self.left = at.map(|at| data.len() - at);
        self.is_none = at.is_none();
        at
    }
}

/// The encoded word at the start of `text`.
fn word<'a>(text: &'a [u8], end: &mut End) -> Option<Word<'a>> {
    let text = text.strip_prefix(b"=?")?;
    let head = text.get(..text.len().min(CHARSET_BYTES_MAX))?;
    let (charset, after) = text.split_at_checked(head.iter().position(|&byte| byte == b'?')?)?;
    let [b'?', encoding, b'?', data @ ..] = after else {
        return None;
    };
    let (data, rest) = data.split_at_checked(end.find(data)?)?;
    let bytes = match encoding {
        b'q' | b'Q' => {
            let mut bytes = Vec::with_capacity(data.len());
            transfer::quoted(data, true, &mut bytes);
            bytes
        }
        b'b' | b'B' => transfer::base64(data).unwrap_or_else(|| data.to_vec()),
        _ => return None,
    };
    let charset = charset.split(|&byte| byte == b'*').next()?;
    Some(Word {
        charset,
        bytes,
        rest: rest.get(2..)?,
    })
}

/// Where `needle`, of two bytes, stands first.
fn find(text: &[u8], needle: &[u8; 2]) -> Option<usize> {
    text.windows(2).position(|pair| pair == needle)
}

/// Collects a header's text.
struct Reader<'a> {
    text: String,
    /// The character set and the bytes of the words that stand side by side: a letter may be cut between two words.
    open: Option<(&'a [u8], Vec<u8>)>,
    /// Whether blanks came behind the open words. They are left out if another word follows.
    blank: bool,
}

impl<'a> Reader<'a> {
    /// Adds what stands between words.
    fn plain(&mut self, plain: &[u8]) {
        if self.open.is_some() && plain.trim_ascii().is_empty() {
            self.blank |= !plain.is_empty();
            return;
        }
        self.end_words();
        self.text.push_str(&charset::decode(None, plain));
    }

    fn word(&mut self, word: Word<'a>) {
        match &mut self.open {
            Some((charset, bytes)) if charset.eq_ignore_ascii_case(word.charset) => bytes.extend(word.bytes),
            _ => {
                self.blank = false;
                self.end_words();
                self.open = Some((word.charset, word.bytes));
            }
        }
        self.blank = false;
    }

    fn end_words(&mut self) {
        if let Some((charset, bytes)) = self.open.take() {
            let label = String::from_utf8_lossy(charset);
            self.text.push_str(&charset::decode(Some(&label), &bytes));
        }
        if std::mem::take(&mut self.blank) {
            self.text.push(' ');
        }
    }

    fn finish(mut self) -> String {
        self.end_words();
        on_one_line(&self.text)
    }
}

/// The text with a single blank for every run of blanks and line breaks.
pub fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_one_line() {
        assert_eq!(decode(b" a\r\n\t b  c\n"), "a b c");
        assert_eq!(decode(b""), "");
        assert_eq!(decode("\u{f6}".as_bytes()), "\u{f6}");
        assert_eq!(decode(b"\xf6"), "\u{f6}");
    }

    #[test]
    fn encoded_words_are_decoded() {
        assert_eq!(decode(b"=?iso-8859-1?Q?Fr=F6sche_=3D?= (x)"), "Fr\u{f6}sche = (x)");
        assert_eq!(decode(b"a =?UTF-8*de?b?w7Y=?=: b"), "a \u{f6}: b");
        assert_eq!(decode(b"=?utf-8?Q?=E2=82=AC?="), "\u{20ac}");
    }

    #[test]
    fn blanks_between_encoded_words_are_left_out() {
        assert_eq!(decode(b"=?utf-8?Q?a?=\r\n =?utf-8?Q?b?= c"), "ab c");
        assert_eq!(decode(b"=?utf-8?Q?a?= =?latin1?Q?b?= c =?latin1?Q?d?= "), "ab c d");
    }

    #[test]
    fn a_letter_may_be_cut_between_two_words() {
        assert_eq!(decode(b"=?utf-8?Q?=C3?= =?UTF-8?B?tg==?="), "\u{f6}");
    }

    #[test]
    fn what_is_no_encoded_word_stays() {
        for text in [
            "=?",
            "=?utf-8?Q?a",
            "=?utf-8?X?a?=",
            "=?utf-8?=",
            "=?=?=?",
            "1 =? 2 ?= 3",
        ] {
            assert_eq!(decode(text.as_bytes()), text);
        }
    }

    /// Two million bytes of what would be read again and again, were each end looked for from each start: seconds, or hours.
    #[test]
    fn floods_of_words_without_an_end_cost_no_more_than_their_length() {
        for unit in ["=?", "=?aa?q?x ", "=?aa?b?!!!! ", "=?aa?x?a"] {
            let flood = unit.repeat(2_000_000 / unit.len());
            assert!(decode(flood.as_bytes()).len() <= flood.len());
            assert!(decode(format!("{flood}?=").as_bytes()).len() <= flood.len() + 2);
        }
    }
}
