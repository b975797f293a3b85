//! An entity that was found in a document, and its exact place in the document's extracted text.

use std::borrow::Cow;

use crate::place::{Place, Region};
use crate::text_map::Rectangle;
use crate::thing::Thing;
use crate::words;

/// Half-open range of the extracted text, in the units that callers count in.
///
/// Invariant: all ends lie on character boundaries, and all units name the same range. The range's length in UTF-16 is that of
/// the entity's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First Unicode scalar value, counted from 0.
    pub start: u32,
    /// One past the last Unicode scalar value.
    pub end: u32,
    /// First byte of the UTF-8 text, counted from 0.
    pub start_byte: u32,
    /// One past the last byte of the UTF-8 text.
    pub end_byte: u32,
    /// First UTF-16 code unit, counted from 0; `None` in results of releases that did not count them.
    pub start_utf16: Option<u32>,
}

impl Span {
    /// The byte range, to index the text with.
    pub fn bytes(&self) -> std::ops::Range<usize> {
        self.start_byte as usize..self.end_byte as usize
    }
}

words!(
    /// What found an entity.
    Source {
        /// The model of the job.
        Model = "model",
        /// A recogniser: a rule for things whose form tells what they are, such as sums and citations.
        Recogniser = "recogniser",
        /// The rest of the text: a name that is sure in one place, found in another.
        Carried = "carried",
    }
);

/// One finding. Findings of one analysis have ordinals, from 1 in the order of the text. `text` equals the extracted text at `span`.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// The model's own name for the kind of entity, for instance `COURT`, or the recogniser's.
    pub label: String,
    /// The entity's text, exactly as in the extracted text.
    pub text: String,
    /// Where the entity stands in the extracted text.
    pub span: Span,
    /// Page, counted from 1, for formats that have pages.
    pub page: Option<u32>,
    /// What the text around the entity is to a reader.
    pub region: Region,
    /// The line, paragraph or cell, for formats without pages.
    pub place: Option<Place>,
    /// Where the entity stands on its page, one rectangle a line, for formats whose pages show it.
    pub boxes: Vec<Rectangle>,
    /// The probability that the model gives to the whole entity, 0 to 1. An entity that only a recogniser found has 1, and a carried
    /// one has the score of the mention that it comes from.
    pub score: f32,
    /// What found the entity.
    pub source: Source,
    /// The recogniser that knows the entity's form, for instance `money`, whether or not the model found the entity too.
    pub recogniser: Option<Cow<'static, str>>,
    /// What the entity means, as the recogniser reads its form: JSON, an object with a `kind`.
    pub value: Option<Box<str>>,
    /// The first mention of the thing that the entity is a mention of, as its ordinal; `None` for what is no thing, such as a date.
    pub canonical: Option<u32>,
    /// The mention that this one was carried from, as its ordinal.
    pub carried_from: Option<u32>,
    /// What the mentions of the thing are together, at the first of them.
    pub thing: Option<Box<Thing>>,
}
