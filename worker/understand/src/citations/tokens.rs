//! Splits a text into words, numbers and marks; every recogniser reads these and never the raw text.
//!
//! Spaces are not tokens. A token only remembers what stood before it, so that `U.S.`, `U. S.` and a line break between
//! volume and reporter read the same, and a blank line ends every citation.

/// What a token is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Letters, perhaps with digits: `Supp`, `2d`, `10b`.
    Word,
    /// ASCII digits only.
    Number,
    /// One character that is neither letter, digit nor white space.
    Mark(char),
    /// Underscores in a row, which stand for a page not yet known.
    Blank,
}

/// What stood before a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    None,
    Space,
    /// At least two line breaks.
    BlankLine,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub start: usize,
    pub end: usize,
    pub kind: Kind,
    pub gap: Gap,
}

/// The tokens of a text. Reading past the end is no error: there is an empty word.
pub(super) struct Tokens<'t> {
    text: &'t str,
    list: Vec<Token>,
}

impl<'t> Tokens<'t> {
    pub fn read(text: &'t str) -> Self {
        // A token has about five bytes in ordinary prose.
        let mut list = Vec::with_capacity(text.len() / 5);
        let mut characters = text.char_indices().peekable();
        let (mut gap, mut breaks) = (Gap::None, 0_usize);
        while let Some((start, first)) = characters.next() {
            if first.is_whitespace() || is_invisible(first) {
                breaks += usize::from(first == '\n' || first == '\u{2029}');
                gap = if breaks >= 2 { Gap::BlankLine } else { Gap::Space };
                continue;
            }
            let mut end = start + first.len_utf8();
            let mut kind = kind_of(first);
            while let Some(&(at, next)) = characters.peek() {
                let Some(joined) = join(kind, next) else { break };
                kind = joined;
                end = at + next.len_utf8();
                characters.next();
            }
            list.push(Token { start, end, kind, gap });
            (gap, breaks) = (Gap::None, 0);
        }
        Self { text, list }
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn get(&self, index: usize) -> Option<&Token> {
        self.list.get(index)
    }

    /// Gives the text of any token.
    pub fn text(&self, index: usize) -> &'t str {
        self.list
            .get(index)
            .map_or("", |token| &self.text[token.start..token.end])
    }

    /// Gives the text of a word, or nothing where the token is no word.
    pub fn word(&self, index: usize) -> &'t str {
        if matches!(self.get(index), Some(Token { kind: Kind::Word, .. })) {
            self.text(index)
        } else {
            ""
        }
    }

    /// Gives the digits of a number, or nothing where the token is no number.
    pub fn number(&self, index: usize) -> Option<&'t str> {
        matches!(self.get(index), Some(Token { kind: Kind::Number, .. })).then(|| self.text(index))
    }

    pub fn mark(&self, index: usize) -> Option<char> {
        match self.get(index)?.kind {
            Kind::Mark(mark) => Some(mark),
            Kind::Word | Kind::Number | Kind::Blank => None,
        }
    }

    pub fn is(&self, index: usize, mark: char) -> bool {
        self.mark(index) == Some(mark)
    }

    /// Tells whether no space stands before the token.
    pub fn joined(&self, index: usize) -> bool {
        self.get(index).is_some_and(|token| token.gap == Gap::None)
    }

    /// Tells whether the token exists and no blank line parts it from the token before.
    pub fn near(&self, index: usize) -> bool {
        self.get(index).is_some_and(|token| token.gap != Gap::BlankLine)
    }

    /// Gives the index after the mark, or the same index where another token stands.
    pub fn skip(&self, index: usize, mark: char) -> usize {
        if self.is(index, mark) && self.near(index) {
            index + 1
        } else {
            index
        }
    }

    /// Tells whether a word starts with a capital letter.
    pub fn capital(&self, index: usize) -> bool {
        self.word(index).chars().next().is_some_and(char::is_uppercase)
    }

    /// Gives a year of four digits.
    pub fn year(&self, index: usize) -> Option<&'t str> {
        self.number(index)
            .filter(|digits| digits.len() == 4 && ("1200"..="2099").contains(digits))
    }

    /// Gives the bytes from one token up to but not including another.
    pub fn bytes(&self, first: usize, end: usize) -> std::ops::Range<usize> {
        let start = self.list[first].start;
        start..self.list[end - 1].end.max(start)
    }

    /// Gives the text from one token up to another, white space collapsed.
    pub fn plain(&self, first: usize, end: usize) -> String {
        let mut out = String::new();
        for index in first..end.min(self.list.len()) {
            if index > first && self.list[index].gap != Gap::None {
                out.push(' ');
            }
            out.push_str(self.text(index));
        }
        out
    }
}

fn kind_of(character: char) -> Kind {
    if character.is_ascii_digit() {
        Kind::Number
    } else if character == '_' {
        Kind::Blank
    } else if character.is_alphanumeric() {
        Kind::Word
    } else {
        Kind::Mark(character)
    }
}

/// Gives the kind of a token once the next character has joined it, or nothing where the token ends.
fn join(kind: Kind, next: char) -> Option<Kind> {
    match kind {
        Kind::Number if next.is_ascii_digit() => Some(Kind::Number),
        Kind::Number | Kind::Word if next.is_alphanumeric() => Some(Kind::Word),
        Kind::Blank if next == '_' => Some(Kind::Blank),
        Kind::Number | Kind::Word | Kind::Blank | Kind::Mark(_) => None,
    }
}

/// Characters without width, which PDF files and web pages leave inside citations.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_line_and_only_a_blank_line_parts_tokens() {
        let tokens = Tokens::read("410\nU.S.\u{a0}113\n \n5");
        assert_eq!(tokens.plain(0, tokens.len()), "410 U.S. 113 5");
        assert!(tokens.near(1) && tokens.near(5) && !tokens.near(6));
        assert_eq!(
            (tokens.word(99), tokens.number(5), tokens.year(5)),
            ("", Some("113"), None)
        );
    }
}
