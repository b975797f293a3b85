//! Contracts of any length, and the splitter of the default model.

use std::path::{Path, PathBuf};

use docket_engine::infer::manifest::{Manifest, TOKENIZER_FILE};
use docket_engine::window::{Splitter, TextTokenizer};

/// A contract of some twenty thousand words.
const CONTRACT: &str = include_str!("../../../../deploy/local/samples/credit-agreement.txt");

/// The folder of the default model.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/models/ner-legal")
}

/// The splitter of the default model.
pub fn splitter() -> Splitter {
    let about = Manifest::from_folder(&folder()).expect("the manifest is valid").about;
    let tokenizer = TextTokenizer::from_file(&folder().join(TOKENIZER_FILE)).expect("the tokenizer loads");
    Splitter::new(tokenizer, about.window_tokens, about.overlap_tokens)
}

/// This many words of contract, with its line breaks. The text starts over where it ends.
pub fn of_words(count: usize) -> String {
    let words = CONTRACT.split_inclusive(char::is_whitespace).cycle();
    let mut text = String::new();
    let mut missing = count;
    for word in words {
        if missing == 0 {
            break;
        }
        text.push_str(word);
        missing -= usize::from(!word.trim().is_empty());
    }
    text
}
