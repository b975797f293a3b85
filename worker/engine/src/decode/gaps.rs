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
    /// The first block of the text's map that ends behind the gap asked for last, or in it.
    block: usize,
}

impl<'a> Gaps<'a> {
    pub(super) fn new(text: &'a ExtractedText, tokens: &'a Tokens) -> Self {
        Self {
            text,
            tokens,
            token: 0,
            block: 0,
        }
    }

    /// Whether a gap ends every entity in front of this word. Ask for words in reading order.
    pub(super) fn tear_before(&mut self, word: usize) -> bool {
        while self.tokens.word(self.token) < word {
            self.token += 1;
        }
        let before = self.token.checked_sub(1).map(|before| self.tokens.bytes(before).end);
        let Some(end) = before else { return false };
        let gap = end..self.tokens.bytes(self.token).start;
        self.leaves_a_block(&gap) || tears(self.text, gap)
    }

    /// Whether a paragraph, a cell or a region of the document ends within a gap.
    fn leaves_a_block(&mut self, gap: &Range<usize>) -> bool {
        let blocks = self.text.map.as_ref().map_or(&[][..], |map| &map.blocks);
        while blocks
            .get(self.block)
            .is_some_and(|block| (block.bytes.end as usize) < gap.start)
        {
            self.block += 1;
        }
        let ends = blocks.get(self.block).map(|block| block.bytes.end as usize);
        ends.is_some_and(|end| gap.start <= end && end <= gap.end)
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
