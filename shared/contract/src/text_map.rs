//! The map of a document's text: which page, which box on the page, which paragraph or cell a character stands in.

mod boxes;
mod check;
mod read;
mod write;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::place::{Place, Region};
use crate::words;

pub use check::MapMismatch;
pub use read::{Index, InvalidMap};

words!(
    /// How the text of a page was had.
    Reading {
        /// The page has a text layer, and the layer was read.
        Text = "text",
        /// The page has no text layer, and its picture was read by OCR.
        Ocr = "ocr",
        /// The page has nothing that could be text.
        Empty = "empty",
        /// The page has a picture and no text layer, and OCR is off.
        NoTextLayer = "no_text_layer",
        /// The page has a text layer whose characters cannot be told, and OCR is off.
        Undecodable = "undecodable",
        /// The page cannot be opened.
        Unreadable = "unreadable",
        /// OCR of the page failed, or took too long.
        OcrFailed = "ocr_failed",
        /// The upload asked for other pages.
        NotAsked = "not_asked",
        /// The time for OCR of the document was over before this page.
        OcrLimit = "ocr_limit",
    }
);

/// The box of a character on its page, in the page's steps from the top left corner of the page as shown. A character without a
/// shape of its own, such as a blank that was inferred, has an empty box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CharBox {
    /// Left edge.
    pub left: i16,
    /// Upper edge.
    pub top: i16,
    /// Right edge.
    pub right: i16,
    /// Lower edge.
    pub bottom: i16,
}

/// A rectangle on a page, in points (1/72 inch) from the top left corner of the page as shown.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Rectangle {
    /// Left edge.
    pub left: f32,
    /// Upper edge.
    pub top: f32,
    /// Right edge.
    pub right: f32,
    /// Lower edge.
    pub bottom: f32,
}

/// A page of a PDF or of a scan.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Number of the page in the document, from 1.
    pub number: u32,
    /// The page's bytes in the text.
    pub bytes: Range<u32>,
    /// The page's characters (Unicode scalar values) in the text.
    pub chars: Range<u32>,
    /// Width in points, as shown.
    pub width: f32,
    /// Height in points, as shown.
    pub height: f32,
    /// How the text was had.
    pub reading: Reading,
    /// How sure OCR is of the page's average character, in percent, for a page in which OCR found one.
    pub confidence: Option<u8>,
    /// One box for each character of `chars`, in steps of [`Page::step`] points.
    pub boxes: Vec<CharBox>,
}

/// A part of the text that stands in one region and place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The block's bytes in the text.
    pub bytes: Range<u32>,
    /// What the block is to a reader.
    pub region: Region,
    /// Where the block stands, in documents without pages.
    pub place: Option<Place>,
}

/// The map of a text. Pages and blocks ascend and do not overlap.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TextMap {
    /// The pages, for documents that have some.
    pub pages: Vec<Page>,
    /// The blocks. Characters outside of blocks separate them.
    pub blocks: Vec<Block>,
}

/// Most steps of a page's longer side.
const STEPS_MAX: f32 = 32_000.0;
/// Points of a step, on all pages but very large ones.
const STEP: f32 = 0.1;

impl Page {
    /// Points of one step of the boxes on a page of this size: a tenth, or more where a tenth would not reach across the page.
    pub fn step(width: f32, height: f32) -> f32 {
        (width.max(height) / STEPS_MAX).max(STEP)
    }
}

impl TextMap {
    /// The page on which a byte of the text stands; the page before it for a form feed between two pages.
    pub fn page_at(&self, byte: u32) -> Option<&Page> {
        let after = self.pages.partition_point(|page| page.bytes.start <= byte);
        after.checked_sub(1).and_then(|at| self.pages.get(at))
    }

    /// The block in which a byte of the text stands.
    pub fn block_at(&self, byte: u32) -> Option<&Block> {
        let after = self.blocks.partition_point(|block| block.bytes.start <= byte);
        let block = after.checked_sub(1).and_then(|at| self.blocks.get(at))?;
        block.bytes.contains(&byte).then_some(block)
    }

    /// Memory that the map takes, in bytes, about.
    pub fn memory_bytes(&self) -> usize {
        let boxes: usize = self.pages.iter().map(|page| page.boxes.len()).sum();
        boxes * size_of::<CharBox>() + self.pages.len() * size_of::<Page>() + self.blocks.len() * size_of::<Block>()
    }
}
