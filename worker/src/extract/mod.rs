//! A document's bytes -> the text that models read.
//!
//! All offsets that Docket ever gives out index this *extracted* text, which is stored beside the document, never the
//! bytes that were uploaded. One file here answers for one kind of document; only plain text exists so far.

mod blanks;
mod plain;

use bytes::Bytes;

pub use blanks::is_blank;
use plain::CONTROLS_PERCENT_MAX;

/// A kind of document that can be read. What an upload may declare is exactly what [`MediaType::parse`] takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// `text/plain`, in UTF-8.
    Plain,
}

/// Why a document cannot be read. None of these heals by trying again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExtractError {
    /// Nothing here reads this kind of document.
    #[error("documents of type {0} cannot be read")]
    UnknownMediaType(String),
    /// A character set other than UTF-8 and its subset US-ASCII.
    #[error("the character set {0} cannot be read; send UTF-8")]
    UnknownCharset(String),
    /// Not UTF-8 after all.
    #[error("the text is not UTF-8: byte {position} is invalid")]
    InvalidUtf8 {
        /// Offset of the first invalid byte in the document, counted from 0.
        position: usize,
    },
    /// UTF-16 without a byte order mark, or no text at all: both are valid UTF-8 and full of NULs or other controls.
    #[error(
        "the document is no plain text: {controls} of its {characters} characters are control characters, and at most \
         {CONTROLS_PERCENT_MAX}% may be; send UTF-16 as UTF-8"
    )]
    ControlCharacters {
        /// How many of its characters are control characters other than white space.
        controls: usize,
        /// How many characters it has.
        characters: usize,
    },
}

/// What a model reads, and what is stored beside the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtractedText {
    /// The text.
    pub text: String,
    /// Where pages begin, for documents that have pages.
    pub pages: Option<PageTable>,
    /// Bytes of the text, ascending, at which a U+FFFD stands for a NUL. It separates words; any other U+FFFD stands for a
    /// letter that was lost before.
    pub nuls: Vec<usize>,
}

/// Where each page of a text begins.
///
/// Invariant: the starts ascend strictly and the first one is 0.
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
    /// Whether the character `c` at a byte of the text stands between words.
    pub fn is_blank_at(&self, byte: usize, c: char) -> bool {
        is_blank(c) || (c == char::REPLACEMENT_CHARACTER && self.nuls.binary_search(&byte).is_ok())
    }
}

/// Reads a document. CPU-bound: call it on the [`crate::cpu::CpuPool`].
pub fn text(media_type: MediaType, bytes: Bytes) -> Result<ExtractedText, ExtractError> {
    match media_type {
        MediaType::Plain => plain::text(bytes),
    }
}

impl MediaType {
    /// Understands a `Content-Type` such as `text/plain; charset=utf-8`. Parameters other than the charset are ignored.
    pub fn parse(content_type: &str) -> Result<Self, ExtractError> {
        let mut parts = content_type.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default();
        if !essence.eq_ignore_ascii_case("text/plain") {
            return Err(ExtractError::UnknownMediaType(essence.to_owned()));
        }
        for parameter in parts {
            let Some((name, value)) = parameter.split_once('=') else {
                continue;
            };
            let value = value.trim().trim_matches('"');
            let readable = ["utf-8", "utf8", "us-ascii"]
                .iter()
                .any(|known| value.eq_ignore_ascii_case(known));
            if name.trim().eq_ignore_ascii_case("charset") && !readable {
                return Err(ExtractError::UnknownCharset(value.to_owned()));
            }
        }
        Ok(Self::Plain)
    }
}

impl PageTable {
    /// Pages of a text in which a form feed ends each page but the last; none without a form feed.
    fn of_form_feeds(text: &str) -> Option<Self> {
        let after_feeds = text.match_indices('\u{c}').map(|(at, feed)| at + feed.len());
        let starts: Vec<usize> = std::iter::once(0).chain(after_feeds).collect();
        (starts.len() > 1).then_some(Self { starts })
    }

    /// The page, counted from 1, that a byte of the text stands on.
    pub fn page_at(&self, byte: usize) -> u32 {
        let page = self.starts.partition_point(|&start| start <= byte);
        u32::try_from(page).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_taken_in_utf_8_only() {
        for good in [
            "text/plain",
            "Text/Plain;charset=UTF-8",
            "text/plain; charset=\"us-ascii\"; format=flowed",
        ] {
            assert_eq!(MediaType::parse(good), Ok(MediaType::Plain), "{good}");
        }
        for (bad, error) in [
            ("", ExtractError::UnknownMediaType(String::new())),
            (
                "application/pdf",
                ExtractError::UnknownMediaType("application/pdf".into()),
            ),
            (
                "text/plain; charset=latin1",
                ExtractError::UnknownCharset("latin1".into()),
            ),
        ] {
            assert_eq!(MediaType::parse(bad), Err(error), "{bad}");
        }
    }

    #[test]
    fn a_form_feed_ends_a_page() {
        assert_eq!(PageTable::of_form_feeds("one page"), None);
        let pages = PageTable::of_form_feeds("ab\u{c}cd\u{c}").expect("there are form feeds");
        let numbers: Vec<u32> = (0..6).map(|byte| pages.page_at(byte)).collect();
        assert_eq!(numbers, [1, 1, 1, 2, 2, 2]);
        assert_eq!(pages.page_at(6), 3);
    }
}
