//! Joins the lines of all pages to the text, with its map.
//!
//! Lines of a block are separated by a line break, blocks by an empty line, pages by a form feed. Heads stand before a page's text,
//! numbers of lines and feet after. A word that is divided between two lines becomes whole.

use docket_contract::place::Region;
use docket_contract::text_map::{Block, CharBox, Page, TextMap};

use super::page::{Line, PageLines};
use crate::refusal::Refusal;

/// Separates blocks.
const BLOCK_END: &str = "\n\n";
/// Separates lines of a block.
const LINE_END: &str = "\n";
/// Ends every page but the last.
const PAGE_END: char = '\u{c}';
/// Words before which a hyphen stands for a part of a word that comes later, as in `pre- and postnatal`.
const CONJUNCTIONS: [&str; 8] = ["and", "or", "und", "oder", "bis", "et", "ou", "sowie"];

/// Collects the text and its map.
#[derive(Debug)]
pub struct Joiner {
    text: String,
    chars: u32,
    map: TextMap,
    bytes_max: usize,
}

impl Joiner {
    /// An empty text that may have this many bytes.
    pub fn new(bytes_max: usize) -> Self {
        Self {
            text: String::new(),
            chars: 0,
            map: TextMap::default(),
            bytes_max: bytes_max.min(u32::MAX as usize),
        }
    }

    /// Adds a page.
    pub fn page(&mut self, page: &PageLines) -> Result<(), Refusal> {
        if !self.map.pages.is_empty() {
            self.text.push(PAGE_END);
            self.chars += 1;
        }
        let (first_byte, first_char) = (self.byte(), self.chars);
        let mut boxes = Vec::with_capacity(page.boxes.len());
        let mut last: Option<&Line> = None;
        for line in in_order(page) {
            self.line(page, last, line, &mut boxes);
            last = Some(line);
            self.check()?;
        }
        self.chars = first_char.saturating_add(u32::try_from(boxes.len()).unwrap_or(u32::MAX));
        self.map.pages.push(Page {
            number: u32::try_from(self.map.pages.len() + 1).unwrap_or(u32::MAX),
            bytes: first_byte..self.byte(),
            chars: first_char..self.chars,
            width: page.width,
            height: page.height,
            reading: page.reading,
            confidence: page.confidence,
            boxes,
        });
        self.check()
    }

    /// The text and its map.
    pub fn finish(self) -> (String, TextMap) {
        (self.text, self.map)
    }

    fn check(&self) -> Result<(), Refusal> {
        if self.text.len() > self.bytes_max {
            return Err(Refusal::TextTooLarge { max: self.bytes_max });
        }
        Ok(())
    }

    /// The text's length. The largest text has fewer than 2^32 bytes.
    fn byte(&self) -> u32 {
        u32::try_from(self.text.len()).unwrap_or(u32::MAX)
    }

    fn line(&mut self, page: &PageLines, last: Option<&Line>, line: &Line, boxes: &mut Vec<CharBox>) {
        let text = page.text_of(line);
        let begins = last.is_none_or(|last| last.region != line.region || (line.begins && !divides(page, last, text)));
        if begins {
            if last.is_some() {
                self.separate(BLOCK_END, boxes);
            }
            self.map.blocks.push(Block {
                bytes: self.byte()..self.byte(),
                region: line.region,
                place: None,
            });
        } else {
            let before = last.map(|last| page.text_of(last)).unwrap_or_default();
            match joint(before, text) {
                Joint::Break => self.separate(LINE_END, boxes),
                Joint::Whole => {}
                Joint::WithoutHyphen => {
                    self.text.pop();
                    boxes.pop();
                }
            }
        }
        self.text.push_str(text);
        boxes.extend_from_slice(page.boxes.get(line.chars.clone()).unwrap_or_default());
        let end = self.byte();
        if let Some(block) = self.map.blocks.last_mut() {
            block.bytes.end = end;
        }
    }

    fn separate(&mut self, separator: &str, boxes: &mut Vec<CharBox>) {
        self.text.push_str(separator);
        boxes.extend(separator.chars().map(|_| CharBox::default()));
    }
}

/// The lines of a page: heads, text and notes, numbers of lines, feet.
fn in_order(page: &PageLines) -> impl Iterator<Item = &Line> {
    let rank = |line: &Line| match line.region {
        Region::Header => 0,
        Region::PageNumber if line.area.top < page.height / 2.0 => 0,
        Region::LineNumber => 2,
        Region::Footer | Region::PageNumber => 3,
        _ => 1,
    };
    (0..=3).flat_map(move |wanted| page.lines.iter().filter(move |line| rank(line) == wanted))
}

/// Whether a word begins at the end of a line and goes on in this text, as from one column to the next.
fn divides(page: &PageLines, line: &Line, text: &str) -> bool {
    joint(page.text_of(line), text) == Joint::WithoutHyphen
}

/// How two lines of a block are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joint {
    /// By a line break.
    Break,
    /// By nothing: the hyphen belongs to the word.
    Whole,
    /// By nothing, and the hyphen before goes: it only divided the word.
    WithoutHyphen,
}

/// How a line is joined to the line before.
fn joint(before: &str, line: &str) -> Joint {
    let Some(head) = before.strip_suffix(['-', '\u{2010}']) else {
        return Joint::Break;
    };
    let word = head.rsplit(char::is_whitespace).next().unwrap_or_default();
    let (Some(end), Some(start)) = (word.chars().next_back(), line.chars().next()) else {
        return Joint::Break;
    };
    let next = line.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    if !end.is_alphanumeric() || !start.is_alphanumeric() || CONJUNCTIONS.contains(&next) {
        return Joint::Break;
    }
    let is_acronym = word.chars().count() > 1 && !word.chars().any(char::is_lowercase);
    let is_compound = word.contains(['-', '\u{2010}', '/', '@', '.']) || is_acronym;
    if start.is_lowercase() && !is_compound && !end.is_numeric() {
        return Joint::WithoutHyphen;
    }
    Joint::Whole
}
