//! The windows of a corpus, cut by the worker's own code.

use std::path::Path;

use anyhow::{Context, Result};
use docket_engine::infer::manifest::{Manifest, TOKENIZER_FILE};
use docket_engine::window::{Splitter, TextTokenizer};

/// A corpus as the model reads it.
#[derive(Debug)]
pub struct Cut {
    /// Token ids of each window, special tokens included.
    pub windows: Vec<Vec<u32>>,
    /// Tokens of the texts, each counted once, without special tokens.
    pub text_tokens: usize,
    /// Number of special tokens in a window.
    pub specials: usize,
}

/// Cuts texts into windows, by the settings in a model's folder.
pub fn cut(folder: &Path, texts: &[String]) -> Result<Cut> {
    let about = Manifest::from_folder(folder)
        .context("read the model's manifest")?
        .about;
    let tokenizer = TextTokenizer::from_file(&folder.join(TOKENIZER_FILE)).context("read the tokenizer")?;
    let splitter = Splitter::new(tokenizer, about.window_tokens, about.overlap_tokens);
    let (before, after) = (splitter.tokenizer().before(), splitter.tokenizer().after());
    let mut cut = Cut {
        windows: Vec::new(),
        text_tokens: 0,
        specials: before.len() + after.len(),
    };
    for text in texts {
        let windows = splitter.split(text).context("cut a text")?;
        cut.text_tokens += windows.tokens().len();
        cut.windows
            .extend((0..windows.len()).map(|window| [before, windows.ids(window), after].concat()));
    }
    Ok(cut)
}

impl Cut {
    /// Number of tokens in all windows, special tokens included.
    pub fn tokens(&self) -> usize {
        self.windows.iter().map(Vec::len).sum()
    }

    /// Tokens read more than once, as a share of the texts' tokens.
    pub fn overlap_share(&self) -> f64 {
        let read = self.tokens() - self.specials * self.windows.len();
        read as f64 / self.text_tokens.max(1) as f64 - 1.0
    }
}
