//! A tiny model's `tokenizer.json` for Hugging Face's `tokenizers`: BERT's, with a vocabulary of its own.

use serde_json::{Map, Value, json};

/// Special pieces, by id. The ids of words follow.
pub(super) const SPECIALS: [&str; 4] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"];
const CLS: usize = 2;
const SEP: usize = 3;

/// Limit of letters of a known word, as in BERT; a longer word is unknown.
const WORD_LETTERS_MAX: usize = 100;

/// A tokenizer with these pieces, which lower-cases and splits at whitespace and punctuation.
pub(super) fn json<'a>(words: impl Iterator<Item = &'a str>) -> Value {
    let pieces = SPECIALS.into_iter().chain(words);
    let vocab: Map<String, Value> = pieces
        .enumerate()
        .map(|(id, piece)| (piece.to_owned(), json!(id)))
        .collect();
    let special = |(id, content): (usize, &&str)| {
        json!({
            "id": id, "content": content, "special": true,
            "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
        })
    };
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": SPECIALS.iter().enumerate().map(special).collect::<Vec<_>>(),
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "cls": [SPECIALS[CLS], CLS], "sep": [SPECIALS[SEP], SEP]},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": WORD_LETTERS_MAX,
            "vocab": vocab,
        },
    })
}
