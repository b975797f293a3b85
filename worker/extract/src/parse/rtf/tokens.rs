//! Cuts a document into groups, control words and text.

/// A piece of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A group begins.
    Open,
    /// A group ends.
    Close,
    /// A control word.
    Word {
        /// The word, without the backslash.
        name: &'a [u8],
        /// The number after the word.
        number: Option<i32>,
    },
    /// A control symbol, without the backslash.
    Symbol(u8),
    /// A byte of text in hexadecimal digits.
    Byte(u8),
    /// Bytes of text.
    Text(&'a [u8]),
}

/// The pieces of a document, in order. Line breaks and binary data are no pieces.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Tokens<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn control(&mut self) -> Option<Token<'a>> {
        match self.rest {
            [b'\'', high, low, rest @ ..] => {
                self.rest = rest;
                // A byte that is none is left out, as Word does.
                hexadecimal(*high, *low).map(Token::Byte).or(Some(Token::Text(b"")))
            }
            [letter, ..] if letter.is_ascii_alphabetic() => Some(self.word()),
            [symbol, rest @ ..] => {
                self.rest = rest;
                Some(Token::Symbol(*symbol))
            }
            [] => None,
        }
    }

    fn word(&mut self) -> Token<'a> {
        let name = self.take_while(u8::is_ascii_alphabetic);
        let is_negative = matches!(self.rest, [b'-', b'0'..=b'9', ..]);
        if is_negative {
            self.skip(1);
        }
        let digits = self.take_while(u8::is_ascii_digit);
        let number = (!digits.is_empty()).then(|| number(digits, is_negative));
        if self.rest.first() == Some(&b' ') {
            self.skip(1);
        }
        if name == b"bin" {
            self.skip(usize::try_from(number.unwrap_or(0)).unwrap_or(0));
        }
        Token::Word { name, number }
    }

    fn take_while(&mut self, belongs: impl Fn(&u8) -> bool) -> &'a [u8] {
        let length = self
            .rest
            .iter()
            .position(|byte| !belongs(byte))
            .unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.take_while(|byte| matches!(byte, b'\r' | b'\n'));
        let (&first, rest) = self.rest.split_first()?;
        if !matches!(first, b'{' | b'}' | b'\\') {
            return Some(Token::Text(
                self.take_while(|byte| !matches!(byte, b'{' | b'}' | b'\\' | b'\r' | b'\n')),
            ));
        }
        self.rest = rest;
        match first {
            b'{' => Some(Token::Open),
            b'}' => Some(Token::Close),
            _ => self.control(),
        }
    }
}

fn hexadecimal(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

/// The number that the digits write; the largest one for more.
fn number(digits: &[u8], is_negative: bool) -> i32 {
    let mut number = 0_i32;
    for digit in digits {
        number = number
            .saturating_mul(10)
            .saturating_add(i32::from(digit.saturating_sub(b'0')));
    }
    if is_negative { number.saturating_neg() } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_cut_into_its_pieces() {
        let document = b"{\\rtf1\\b0 a\r\nb\\'E4\\'zz\\~\\u-10179?\\bin3 {}\\\\}\\li99999999999 }\\";
        let word = |name: &'static str, number| Token::Word {
            name: name.as_bytes(),
            number,
        };
        assert_eq!(
            Tokens::new(document).collect::<Vec<_>>(),
            [
                Token::Open,
                word("rtf", Some(1)),
                word("b", Some(0)),
                Token::Text(b"a"),
                Token::Text(b"b"),
                Token::Byte(0xe4),
                Token::Text(b""),
                Token::Symbol(b'~'),
                word("u", Some(-10179)),
                Token::Text(b"?"),
                word("bin", Some(3)),
                Token::Symbol(b'}'),
                word("li", Some(i32::MAX)),
                Token::Close,
            ]
        );
    }
}
