//! An entity that a model found in a document's extracted text, and where exactly it stands.

use serde::{Deserialize, Serialize};

/// Half-open range of the extracted text, in both units callers need.
///
/// Invariant: both ends lie on character boundaries and both pairs name the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First Unicode scalar value, counted from 0.
    pub start: u32,
    /// One past the last Unicode scalar value.
    pub end: u32,
    /// First byte of the UTF-8 text, counted from 0.
    pub start_byte: u32,
    /// One past the last byte.
    pub end_byte: u32,
}

impl Span {
    /// The byte range, to index the text with.
    pub fn bytes(&self) -> std::ops::Range<usize> {
        self.start_byte as usize..self.end_byte as usize
    }
}

/// One finding. `text` equals the extracted text at `span`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// The model's own name for the kind of thing, for instance `COURT`.
    pub label: String,
    /// The surface text, exactly as in the document.
    pub text: String,
    /// Where it stands.
    pub span: Span,
    /// Page, counted from 1, for formats that have pages.
    pub page: Option<u32>,
    /// The probability that the model gives to the entity as a whole, 0 to 1.
    pub score: f32,
}
