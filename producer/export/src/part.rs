//! The parts that an export is made of, and how a format asks for them.

use docket_contract::text_map::Page;

use crate::found::Found;

/// The part that an export wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// The next piece of the text, or its end. After its end the text begins again.
    Text,
    /// The next entity, or the end of the entities.
    Entity,
    /// The page at this place in [`crate::Document::pdf_pages`], with its boxes and its text.
    Page(usize),
    /// The next piece of the document as it was uploaded, or its end.
    Original,
    /// Nothing: the export is complete.
    Nothing,
}

/// A part of what is exported.
#[derive(Debug)]
pub enum Part<'a> {
    /// A piece of the text.
    Text(&'a str),
    /// The text has ended.
    TextEnd,
    /// An entity. Entities come in the order of the text.
    Entity(Found),
    /// The entities have ended.
    EntityEnd,
    /// A page with its boxes, and its text.
    Page(&'a Page, &'a str),
    /// A piece of the document as it was uploaded.
    Original(&'a [u8]),
    /// The uploaded document has ended.
    OriginalEnd,
}

/// Why an export cannot be completed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The stored offsets and the stored text disagree.
    #[error("entity {ordinal} does not stand in the text where its offsets say")]
    Misplaced {
        /// The entity's number.
        ordinal: i32,
    },
    /// The analysis is of a release that did not count in UTF-16.
    #[error("entity {ordinal} has no offset in UTF-16")]
    NotCounted {
        /// The entity's number.
        ordinal: i32,
    },
    /// The caller of [`crate::Export::take`] gave another part than the export wanted.
    #[error("an export got a part that it had not asked for")]
    NotWanted,
    /// The ZIP cannot be written.
    #[error("write the archive")]
    Archive(#[from] zip::result::ZipError),
    /// A file in the ZIP cannot be written.
    #[error("write a file of the archive")]
    ArchivedFile(#[from] std::io::Error),
}

/// A format at work.
pub(crate) trait Writer: Send {
    /// The part that comes next.
    fn wants(&self) -> Want;
    /// Takes the part that was wanted, and appends what can be written now.
    fn take(&mut self, part: Part<'_>, out: &mut Vec<u8>) -> Result<(), ExportError>;
}
