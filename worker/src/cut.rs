//! A text on its way through the pipeline, cut into windows.

use std::sync::Arc;

use docket_contract::text_map::TextMap;
use docket_engine::window::Windows;
use docket_extract::ExtractedText;

use crate::admit::memory::Contents;

/// A text and its windows. Clones share both.
#[derive(Clone)]
pub(crate) struct Cut {
    pub(crate) text: Arc<ExtractedText>,
    pub(crate) windows: Arc<Windows>,
}

impl Cut {
    /// What the text takes in memory, with so many entities of the model.
    pub(crate) fn contents(&self, entities: usize) -> Contents {
        Contents {
            tokens: self.windows.tokens().len(),
            entities,
            ..contents(&self.text)
        }
    }
}

/// What a text alone takes in memory.
pub(crate) fn contents(text: &ExtractedText) -> Contents {
    Contents {
        text_bytes: text.text.len(),
        map_bytes: text.map.as_ref().map_or(0, TextMap::memory_bytes),
        ..Contents::default()
    }
}
