#![doc = include_str!("../README.md")]

mod blanks;
mod extractor;
#[cfg(fuzzing)]
pub mod fuzzing;
mod kind;
pub mod limits;
mod parse;
mod plain;
pub mod refusal;
pub mod sandbox;
pub mod way;
mod writer;

use docket_contract::coverage::Coverage;
use docket_contract::text_map::TextMap;

pub use blanks::is_blank;
pub use extractor::{
    CHILD_COMMAND, ExtractError, Extractor, File, ParseSettings, Parsed, ParserError, Reading, Size, Source,
    place_for_any_scan, serve_if_child,
};
pub use plain::text as plain_text;

/// The text that a model reads and that is stored beside the document.
#[derive(Debug, Clone, PartialEq)]
pub struct ExtractedText {
    /// The whole text.
    pub text: String,
    /// Bytes of the text, ascending, at which a U+FFFD stands for a NUL. Such a U+FFFD separates words; any other stands for a
    /// letter that was lost earlier.
    pub nuls: Vec<usize>,
    /// Where each part of the text stands. A plain text has none: its lines, and its pages by form feeds, are counted.
    pub map: Option<TextMap>,
    /// What of the document was read.
    pub coverage: Coverage,
}

impl From<String> for ExtractedText {
    /// A plain text. PostgreSQL cannot store a NUL in text, so each becomes a U+FFFD.
    fn from(text: String) -> Self {
        let (text, nuls) = plain::without_nuls(text);
        Self {
            text,
            nuls,
            map: None,
            coverage: Coverage::default(),
        }
    }
}

impl ExtractedText {
    /// Whether the character `c`, at this byte of the text, separates words.
    pub fn is_blank_at(&self, byte: usize, c: char) -> bool {
        is_blank(c) || (c == char::REPLACEMENT_CHARACTER && self.nuls.binary_search(&byte).is_ok())
    }
}
