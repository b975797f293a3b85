//! Gaps between two words that no entity crosses, since a reader takes them for an end.

use std::ops::Range;

use crate::steps::scan;
use crate::window::{Tokens, line_breaks};
use docket_extract::ExtractedText;

/// Fewest blanks in a row, inside a line, that separate two columns.
const COLUMN_BLANKS_MIN: usize = 4;
/// Control characters that end a file, a group, a record or a unit of data. Others stand inside sentences by accident.
const RECORD_ENDS: [char; 4] = ['\u{1c}', '\u{1d}', '\u{1e}', '\u{1f}'];

/// The gaps between a text's words, visited in reading order.
pub(super) struct Gaps<'a> {
    text: &'a ExtractedText,
    tokens: &'a Tokens,
    token: usize,
}

impl<'a> Gaps<'a> {
    pub(super) fn new(text: &'a ExtractedText, tokens: &'a Tokens) -> Self {
        Self { text, tokens, token: 0 }
    }

    /// Whether a gap ends every entity in front of this word. Ask for words in reading order.
    pub(super) fn tear_before(&mut self, word: usize) -> bool {
        while self.tokens.word(self.token) < word {
            self.token += 1;
        }
        let before = self.token.checked_sub(1).map(|before| self.tokens.bytes(before).end);
        before.is_some_and(|end| tears(self.text, end..self.tokens.bytes(self.token).start))
    }
}

fn tears(text: &ExtractedText, gap: Range<usize>) -> bool {
    let Some(gap) = text.text.get(gap) else {
        return false; // The words share a character.
    };
    let mut runs = scan(gap).split(|c: char| !c.is_whitespace());
    gap.contains(RECORD_ENDS)
        || runs.any(|run| match line_breaks(run) {
            0 => run.chars().count() >= COLUMN_BLANKS_MIN,
            breaks => breaks > 1,
        })
}
