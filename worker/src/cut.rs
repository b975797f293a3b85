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
    /// What the text takes in memory, with so many entities of the model and things that recognisers found.
    pub(crate) fn contents(&self, entities: usize, recognised: usize) -> Contents {
        Contents {
            text_bytes: self.text.text.len(),
            map_bytes: self.text.map.as_ref().map_or(0, TextMap::memory_bytes),
            tokens: self.windows.tokens().len(),
            entities,
            recognised,
        }
    }
}
