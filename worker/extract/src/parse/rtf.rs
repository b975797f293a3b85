//! Rich Text Format: paragraphs and cells, with headers, footers, notes and comments.
//!
//! `tokens` cuts the bytes, `words` knows what control words mean, `fonts` decodes, `flow` makes paragraphs and cells, and this file
//! keeps the groups that are open.
//!
//! In: inserted text, results of fields, numbers and bullets of lists as the writing program rendered them, text boxes. Out: deleted
//! and moved text, hidden text, instructions of fields, pictures, embedded objects but for the text that they show, and every
//! destination that is not known and may be skipped (`\*`).

mod code_page;
mod flow;
mod fonts;
mod group;
mod tokens;
mod waiting;
mod words;

use docket_contract::place::Region;

use crate::limits::DEPTH_MAX;
use crate::refusal::{Format, Problem, Refusal};
use crate::writer::Writer;
use flow::Flow;
use fonts::Fonts;
use group::{Group, OUTERMOST, Reading};
use tokens::{Token, Tokens};
use words::{Meaning, meaning};

/// Deepest nesting of groups. A part of a document takes some four groups (table, field, result, format), so four times the depth of
/// parts.
const GROUPS_MAX: usize = 4 * DEPTH_MAX;
/// Bytes of a mark of byte order, which some programs put before the document.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a document into the writer. A document that is cut is read as far as it goes.
pub fn read(bytes: &[u8], writer: &mut Writer) -> Result<(), Refusal> {
    let start = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes).trim_ascii_start();
    if !start.starts_with(b"{\\rtf") {
        return Err(Refusal::malformed(Format::Rtf, Problem::Structure));
    }
    let mut reader = Reader::new(writer);
    for token in Tokens::new(start) {
        reader.take(token)?;
        if reader.groups.is_empty() {
            break;
        }
    }
    reader.finish()
}

struct Reader<'w> {
    flow: Flow<'w>,
    /// The open groups around the innermost.
    groups: Vec<Group>,
    group: Group,
    fonts: Fonts,
    /// Bytes in the group's character set which are not decoded yet: a character may be several.
    bytes: Vec<u8>,
    /// First half of a character beyond the first 65,536.
    high_surrogate: Option<u16>,
    /// Substitutes that are still to come.
    substitutes_left: usize,
}

impl<'w> Reader<'w> {
    fn new(writer: &'w mut Writer) -> Self {
        Self {
            flow: Flow::new(writer),
            groups: Vec::new(),
            group: OUTERMOST,
            fonts: Fonts::default(),
            bytes: Vec::new(),
            high_surrogate: None,
            substitutes_left: 0,
        }
    }

    fn finish(mut self) -> Result<(), Refusal> {
        self.decode()?;
        self.flow.finish()
    }

    fn take(&mut self, token: Token<'_>) -> Result<(), Refusal> {
        match token {
            Token::Text(text) => {
                self.text(text);
                return Ok(());
            }
            Token::Byte(byte) => {
                self.text(&[byte]);
                return Ok(());
            }
            _ => self.decode()?,
        }
        match token {
            Token::Open => self.open(),
            Token::Close => self.close(),
            Token::Symbol(symbol) => self.symbol(symbol),
            Token::Word { name, number } => self.word(name, number),
            Token::Text(_) | Token::Byte(_) => Ok(()),
        }
    }

    fn open(&mut self) -> Result<(), Refusal> {
        self.substitutes_left = 0;
        if self.groups.len() >= GROUPS_MAX {
            return Err(Refusal::TooDeep { max: GROUPS_MAX });
        }
        self.groups.push(self.group);
        self.group.may_be_skipped = false;
        self.group.begins_aside = false;
        Ok(())
    }

    fn close(&mut self) -> Result<(), Refusal> {
        self.substitutes_left = 0;
        if self.group.begins_aside {
            self.flow.end_aside()?;
        }
        if let Some(group) = self.groups.pop() {
            self.group = group;
        }
        Ok(())
    }

    fn symbol(&mut self, symbol: u8) -> Result<(), Refusal> {
        match symbol {
            b'*' => {
                self.group.may_be_skipped = true;
                Ok(())
            }
            b'~' => self.character('\u{a0}'),
            b'_' => self.character('\u{2011}'),
            b'\\' | b'{' | b'}' => self.character(char::from(symbol)),
            b'\t' => self.character('\t'),
            b'\n' | b'\r' => self.end_paragraph(),
            _ => Ok(()),
        }
    }

    fn word(&mut self, name: &[u8], number: Option<i32>) -> Result<(), Refusal> {
        let meaning = meaning(name);
        let may_be_skipped = std::mem::take(&mut self.group.may_be_skipped);
        match meaning {
            Meaning::Character(c) => return self.character(c),
            Meaning::Unicode => return self.unicode(number.unwrap_or(0)),
            _ => self.substitutes_left = 0,
        }
        if self.group.in_fonts {
            self.fonts.describe(meaning, number.unwrap_or(0));
            return Ok(());
        }
        match self.group.reading {
            Reading::Skipped => Ok(()),
            Reading::Container => self.word_in_container(meaning, may_be_skipped),
            Reading::RowsOnly if meaning == Meaning::NestedRow => self.end_row(2),
            Reading::RowsOnly => Ok(()),
            Reading::Shown => self.shown_word(meaning, number, may_be_skipped),
        }
    }

    /// Takes a word where only certain groups are read.
    fn word_in_container(&mut self, meaning: Meaning, may_be_skipped: bool) -> Result<(), Refusal> {
        match meaning {
            Meaning::Reopen => self.group.reading = Reading::Shown,
            Meaning::TextBox => {
                self.group.reading = Reading::Shown;
                return self.begin_aside(None);
            }
            Meaning::Skip => self.group.reading = Reading::Skipped,
            Meaning::Other if may_be_skipped => self.group.reading = Reading::Skipped,
            _ => {}
        }
        Ok(())
    }

    fn shown_word(&mut self, meaning: Meaning, number: Option<i32>, may_be_skipped: bool) -> Result<(), Refusal> {
        match meaning {
            Meaning::Skip => self.group.reading = Reading::Skipped,
            Meaning::Other if may_be_skipped => self.group.reading = Reading::Skipped,
            Meaning::Container => self.group.reading = Reading::Container,
            Meaning::RowProperties => self.group.reading = Reading::RowsOnly,
            Meaning::Fonts => (self.group.reading, self.group.in_fonts) = (Reading::Skipped, true),
            Meaning::Aside(region) => return self.begin_aside(Some(region)),
            Meaning::TextBox => return self.begin_aside(None),
            Meaning::AtTheEnd => self.flow.become_endnote(),
            Meaning::EndOfParagraph => return self.end_paragraph(),
            Meaning::EndOfCell => return self.end_cell(1),
            Meaning::EndOfRow => return self.end_row(1),
            Meaning::NestedCell => return self.end_cell(2),
            Meaning::NestedRow => return self.end_row(2),
            _ => self.format_word(meaning, number),
        }
        Ok(())
    }

    /// Takes a word that changes how the text that follows is read.
    fn format_word(&mut self, meaning: Meaning, number: Option<i32>) {
        let is_on = number != Some(0);
        match meaning {
            Meaning::PlainParagraph => (self.group.in_table, self.group.table_level) = (false, 0),
            Meaning::InTable => self.group.in_table = is_on,
            Meaning::TableLevel => self.group.table_level = small(number).min(DEPTH_MAX),
            Meaning::PlainCharacters => {
                (self.group.is_hidden, self.group.is_deleted, self.group.font) = (false, false, None);
            }
            Meaning::Hidden => self.group.is_hidden = is_on,
            Meaning::Deleted => self.group.is_deleted = is_on,
            Meaning::Substitutes => self.group.substitutes = small(number),
            Meaning::Font => self.group.font = number,
            _ => self.fonts.set(meaning, number.unwrap_or(0)),
        }
    }

    fn begin_aside(&mut self, region: Option<Region>) -> Result<(), Refusal> {
        if self.group.begins_aside {
            return Ok(());
        }
        self.group.begins_aside = true;
        (self.group.in_table, self.group.table_level) = (false, 0);
        self.flow.begin_aside(region)
    }

    fn end_paragraph(&mut self) -> Result<(), Refusal> {
        if self.group.reading != Reading::Shown {
            return Ok(());
        }
        self.flow.end_paragraph(self.group.level())
    }

    fn end_cell(&mut self, level_min: usize) -> Result<(), Refusal> {
        let level = if level_min > 1 {
            self.group.level().max(level_min)
        } else {
            1
        };
        self.flow.end_cell(level)
    }

    fn end_row(&mut self, level_min: usize) -> Result<(), Refusal> {
        let level = if level_min > 1 {
            self.group.level().max(level_min)
        } else {
            1
        };
        self.flow.end_row(level)
    }

    /// Takes a character that stands for itself or a control word.
    fn character(&mut self, c: char) -> Result<(), Refusal> {
        if self.substitutes_left > 0 {
            self.substitutes_left = self.substitutes_left.saturating_sub(1);
            return Ok(());
        }
        self.shown_character(c)
    }

    fn shown_character(&mut self, c: char) -> Result<(), Refusal> {
        if !self.group.is_read() {
            return Ok(());
        }
        self.flow.character(c, self.group.level())
    }

    /// Takes a character of Unicode: a unit of UTF-16, written as a signed number, or by some programs as an unsigned one.
    fn unicode(&mut self, number: i32) -> Result<(), Refusal> {
        self.substitutes_left = self.group.substitutes;
        let number = if number < 0 {
            number.saturating_add(0x1_0000)
        } else {
            number
        };
        let unit = u16::try_from(number).ok();
        let high = self.high_surrogate.take();
        let c = match (high, unit) {
            (None, Some(unit @ 0xd800..=0xdbff)) => {
                self.high_surrogate = Some(unit);
                return Ok(());
            }
            (Some(high), Some(low @ 0xdc00..=0xdfff)) => char::decode_utf16([high, low]).next().and_then(Result::ok),
            _ => u32::try_from(number).ok().and_then(char::from_u32),
        };
        self.shown_character(c.map_or(char::REPLACEMENT_CHARACTER, code_page::without_private_bullets))
    }

    fn text(&mut self, text: &[u8]) {
        let substitutes = self.substitutes_left.min(text.len());
        self.substitutes_left = self.substitutes_left.saturating_sub(substitutes);
        if self.group.is_read() {
            self.bytes
                .extend_from_slice(text.get(substitutes..).unwrap_or_default());
        }
    }

    /// Decodes the bytes that have come in.
    fn decode(&mut self) -> Result<(), Refusal> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let text = self.fonts.decode(&self.bytes, self.group.font);
        self.flow.text(&text, self.group.level())?;
        self.bytes.clear();
        Ok(())
    }
}

/// A number that counts something. Without a number a control word means one; a number below zero counts nothing.
fn small(number: Option<i32>) -> usize {
    usize::try_from(number.unwrap_or(1)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
