#![doc = include_str!("../README.md")]

mod blanks;
mod plain;

use bytes::Bytes;
use docket_contract::media_type::{MediaType, MediaTypeError};

pub use blanks::is_blank;
use plain::CONTROLS_PERCENT_MAX;

/// Why a document cannot be read. Trying again helps none of these errors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExtractError {
    /// The media type is not one that is read.
    #[error(transparent)]
    MediaType(#[from] MediaTypeError),
    /// The bytes are not UTF-8.
    #[error("the text is not UTF-8: byte {position} is invalid")]
    InvalidUtf8 {
        /// Offset of the first invalid byte in the document, counted from 0.
        position: usize,
    },
    /// Too many control characters, as in UTF-16 without a byte order mark or in binary data: both can be valid UTF-8.
    #[error(
        "the document is no plain text: {controls} of its {characters} characters are control characters, and at most \
         {CONTROLS_PERCENT_MAX}% may be; send UTF-16 as UTF-8"
    )]
    ControlCharacters {
        /// Control characters other than white space.
        controls: usize,
        /// Characters in all.
        characters: usize,
    },
}

/// The text that a model reads and that is stored beside the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtractedText {
    /// The whole text.
    pub text: String,
    /// Where pages begin; `None` for a document without pages.
    pub pages: Option<PageTable>,
    /// Bytes of the text, ascending, at which a U+FFFD stands for a NUL. Such a U+FFFD separates words; any other stands for a
    /// letter that was lost earlier.
    pub nuls: Vec<usize>,
}

/// Where each page of a text begins.
///
/// Invariant: the starts ascend strictly, and the first is 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageTable {
    starts: Vec<usize>,
}

impl From<String> for ExtractedText {
    /// A text without pages.
    fn from(text: String) -> Self {
        Self {
            text,
            pages: None,
            nuls: Vec::new(),
        }
    }
}

impl ExtractedText {
    /// Whether the character `c`, at this byte of the text, separates words.
    pub fn is_blank_at(&self, byte: usize, c: char) -> bool {
        is_blank(c) || (c == char::REPLACEMENT_CHARACTER && self.nuls.binary_search(&byte).is_ok())
    }
}

/// Extracts a document's text. Keeps a CPU busy, so do not call it on a thread that serves sockets.
pub fn text(media_type: MediaType, bytes: Bytes) -> Result<ExtractedText, ExtractError> {
    match media_type {
        MediaType::Plain => plain::text(bytes),
    }
}

impl PageTable {
    /// The pages of a text in which a form feed ends each page but the last; `None` without a form feed.
    fn of_form_feeds(text: &str) -> Option<Self> {
        let after_feeds = text.match_indices('\u{c}').map(|(at, feed)| at + feed.len());
        let starts: Vec<usize> = std::iter::once(0).chain(after_feeds).collect();
        (starts.len() > 1).then_some(Self { starts })
    }

    /// Number of the page, counted from 1, on which a byte of the text stands.
    pub fn page_at(&self, byte: usize) -> u32 {
        let page = self.starts.partition_point(|&start| start <= byte);
        u32::try_from(page).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_feed_ends_a_page() {
        assert_eq!(PageTable::of_form_feeds("one page"), None);
        let pages = PageTable::of_form_feeds("ab\u{c}cd\u{c}").expect("there are form feeds");
        let numbers: Vec<u32> = (0..6).map(|byte| pages.page_at(byte)).collect();
        assert_eq!(numbers, [1, 1, 1, 2, 2, 2]);
        assert_eq!(pages.page_at(6), 3);
    }
}
