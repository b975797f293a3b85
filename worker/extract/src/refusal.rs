//! Why a document cannot be read. Trying again helps in none of these cases.

use serde::{Deserialize, Serialize};

use crate::kind::Kind;
use crate::limits::CONTROLS_PERCENT_MAX;

/// Why a document cannot be read. The text is what the caller reads: it names the limit, the value and the setting, and holds
/// nothing of the document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The document needs a password that nobody gave, or another one.
    #[error("the document is encrypted, and its password is missing or wrong")]
    Encrypted,
    /// The document breaks the rules of its format, so that no part of its text can be trusted to be found.
    #[error("the document is no valid {format}: {problem}")]
    Malformed {
        /// The format that was tried, as people call it: `PDF`, `DOCX`.
        format: Format,
        /// What is wrong, in a few words of our own.
        problem: Problem,
    },
    /// The document is of a kind that is not read.
    #[error("the document is {found}, which is not read")]
    Unsupported {
        /// What the document is.
        found: Kind,
    },
    /// The bytes are no text, as a share of control characters shows.
    #[error(
        "the document is no text: {controls} of its {characters} characters are control characters, and at most \
         {CONTROLS_PERCENT_MAX}% may be"
    )]
    NoText {
        /// Control characters other than white space.
        controls: usize,
        /// Characters in all.
        characters: usize,
    },
    /// The document's caller named a character set that is not known.
    #[error("the character set that was declared is not known")]
    UnknownCharset,
    /// More pages than a document may have.
    #[error("the document has {pages} pages, and may have {max} (DOCKET_PAGES_MAX)")]
    TooManyPages {
        /// Pages of the document.
        pages: u32,
        /// Most pages.
        max: u32,
    },
    /// More text than a document may have.
    #[error("the document's text has more than {max} bytes (DOCKET_TEXT_BYTES_MAX)")]
    TextTooLarge {
        /// Most bytes of text.
        max: usize,
    },
    /// What is compressed in the document becomes too large.
    #[error("what is compressed in the document has more than {max} bytes (DOCKET_INFLATED_BYTES_MAX)")]
    InflatedTooLarge {
        /// Most bytes.
        max: u64,
    },
    /// What is compressed in the document grows more than any real document.
    #[error("what is compressed in the document grows more than {max} times")]
    InflatesTooMuch {
        /// Largest ratio.
        max: u64,
    },
    /// Too deep a nesting.
    #[error("the document nests its parts more than {max} deep")]
    TooDeep {
        /// Deepest nesting.
        max: usize,
    },
    /// Too many parts: files of a package, attachments of a mail.
    #[error("the document has more than {max} {what}")]
    TooMany {
        /// What there is too much of.
        what: Parts,
        /// Most of them.
        max: usize,
    },
}

/// What a document may have too many of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parts {
    /// Files in a package.
    Files,
    /// Attributes of an element.
    Attributes,
    /// Parts of a mail.
    MailParts,
}

impl std::fmt::Display for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Files => "files in it",
            Self::Attributes => "attributes at one element",
            Self::MailParts => "parts",
        })
    }
}

/// A format that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// PDF.
    Pdf,
    /// Word's DOCX.
    Docx,
    /// OpenDocument text.
    Odt,
    /// Rich Text Format.
    Rtf,
    /// HTML.
    Html,
    /// A mail (RFC 5322).
    Mail,
    /// A ZIP archive.
    Zip,
    /// A PNG picture.
    Png,
    /// A JPEG picture.
    Jpeg,
    /// A TIFF picture.
    Tiff,
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pdf => "PDF",
            Self::Docx => "DOCX",
            Self::Odt => "ODT",
            Self::Rtf => "RTF",
            Self::Html => "HTML",
            Self::Mail => "mail",
            Self::Zip => "ZIP archive",
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Tiff => "TIFF",
        })
    }
}

/// What is wrong with a malformed document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// The beginning or the table of contents cannot be read.
    Structure,
    /// A part that every such document has is missing.
    MissingPart,
    /// A part that is needed twice stands under one name.
    DuplicatePart,
    /// A compressed part cannot be unpacked.
    Compression,
    /// A part is no well-formed XML.
    Xml,
    /// A part declares a document type, which no such document needs and bombs are made of.
    DocType,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Structure => "its structure cannot be read",
            Self::MissingPart => "a part that it needs is missing",
            Self::DuplicatePart => "two parts of it have one name",
            Self::Compression => "a compressed part of it cannot be unpacked",
            Self::Xml => "a part of it is not well-formed XML",
            Self::DocType => "a part of it declares a document type",
        })
    }
}

impl Refusal {
    /// A malformed document.
    pub const fn malformed(format: Format, problem: Problem) -> Self {
        Self::Malformed { format, problem }
    }
}
