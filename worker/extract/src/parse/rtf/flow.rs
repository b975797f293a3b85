//! Makes paragraphs and cells of the text. What stands elsewhere on the page, such as a note, is written after the paragraph or the
//! table that it stands in, so that it does not tear the sentence.

use docket_contract::place::{Place, Region};

use super::waiting::{Finished, Waiting};
use crate::refusal::Refusal;
use crate::writer::Writer;

/// Makes paragraphs and cells.
pub(super) struct Flow<'w> {
    writer: &'w mut Writer,
    counts: AllCounts,
    body: Stream,
    /// Texts that stand elsewhere and are not ended, each within the one before.
    asides: Vec<Stream>,
    /// Blocks of texts that stand elsewhere, not written yet.
    waiting: Waiting,
    /// How many of those came before the text of the body's open block.
    before: usize,
}

/// How many paragraphs and tables a region has.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    paragraphs: u32,
    tables: u32,
}

/// A text: the body, a header, a note.
#[derive(Debug)]
struct Stream {
    region: Region,
    /// The open block's text.
    text: String,
    /// How many tables the open block stands in.
    level: usize,
    /// The tables that are open, each within the one before.
    tables: Vec<Table>,
}

#[derive(Debug)]
struct Table {
    level: usize,
    number: u32,
    row: u32,
    column: u32,
}

impl Stream {
    fn new(region: Region) -> Self {
        Self {
            region,
            text: String::new(),
            level: 0,
            tables: Vec::new(),
        }
    }

    /// Where the open block stands. A block without a character that is seen is none.
    fn finished(&self) -> Option<Finished> {
        let is_seen = self.text.chars().any(|c| !c.is_whitespace() && !c.is_control());
        let table = self.tables.last().filter(|_| self.level > 0);
        is_seen.then(|| Finished {
            region: self.region,
            cell: table.map(Table::place),
        })
    }

    /// Makes the table of this level the innermost.
    fn enter(&mut self, level: usize, counts: &mut Counts) {
        self.tables
            .truncate(self.tables.partition_point(|table| table.level <= level));
        self.level = level;
        if level == 0 {
            return;
        }
        let levels = if self.tables.is_empty() && level > 1 {
            &[1, level][..]
        } else {
            &[level]
        };
        for &level in levels {
            if self.tables.last().is_none_or(|table| table.level < level) {
                counts.tables = counts.tables.saturating_add(1);
                self.tables.push(Table {
                    level,
                    number: counts.tables,
                    row: 1,
                    column: 1,
                });
            }
        }
    }
}

impl Table {
    fn place(&self) -> Place {
        Place::Cell {
            table: self.number,
            row: self.row,
            column: self.column,
        }
    }
}

impl<'w> Flow<'w> {
    pub(super) fn new(writer: &'w mut Writer) -> Self {
        Self {
            writer,
            counts: [Counts::default(); Region::ALL.len()],
            body: Stream::new(Region::Body),
            asides: Vec::new(),
            waiting: Waiting::default(),
            before: 0,
        }
    }

    /// Adds text that stands in so many tables.
    pub(super) fn text(&mut self, text: &str, level: usize) -> Result<(), Refusal> {
        self.begin(level)?;
        self.stream().text.push_str(text);
        Ok(())
    }

    /// Adds a character.
    pub(super) fn character(&mut self, c: char, level: usize) -> Result<(), Refusal> {
        self.begin(level)?;
        self.stream().text.push(c);
        Ok(())
    }

    /// Begins a block, unless one is open that stands in as many tables.
    fn begin(&mut self, level: usize) -> Result<(), Refusal> {
        if !self.stream().text.is_empty() && self.stream().level != level {
            self.end_block()?;
        }
        if self.stream().text.is_empty() {
            if self.asides.is_empty() {
                self.before = self.waiting.len();
            }
            // Some programs forget to mark what stands in a table, and only the end of the cell tells.
            if level > 0 {
                self.enter(level);
            }
            self.stream().level = level;
        }
        Ok(())
    }

    fn enter(&mut self, level: usize) {
        let stream = self.asides.last_mut().unwrap_or(&mut self.body);
        if let Some(counts) = self.counts.get_mut(stream.region as usize) {
            stream.enter(level, counts);
        }
    }

    /// Ends a paragraph; within a table, a line of a cell.
    pub(super) fn end_paragraph(&mut self, level: usize) -> Result<(), Refusal> {
        if level > 0 {
            let stream = self.stream();
            if stream.text.is_empty() {
                self.enter(level);
            } else {
                stream.text.push('\n');
            }
            return Ok(());
        }
        self.end_block()?;
        self.stream().tables.clear();
        if self.asides.is_empty() {
            self.write_waiting(usize::MAX)
        } else {
            Ok(())
        }
    }

    /// Ends a cell of a table of this level.
    pub(super) fn end_cell(&mut self, level: usize) -> Result<(), Refusal> {
        let stream = self.stream();
        if !stream.text.is_empty() && stream.level > level {
            self.end_block()?;
        }
        self.enter(level);
        self.end_block()?;
        if let Some(table) = self.stream().tables.last_mut() {
            table.column = table.column.saturating_add(1);
        }
        Ok(())
    }

    /// Ends a row of a table of this level.
    pub(super) fn end_row(&mut self, level: usize) -> Result<(), Refusal> {
        self.end_block()?;
        self.enter(level);
        if let Some(table) = self.stream().tables.last_mut() {
            (table.row, table.column) = (table.row.saturating_add(1), 1);
        }
        Ok(())
    }

    /// Begins a text that stands elsewhere; without a region, in the region of the text around it.
    pub(super) fn begin_aside(&mut self, region: Option<Region>) -> Result<(), Refusal> {
        let region = region.unwrap_or(self.stream().region);
        self.asides.push(Stream::new(region));
        Ok(())
    }

    /// Makes the note one that stands at the end.
    pub(super) fn become_endnote(&mut self) {
        if let Some(note) = self.asides.last_mut().filter(|aside| aside.region == Region::Footnote) {
            note.region = Region::Endnote;
        }
    }

    /// Ends a text that stands elsewhere.
    pub(super) fn end_aside(&mut self) -> Result<(), Refusal> {
        self.end_block()?;
        self.asides.pop();
        let is_between = self.asides.is_empty() && self.body.text.is_empty() && self.body.tables.is_empty();
        if is_between {
            self.write_waiting(usize::MAX)
        } else {
            Ok(())
        }
    }

    /// Ends the document.
    pub(super) fn finish(mut self) -> Result<(), Refusal> {
        while !self.asides.is_empty() {
            self.end_aside()?;
        }
        self.end_block()?;
        self.write_waiting(usize::MAX)
    }

    fn stream(&mut self) -> &mut Stream {
        self.asides.last_mut().unwrap_or(&mut self.body)
    }

    fn end_block(&mut self) -> Result<(), Refusal> {
        let finished = self.stream().finished();
        let mut text = std::mem::take(&mut self.stream().text);
        if let Some(finished) = finished {
            self.put(finished, &text)?;
        }
        text.clear();
        self.stream().text = text;
        Ok(())
    }

    fn put(&mut self, finished: Finished, text: &str) -> Result<(), Refusal> {
        if !self.asides.is_empty() {
            self.waiting.push(finished, text);
            return Ok(());
        }
        if finished.cell.is_none() {
            let before = std::mem::take(&mut self.before);
            self.write_waiting(before)?;
        }
        write(self.writer, &mut self.counts, finished, text)
    }

    /// Writes the first blocks that stand elsewhere.
    fn write_waiting(&mut self, most: usize) -> Result<(), Refusal> {
        for _ in 0..most {
            let Some((finished, text)) = self.waiting.pop() else {
                break;
            };
            write(self.writer, &mut self.counts, finished, text)?;
        }
        Ok(())
    }
}

type AllCounts = [Counts; Region::ALL.len()];

fn write(writer: &mut Writer, counts: &mut AllCounts, finished: Finished, text: &str) -> Result<(), Refusal> {
    let place = finished.cell.unwrap_or_else(|| next_paragraph(counts, finished.region));
    writer.begin(finished.region, place);
    writer.push_str(text)?;
    writer.end();
    Ok(())
}

fn next_paragraph(counts: &mut AllCounts, region: Region) -> Place {
    let counts = counts.get_mut(region as usize);
    let paragraph = counts.map_or(1, |counts| {
        counts.paragraphs = counts.paragraphs.saturating_add(1);
        counts.paragraphs
    });
    Place::Paragraph { paragraph }
}
