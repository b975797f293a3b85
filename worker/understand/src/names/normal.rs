//! A piece of a text with single blanks, so that a name is found whatever blanks and line breaks stand within it.

use std::ops::Range;

/// Fewest blanks in a row, inside a line, that separate two columns. No name goes on beyond them.
const COLUMN_BLANKS_MIN: usize = 4;
/// What stands in place of a gap that no name crosses.
pub(super) const BREAK: char = '\n';

/// A piece of a text, with a single blank for each gap between words and straight apostrophes.
#[derive(Debug, Default)]
pub(super) struct Normal {
    pub text: String,
    /// For each byte of `text` the byte of the piece that it stands for, and the piece's length at the end.
    at: Vec<u32>,
}

impl Normal {
    /// The normal form of a piece of at most 4 GiB.
    pub(super) fn of(piece: &str) -> Self {
        let mut normal = Self {
            text: String::with_capacity(piece.len()),
            at: Vec::with_capacity(piece.len() + 1),
        };
        let mut chars = piece.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if !c.is_whitespace() && !c.is_control() {
                normal.push(at, if c == '\u{2019}' { '\'' } else { c });
                continue;
            }
            let (mut blanks, mut breaks, mut feeds) = (0, 0, 0);
            let mut blank = Some(c);
            while let Some(c) = blank {
                blanks += 1;
                breaks += usize::from(c == '\n');
                feeds += usize::from(matches!(c, '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1f}' | '\u{2029}'));
                blank = chars
                    .next_if(|(_, c)| c.is_whitespace() || c.is_control())
                    .map(|(_, c)| c);
            }
            let is_gap = breaks > 1 || feeds > 0 || (breaks == 0 && blanks >= COLUMN_BLANKS_MIN);
            normal.push(at, if is_gap { BREAK } else { ' ' });
        }
        normal.at.push(piece.len() as u32);
        normal
    }

    fn push(&mut self, at: usize, c: char) {
        let bytes = self.text.len();
        self.text.push(c);
        self.at.extend((bytes..self.text.len()).map(|_| at as u32));
    }

    /// The range of the piece that a range of `text` stands for. The range begins and ends with a character that is no blank.
    pub(super) fn of_piece(&self, range: Range<usize>) -> Range<usize> {
        self.at[range.start] as usize..self.at[range.end] as usize
    }
}

/// A name in the same form: `None` if it goes beyond a gap.
pub(super) fn of_name(name: &str) -> Option<String> {
    let normal = Normal::of(name.trim()).text;
    (!normal.contains(BREAK)).then_some(normal)
}
