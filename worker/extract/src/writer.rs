//! Collects a document's text block by block: paragraphs and cells. Every format that has a structure writes through here, so that
//! the rules of the text stand once:
//!
//! - Two blocks are separated by an empty line; two cells of a row by a tab, two rows of a table by a line break.
//! - A block begins and ends with a character that is seen. A block without any is left out.
//! - NULs and other control characters but tab and line break are left out, and so are soft hyphens and marks of byte order.
//! - A ligature becomes its letters.

use docket_contract::place::{Place, Region};

use crate::limits::Limits;
use crate::refusal::Refusal;

/// A part of the text that stands in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The block's first byte in the text.
    pub start: usize,
    /// One past the block's last byte.
    pub end: usize,
    /// What the block is to a reader.
    pub region: Region,
    /// Where the block stands.
    pub place: Place,
}

/// Collects text and blocks.
#[derive(Debug)]
pub struct Writer {
    text: String,
    blocks: Vec<Block>,
    text_bytes_max: usize,
    open: Option<Open>,
}

/// The block that is being written.
#[derive(Debug)]
struct Open {
    region: Region,
    place: Place,
    /// Where the block began, once a character was seen.
    start: Option<usize>,
    /// Blanks that came since the last character that is seen.
    blanks: String,
}

impl Writer {
    /// A writer of an empty text.
    pub fn new(limits: &Limits) -> Self {
        Self {
            text: String::new(),
            blocks: Vec::new(),
            text_bytes_max: limits.text_bytes,
            open: None,
        }
    }

    /// Begins a block, and ends the one before.
    pub fn begin(&mut self, region: Region, place: Place) {
        self.end();
        self.open = Some(Open {
            region,
            place,
            start: None,
            blanks: String::new(),
        });
    }

    /// Ends the open block, if one is open.
    pub fn end(&mut self) {
        let Some(open) = self.open.take() else {
            return;
        };
        if let Some(start) = open.start {
            self.blocks.push(Block {
                start,
                end: self.text.len(),
                region: open.region,
                place: open.place,
            });
        }
    }

    /// Adds text to the open block. Text outside of blocks is a mistake of the format's reader, and is not taken.
    pub fn push_str(&mut self, text: &str) -> Result<(), Refusal> {
        text.chars().try_for_each(|c| self.push(c))
    }

    /// Adds a character to the open block.
    pub fn push(&mut self, c: char) -> Result<(), Refusal> {
        debug_assert!(self.open.is_some(), "text outside of a block");
        match letters(c) {
            Letters::None => Ok(()),
            Letters::Blank(blank) => self.push_blank(blank),
            Letters::One(c) => self.push_seen(c),
            Letters::Many(letters) => letters.chars().try_for_each(|c| self.push_seen(c)),
        }
    }

    fn push_blank(&mut self, blank: char) -> Result<(), Refusal> {
        let Some(open) = &mut self.open else { return Ok(()) };
        if open.start.is_some() {
            open.blanks.push(blank);
            return within(self.text.len() + open.blanks.len(), self.text_bytes_max);
        }
        Ok(())
    }

    fn push_seen(&mut self, c: char) -> Result<(), Refusal> {
        let Some(open) = &mut self.open else { return Ok(()) };
        if open.start.is_none() {
            self.text
                .push_str(separator(self.blocks.last(), open.region, open.place));
            open.start = Some(self.text.len());
        }
        self.text.push_str(&open.blanks);
        open.blanks.clear();
        self.text.push(c);
        within(self.text.len(), self.text_bytes_max)
    }

    /// The text and its blocks, ascending.
    pub fn finish(mut self) -> (String, Vec<Block>) {
        self.end();
        (self.text, self.blocks)
    }
}

fn within(bytes: usize, max: usize) -> Result<(), Refusal> {
    if bytes > max {
        return Err(Refusal::TextTooLarge { max });
    }
    Ok(())
}

/// What stands between two blocks.
fn separator(before: Option<&Block>, region: Region, place: Place) -> &'static str {
    let Some(before) = before else { return "" };
    match (before.place, place) {
        (Place::Cell { table: a, row: b, .. }, Place::Cell { table, row, .. })
            if before.region == region && a == table =>
        {
            if b == row {
                "\t"
            } else {
                "\n"
            }
        }
        (Place::Cell { .. } | Place::Line { .. } | Place::Paragraph { .. }, _) => "\n\n",
    }
}

/// What becomes of a character.
enum Letters {
    None,
    Blank(char),
    One(char),
    Many(&'static str),
}

fn letters(c: char) -> Letters {
    match c {
        '\u{ad}' | '\u{feff}' | '\u{fffe}' => Letters::None,
        '\n' | '\t' => Letters::Blank(c),
        '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Letters::Blank('\n'),
        c if c.is_control() => Letters::None,
        c if c.is_whitespace() => Letters::Blank(c),
        '\u{fb00}' => Letters::Many("ff"),
        '\u{fb01}' => Letters::Many("fi"),
        '\u{fb02}' => Letters::Many("fl"),
        '\u{fb03}' => Letters::Many("ffi"),
        '\u{fb04}' => Letters::Many("ffl"),
        '\u{fb05}' | '\u{fb06}' => Letters::Many("st"),
        c => Letters::One(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        pages: 10,
        text_bytes: 40,
        inflated_bytes: 1_000,
    };

    fn paragraph(paragraph: u32) -> Place {
        Place::Paragraph { paragraph }
    }

    fn cell(row: u32, column: u32) -> Place {
        Place::Cell { table: 1, row, column }
    }

    #[test]
    fn blocks_are_separated_by_what_they_are() {
        let mut writer = Writer::new(&LIMITS);
        for (place, text) in [
            (paragraph(1), " one \n"),
            (paragraph(2), " \t"),
            (cell(1, 1), "a"),
            (cell(1, 2), "b"),
            (cell(2, 1), "c"),
            (paragraph(3), "of\u{ad}\u{fb01}ce\u{0}"),
        ] {
            writer.begin(Region::Body, place);
            writer.push_str(text).expect("it is short");
        }
        let (text, blocks) = writer.finish();
        assert_eq!(text, "one\n\na\tb\nc\n\noffice");
        let texts: Vec<_> = blocks.iter().map(|block| &text[block.start..block.end]).collect();
        assert_eq!(texts, ["one", "a", "b", "c", "office"]);
    }

    #[test]
    fn a_text_has_a_largest_size() {
        let mut writer = Writer::new(&LIMITS);
        writer.begin(Region::Body, paragraph(1));
        assert_eq!(writer.push_str(&"a".repeat(40)), Ok(()));
        assert_eq!(writer.push('a'), Err(Refusal::TextTooLarge { max: 40 }));
    }

    #[test]
    fn blanks_count_before_they_are_written() {
        let mut writer = Writer::new(&LIMITS);
        writer.begin(Region::Body, paragraph(1));
        assert_eq!(writer.push_str(&format!("a{}", " ".repeat(39))), Ok(()));
        assert_eq!(writer.push(' '), Err(Refusal::TextTooLarge { max: 40 }));
    }
}
