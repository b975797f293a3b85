//! What holds within a group.

/// Whether the text of a group is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// The text is read.
    Shown,
    /// Neither the text nor any group within is read.
    Skipped,
    /// The text is not read, but certain groups within are.
    Container,
    /// Only the ends of rows are read.
    RowsOnly,
}

/// What holds within a group. A group within begins with the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    pub(super) reading: Reading,
    /// Whether the group began with `\*`: it may be skipped by programs that do not know it.
    pub(super) may_be_skipped: bool,
    pub(super) in_fonts: bool,
    pub(super) begins_aside: bool,
    pub(super) is_hidden: bool,
    pub(super) is_deleted: bool,
    /// The font; `None` for the document's font.
    pub(super) font: Option<i32>,
    /// Characters after a character in Unicode which stand for it in programs without Unicode.
    pub(super) substitutes: usize,
    pub(super) in_table: bool,
    pub(super) table_level: usize,
}

/// What holds before the first group says otherwise.
pub(super) const OUTERMOST: Group = Group {
    reading: Reading::Shown,
    may_be_skipped: false,
    in_fonts: false,
    begins_aside: false,
    is_hidden: false,
    is_deleted: false,
    font: None,
    substitutes: 1,
    in_table: false,
    table_level: 0,
};

impl Group {
    /// Whether text here is read.
    pub(super) fn is_read(&self) -> bool {
        self.reading == Reading::Shown && !self.is_hidden && !self.is_deleted
    }

    /// How many tables the text stands in.
    pub(super) fn level(&self) -> usize {
        self.table_level.max(usize::from(self.in_table))
    }
}
