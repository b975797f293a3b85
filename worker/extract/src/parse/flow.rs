//! Brings paragraphs and tables that stand within each other into one row of blocks, as the writer needs them. DOCX and ODT both
//! write through here, so that the order of the text stands once:
//!
//! - A table is written cell by cell, in the order of the file. The paragraphs of a cell are lines of one block.
//! - A table within a cell follows the text of the cell that stands before it, and the rest of the cell follows the table.
//! - A text box is paragraphs of their own. They stand before the paragraph that the box is anchored to: most anchors stand at
//!   the paragraph's beginning, and a box must not cut a sentence.
//! - Paragraphs and tables are numbered by region in the order of the text. A paragraph that shows nothing has no number.
//!
//! Text that is not written yet is kept in one string, the innermost last, and is never longer than the whole text may be.

use std::collections::HashMap;

use docket_contract::place::{Place, Region};

use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::writer::Writer;

/// The row of blocks.
#[derive(Debug)]
pub struct Flow<'w> {
    writer: &'w mut Writer,
    text_bytes_max: usize,
    region: Region,
    counts: HashMap<Region, Counts>,
    /// Text of open paragraphs and cells.
    pending: String,
    /// Paragraphs, tables and text boxes that are open, the innermost last.
    open: Vec<Open>,
    /// What stands before the next block that shows something.
    lead: String,
    /// Characters so far that are seen.
    seen: u64,
}

/// How many paragraphs and tables a region has.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    paragraphs: u32,
    tables: u32,
}

/// Something that is open.
#[derive(Debug, Clone, Copy)]
enum Open {
    /// Paragraphs of their own: a text box, a note, a cell that has no row.
    Frame,
    /// A paragraph whose text begins here. Whatever comes before `label_end` is a label, which needs text behind itself.
    Paragraph {
        start: usize,
        label_end: usize,
        in_cell: bool,
    },
    /// A paragraph that ended without its mark, so that the next one continues it.
    Joined {
        start: usize,
    },
    Table {
        table: u32,
        rows: u32,
    },
    Row {
        table: u32,
        row: u32,
        column: u32,
    },
    Cell {
        place: Place,
        start: usize,
        columns: u32,
    },
}

impl<'w> Flow<'w> {
    /// A row that is written to a writer, and begins in the body.
    pub fn new(writer: &'w mut Writer, limits: &Limits) -> Self {
        Self {
            writer,
            text_bytes_max: limits.text_bytes,
            region: Region::Body,
            counts: HashMap::new(),
            pending: String::new(),
            open: Vec::new(),
            lead: String::new(),
            seen: 0,
        }
    }

    /// Goes on in a region. Nothing is left open in the region before.
    pub fn enter(&mut self, region: Region) -> Result<(), Refusal> {
        while !self.open.is_empty() {
            self.close()?;
        }
        self.region = region;
        Ok(())
    }

    /// Whether no paragraph and no table is open.
    pub fn is_idle(&self) -> bool {
        self.open.iter().all(|open| matches!(open, Open::Joined { .. }))
    }

    /// How many characters that are seen were pushed so far.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Puts words before the next block that shows something, such as the name of a comment's author.
    pub fn lead(&mut self, words: String) {
        self.lead = words;
    }

    /// Begins a paragraph.
    pub fn begin_paragraph(&mut self) {
        let mut start = self.pending.len();
        if let Some(Open::Joined { start: joined }) = self.open.last() {
            start = *joined;
            self.open.pop();
        }
        self.open.push(Open::Paragraph {
            start,
            label_end: start,
            in_cell: matches!(self.open.last(), Some(Open::Cell { .. })),
        });
    }

    /// Begins paragraphs of their own.
    pub fn begin_frame(&mut self) -> Result<(), Refusal> {
        self.settle()?;
        self.open.push(Open::Frame);
        Ok(())
    }

    /// Begins a table.
    pub fn begin_table(&mut self) -> Result<(), Refusal> {
        self.settle()?;
        if let Some(&Open::Cell { place, start, .. }) = self.open.last() {
            self.write(place, start)?;
        }
        let counts = self.counts();
        counts.tables = counts.tables.saturating_add(1);
        let table = counts.tables;
        self.open.push(Open::Table { table, rows: 0 });
        Ok(())
    }

    /// Begins a row that stands for some rows, of which the first has the text.
    pub fn begin_row(&mut self, repeated: u32) -> Result<(), Refusal> {
        self.settle()?;
        let row = match self.open.last_mut() {
            Some(Open::Table { table, rows }) => {
                let row = rows.saturating_add(1);
                *rows = rows.saturating_add(repeated.max(1));
                Open::Row {
                    table: *table,
                    row,
                    column: 1,
                }
            }
            _ => Open::Frame,
        };
        self.open.push(row);
        Ok(())
    }

    /// Leaves out columns of the row.
    pub fn skip_columns(&mut self, columns: u32) {
        if let Some(Open::Row { column, .. }) = self.open.last_mut() {
            *column = column.saturating_add(columns);
        }
    }

    /// Begins a cell of one column.
    pub fn begin_cell(&mut self) -> Result<(), Refusal> {
        self.settle()?;
        let cell = match self.open.last() {
            Some(&Open::Row { table, row, column }) => Open::Cell {
                place: Place::Cell { table, row, column },
                start: self.pending.len(),
                columns: 1,
            },
            _ => Open::Frame,
        };
        self.open.push(cell);
        Ok(())
    }

    /// Says how many columns the open cell has.
    pub fn widen_cell(&mut self, wide: u32) {
        if let Some(Open::Cell { columns, .. }) = self.open.last_mut() {
            *columns = wide.max(1);
        }
    }

    /// Takes the row back that was begun last, as if the row had never been.
    pub fn forget_row(&mut self) {
        if let [.., Open::Table { rows, .. }, Open::Row { .. }] = self.open.as_mut_slice() {
            *rows = rows.saturating_sub(1);
        }
    }

    /// Adds text to the open paragraph. Text between paragraphs is blanks of the file, and is not taken.
    pub fn push_str(&mut self, text: &str) -> Result<(), Refusal> {
        if !self.is_in_paragraph() {
            return Ok(());
        }
        self.seen = self
            .seen
            .saturating_add(text.chars().filter(|&c| is_seen(c)).count() as u64);
        self.pending.push_str(text);
        if self.pending.len() > self.text_bytes_max {
            return Err(Refusal::TextTooLarge {
                max: self.text_bytes_max,
            });
        }
        Ok(())
    }

    /// Adds a character to the open paragraph.
    pub fn push(&mut self, c: char) -> Result<(), Refusal> {
        self.push_str(c.encode_utf8(&mut [0; 4]))
    }

    /// Adds a label to a paragraph that has no text yet, such as a number that the program computes. A paragraph without other
    /// text has no label.
    pub fn label(&mut self, label: &str) -> Result<(), Refusal> {
        if matches!(self.open.last(), Some(Open::Paragraph { start, .. }) if *start < self.pending.len()) {
            return Ok(());
        }
        self.push_str(label)?;
        let end = self.pending.len();
        if let Some(Open::Paragraph { label_end, .. }) = self.open.last_mut() {
            *label_end = end;
        }
        Ok(())
    }

    /// Takes back what was pushed to the open paragraph.
    pub fn forget_paragraph(&mut self) {
        if let Some(Open::Paragraph { start, .. }) = self.open.last() {
            self.pending.truncate(*start);
        }
    }

    /// Ends whatever was begun last.
    pub fn close(&mut self) -> Result<(), Refusal> {
        self.settle()?;
        match self.open.pop() {
            Some(Open::Paragraph {
                start,
                label_end,
                in_cell,
            }) => self.end_paragraph(start, label_end, in_cell),
            Some(Open::Cell { place, start, columns }) => {
                self.skip_columns(columns);
                self.write(place, start)
            }
            Some(Open::Frame | Open::Joined { .. } | Open::Table { .. } | Open::Row { .. }) | None => Ok(()),
        }
    }

    /// Ends a paragraph without its mark, so that the next paragraph of the same cell, box or text continues it.
    pub fn join(&mut self) -> Result<(), Refusal> {
        self.settle()?;
        match self.open.last() {
            Some(&Open::Paragraph { start, in_cell, .. }) => {
                self.open.pop();
                if !in_cell {
                    self.open.push(Open::Joined { start });
                }
                Ok(())
            }
            _ => self.close(),
        }
    }

    fn is_in_paragraph(&self) -> bool {
        matches!(self.open.last(), Some(Open::Paragraph { .. }))
    }

    fn end_paragraph(&mut self, start: usize, label_end: usize, in_cell: bool) -> Result<(), Refusal> {
        if label_end > start && !shows(self.pending.get(label_end..)) {
            self.pending.truncate(start);
        }
        if !in_cell {
            return self.write_paragraph(start);
        }
        if !self.pending.ends_with('\n') {
            self.pending.push('\n');
        }
        Ok(())
    }

    /// Writes a paragraph whose mark was taken away and which nothing continued.
    fn settle(&mut self) -> Result<(), Refusal> {
        if let Some(&Open::Joined { start }) = self.open.last() {
            self.open.pop();
            self.write_paragraph(start)?;
        }
        Ok(())
    }

    fn write_paragraph(&mut self, start: usize) -> Result<(), Refusal> {
        if shows(self.pending.get(start..)) {
            let counts = self.counts();
            counts.paragraphs = counts.paragraphs.saturating_add(1);
            let paragraph = counts.paragraphs;
            return self.write(Place::Paragraph { paragraph }, start);
        }
        self.pending.truncate(start);
        Ok(())
    }

    /// Writes the pending text from a byte on as a block.
    fn write(&mut self, place: Place, start: usize) -> Result<(), Refusal> {
        let text = self.pending.get(start..).unwrap_or_default();
        if shows(Some(text)) {
            self.writer.begin(self.region, place);
            self.writer.push_str(&std::mem::take(&mut self.lead))?;
            self.writer.push_str(text)?;
            self.writer.end();
        }
        self.pending.truncate(start);
        Ok(())
    }

    fn counts(&mut self) -> &mut Counts {
        self.counts.entry(self.region).or_default()
    }
}

fn shows(text: Option<&str>) -> bool {
    text.is_some_and(|text| text.chars().any(is_seen))
}

/// Whether the writer keeps a character and a reader sees it.
fn is_seen(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !matches!(c, '\u{ad}' | '\u{feff}' | '\u{fffe}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        pages: 10,
        text_bytes: 100,
        inflated_bytes: 1_000,
    };

    /// What a row of steps writes.
    fn written(steps: impl Fn(&mut Flow<'_>) -> Result<(), Refusal>) -> (String, Vec<Place>) {
        let mut writer = Writer::new(&LIMITS);
        let mut flow = Flow::new(&mut writer, &LIMITS);
        steps(&mut flow).unwrap();
        flow.enter(Region::Body).unwrap();
        let (text, blocks) = writer.finish();
        (text, blocks.iter().map(|block| block.place).collect())
    }

    fn paragraph(flow: &mut Flow<'_>, text: &str) -> Result<(), Refusal> {
        flow.begin_paragraph();
        flow.push_str(text)?;
        flow.close()
    }

    fn cell(table: u32, row: u32, column: u32) -> Place {
        Place::Cell { table, row, column }
    }

    #[test]
    fn a_text_box_stands_before_the_paragraph_around_it() {
        let (text, places) = written(|flow| {
            flow.begin_paragraph();
            flow.push_str("around ")?;
            flow.begin_frame()?;
            paragraph(flow, "inside")?;
            flow.close()?;
            flow.push_str("it")?;
            flow.close()
        });
        assert_eq!(text, "inside\n\naround it");
        assert_eq!(places, [1, 2].map(|paragraph| Place::Paragraph { paragraph }));
    }

    #[test]
    fn a_table_in_a_cell_stands_between_the_texts_of_the_cell() {
        let (text, places) = written(|flow| {
            flow.begin_table()?;
            flow.begin_row(1)?;
            flow.begin_cell()?;
            paragraph(flow, "a")?;
            paragraph(flow, "b")?;
            flow.begin_table()?;
            flow.begin_row(1)?;
            flow.begin_cell()?;
            paragraph(flow, "c")?;
            (0..3).try_for_each(|_| flow.close())?;
            paragraph(flow, "d")?;
            flow.widen_cell(2);
            flow.close()?;
            flow.begin_cell()?;
            paragraph(flow, "e")
        });
        assert_eq!(text, "a\nb\n\nc\n\nd\te");
        assert_eq!(places, [cell(1, 1, 1), cell(2, 1, 1), cell(1, 1, 1), cell(1, 1, 3)]);
    }

    #[test]
    fn a_paragraph_without_its_mark_goes_on_in_the_next() {
        let (text, places) = written(|flow| {
            flow.begin_paragraph();
            flow.push_str("sen")?;
            flow.join()?;
            paragraph(flow, "tence")?;
            flow.begin_paragraph();
            flow.push_str("last")?;
            flow.join()
        });
        assert_eq!(text, "sentence\n\nlast");
        assert_eq!(places.len(), 2);
    }

    #[test]
    fn a_label_alone_is_no_paragraph() {
        let (text, places) = written(|flow| {
            flow.begin_paragraph();
            flow.label("1. ")?;
            flow.close()?;
            flow.begin_paragraph();
            flow.label("2. ")?;
            flow.push_str("two")?;
            flow.close()
        });
        assert_eq!(text, "2. two");
        assert_eq!(places, [Place::Paragraph { paragraph: 1 }]);
    }

    #[test]
    fn cells_and_rows_without_a_table_are_paragraphs() {
        let (text, places) = written(|flow| {
            flow.begin_cell()?;
            paragraph(flow, "a")?;
            flow.close()?;
            flow.begin_row(1)?;
            flow.begin_cell()?;
            paragraph(flow, "b")
        });
        assert_eq!(text, "a\n\nb");
        assert_eq!(places, [1, 2].map(|paragraph| Place::Paragraph { paragraph }));
    }

    #[test]
    fn text_that_is_not_written_yet_has_the_limit_of_all_text() {
        let mut writer = Writer::new(&LIMITS);
        let mut flow = Flow::new(&mut writer, &LIMITS);
        flow.begin_paragraph();
        assert_eq!(flow.push_str(&"a".repeat(60)), Ok(()));
        flow.begin_paragraph();
        assert_eq!(flow.push_str(&" ".repeat(41)), Err(Refusal::TextTooLarge { max: 100 }));
    }
}
