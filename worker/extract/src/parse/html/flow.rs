//! Makes paragraphs and cells of a page's text, and collapses white space as browsers do.

use docket_contract::place::{Place, Region};

use crate::refusal::Refusal;
use crate::writer::Writer;

/// Most columns that a cell spans. The HTML standard has this number.
const COLUMNS_SPANNED_MAX: u32 = 1_000;
/// Most rows that a cell spans. The HTML standard has this number.
const ROWS_SPANNED_MAX: u32 = 65_534;
/// Columns of a table in which a cell that spans rows moves the cells below. Cells further right count without.
const COLUMNS_TRACKED: usize = 64;

/// Makes paragraphs and cells.
pub(super) struct Flow<'w> {
    writer: &'w mut Writer,
    /// Whether the text is the page's title.
    is_title: bool,
    paragraphs: u32,
    titles: u32,
    tables_seen: u32,
    tables: Vec<Table>,
    is_open: bool,
    gap: Gap,
    after_return: bool,
}

/// White space that is written once a character that is seen follows.
#[derive(Debug, Default, Clone, Copy)]
struct Gap {
    lines: u32,
    blank: bool,
}

/// A table that is open.
#[derive(Debug, Default)]
struct Table {
    number: u32,
    row: u32,
    /// The cell's first column, or the last column of the cell before.
    column: u32,
    /// Columns that the cell spans.
    span: u32,
    in_cell: bool,
    /// For each of the first columns the row in which the column is free again.
    free_from: Vec<u32>,
}

impl<'w> Flow<'w> {
    pub(super) fn new(writer: &'w mut Writer) -> Self {
        Self {
            writer,
            is_title: false,
            paragraphs: 0,
            titles: 0,
            tables_seen: 0,
            tables: Vec::new(),
            is_open: false,
            gap: Gap::default(),
            after_return: false,
        }
    }

    /// Adds text.
    pub(super) fn text(&mut self, text: &str, is_preformatted: bool) -> Result<(), Refusal> {
        text.chars().try_for_each(|c| self.character(c, is_preformatted))
    }

    fn character(&mut self, c: char, is_preformatted: bool) -> Result<(), Refusal> {
        let follows_return = std::mem::replace(&mut self.after_return, c == '\r');
        match c {
            '\n' | '\r' if is_preformatted => {
                if !(c == '\n' && follows_return) {
                    self.break_line();
                }
            }
            ' ' | '\t' if is_preformatted => return self.fixed_blank(c),
            ' ' | '\t' | '\n' | '\r' | '\u{c}' => self.blank(),
            c if c.is_whitespace() => return self.fixed_blank(c),
            c if c.is_control() => {}
            c => {
                self.open();
                self.fill_gap()?;
                return self.writer.push(c);
            }
        }
        Ok(())
    }

    /// Adds a blank that does not collapse.
    fn fixed_blank(&mut self, c: char) -> Result<(), Refusal> {
        if !self.is_open {
            return Ok(());
        }
        self.fill_gap()?;
        self.writer.push(c)
    }

    /// Separates what stands before from what follows by at least a blank.
    pub(super) fn blank(&mut self) {
        self.gap.blank = true;
    }

    /// Ends a line.
    pub(super) fn break_line(&mut self) {
        self.gap.lines = self.gap.lines.saturating_add(1);
    }

    /// Ends a paragraph; within a cell, a line.
    pub(super) fn boundary(&mut self) {
        if self.cell().is_some() && !self.is_title {
            self.gap.lines = self.gap.lines.max(1);
        } else {
            self.close();
        }
    }

    fn fill_gap(&mut self) -> Result<(), Refusal> {
        let gap = std::mem::take(&mut self.gap);
        if gap.lines > 0 {
            return (0..gap.lines).try_for_each(|_| self.writer.push('\n'));
        }
        if gap.blank { self.writer.push(' ') } else { Ok(()) }
    }

    /// Begins a block where the text stands, unless one is open.
    fn open(&mut self) {
        if self.is_open {
            return;
        }
        self.is_open = true;
        self.gap = Gap::default();
        let (region, place) = if self.is_title {
            (Region::Header, next_paragraph(&mut self.titles))
        } else {
            let cell = self.cell();
            (
                Region::Body,
                cell.unwrap_or_else(|| next_paragraph(&mut self.paragraphs)),
            )
        };
        self.writer.begin(region, place);
    }

    fn close(&mut self) {
        self.writer.end();
        self.is_open = false;
        self.gap = Gap::default();
    }

    /// The cell in which the text stands.
    fn cell(&self) -> Option<Place> {
        let table = self.tables.iter().rev().find(|table| table.in_cell)?;
        Some(Place::Cell {
            table: table.number,
            row: table.row,
            column: table.column,
        })
    }

    /// Begins or ends the page's title.
    pub(super) fn set_title(&mut self, is_title: bool) {
        self.close();
        self.is_title = is_title;
    }

    /// Whether a table is open.
    pub(super) fn is_in_table(&self) -> bool {
        !self.tables.is_empty()
    }

    /// Begins a table.
    pub(super) fn begin_table(&mut self) {
        self.close();
        self.tables_seen = self.tables_seen.saturating_add(1);
        self.tables.push(Table {
            number: self.tables_seen,
            ..Table::default()
        });
    }

    /// Ends the innermost table.
    pub(super) fn end_table(&mut self) {
        self.close();
        self.tables.pop();
    }

    /// Begins a row.
    pub(super) fn begin_row(&mut self) {
        self.close();
        if let Some(table) = self.tables.last_mut() {
            table.begin_row();
        }
    }

    /// Begins a cell that spans so many columns and rows.
    pub(super) fn begin_cell(&mut self, columns: u32, rows: u32) {
        self.close();
        if let Some(table) = self.tables.last_mut() {
            table.begin_cell(columns.clamp(1, COLUMNS_SPANNED_MAX), rows.clamp(1, ROWS_SPANNED_MAX));
        }
    }

    /// Ends a cell.
    pub(super) fn end_cell(&mut self) {
        self.close();
        if let Some(table) = self.tables.last_mut() {
            table.in_cell = false;
        }
    }
}

impl Table {
    fn begin_row(&mut self) {
        self.row = self.row.saturating_add(1);
        (self.column, self.span, self.in_cell) = (0, 1, false);
    }

    fn begin_cell(&mut self, columns: u32, rows: u32) {
        if self.row == 0 {
            self.begin_row();
        }
        self.column = self.column.saturating_add(self.span);
        while self.free_from(self.column) > self.row {
            self.column = self.column.saturating_add(1);
        }
        (self.span, self.in_cell) = (columns, true);
        if rows > 1 {
            self.take_rows(columns, self.row.saturating_add(rows));
        }
    }

    /// The row in which a column is free again, if the column is tracked.
    fn free_from(&self, column: u32) -> u32 {
        usize::try_from(column)
            .ok()
            .and_then(|column| self.free_from.get(column))
            .copied()
            .unwrap_or(0)
    }

    fn take_rows(&mut self, columns: u32, free_from: u32) {
        self.free_from.resize(COLUMNS_TRACKED.saturating_add(1), 0);
        let first = usize::try_from(self.column).unwrap_or(usize::MAX);
        let columns = usize::try_from(columns).unwrap_or(usize::MAX);
        self.free_from
            .iter_mut()
            .skip(first)
            .take(columns)
            .for_each(|free| *free = free_from);
    }
}

fn next_paragraph(paragraphs: &mut u32) -> Place {
    *paragraphs = paragraphs.saturating_add(1);
    Place::Paragraph { paragraph: *paragraphs }
}
