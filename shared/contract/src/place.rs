//! Where a piece of a document's text stands in the document: its region and its place.

use serde::{Deserialize, Serialize};

use crate::words;

words!(
    /// What a piece of text is to a reader of the document.
    Region {
        /// The text itself.
        Body = "body",
        /// The head of a page, repeated or first, or of a section.
        Header = "header",
        /// The foot of a page or of a section.
        Footer = "footer",
        /// The number of a page.
        PageNumber = "page_number",
        /// The number of a line, as pleadings have them in the margin.
        LineNumber = "line_number",
        /// A note at the foot of a page.
        Footnote = "footnote",
        /// A note at the end.
        Endnote = "endnote",
        /// A reviewer's comment.
        Comment = "comment",
        /// What was written into a form's field, or over the page: an annotation.
        Annotation = "annotation",
        /// A line at the head of a mail: who wrote when to whom about what.
        MailHeader = "mail_header",
    }
);

/// Where a piece of text stands, in documents that are no pages. All numbers count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Place {
    /// A line of a plain text.
    Line {
        /// The line's number in the document.
        line: u32,
    },
    /// A paragraph of a text with a structure. Paragraphs are counted by region.
    Paragraph {
        /// The paragraph's number in its region.
        paragraph: u32,
    },
    /// A cell of a table.
    Cell {
        /// The table's number in its region.
        table: u32,
        /// The cell's row.
        row: u32,
        /// The cell's column.
        column: u32,
    },
}
