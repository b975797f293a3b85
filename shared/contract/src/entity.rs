//! An entity that a model found, and its exact place in the document's extracted text.

use serde::{Deserialize, Serialize};

/// Half-open range of the extracted text, in characters and in bytes, since callers need both.
///
/// Invariant: all ends lie on character boundaries, and both pairs name the same range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First Unicode scalar value, counted from 0.
    pub start: u32,
    /// One past the last Unicode scalar value.
    pub end: u32,
    /// First byte of the UTF-8 text, counted from 0.
    pub start_byte: u32,
    /// One past the last byte of the UTF-8 text.
    pub end_byte: u32,
}

impl Span {
    /// The byte range, to index the text with.
    pub fn bytes(&self) -> std::ops::Range<usize> {
        self.start_byte as usize..self.end_byte as usize
    }
}

/// One finding of a model. `text` equals the extracted text at `span`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// The model's own name for the kind of entity, for instance `COURT`.
    pub label: String,
    /// The entity's text, exactly as in the extracted text.
    pub text: String,
    /// Where the entity stands in the extracted text.
    pub span: Span,
    /// Page, counted from 1, for formats that have pages.
    pub page: Option<u32>,
    /// The probability that the model gives to the whole entity, 0 to 1.
    pub score: f32,
}
