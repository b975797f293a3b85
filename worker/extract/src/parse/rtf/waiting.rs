//! Blocks that stand elsewhere than the text around them, until they are written.

use std::collections::VecDeque;

use docket_contract::place::{Place, Region};

/// Where a block that ended stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Finished {
    pub(super) region: Region,
    /// The block's cell; `None` for a paragraph.
    pub(super) cell: Option<Place>,
}

/// Blocks that are not written yet. Their texts share one buffer: a document may have millions of short notes.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Each block, and where its text ends.
    blocks: VecDeque<(Finished, usize)>,
    texts: String,
    /// Where the text of the first block starts.
    start: usize,
}

impl Waiting {
    /// Adds a block.
    pub(super) fn push(&mut self, finished: Finished, text: &str) {
        self.texts.push_str(text);
        self.blocks.push_back((finished, self.texts.len()));
    }

    /// Takes the first block. Its text is valid until the next call.
    pub(super) fn pop(&mut self) -> Option<(Finished, &str)> {
        if self.blocks.is_empty() {
            self.texts.clear();
            self.start = 0;
        }
        let (finished, end) = self.blocks.pop_front()?;
        let start = std::mem::replace(&mut self.start, end);
        Some((finished, self.texts.get(start..end).unwrap_or_default()))
    }

    /// How many blocks wait.
    pub(super) fn len(&self) -> usize {
        self.blocks.len()
    }
}
