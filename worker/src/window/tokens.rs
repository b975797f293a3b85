//! The model's own tokens of a text, with their exact places.
//!
//! The tokenizer is fed piece by piece, each cut in front of whitespace, because one encoding of a whole large text
//! would take some two hundred bytes a character; what is kept here is sixteen bytes a token.

use std::ops::Range;
use std::path::Path;

use tokenizers::Tokenizer;

/// Most bytes of text the tokenizer sees at once: a few milliseconds and a few megabytes of its working memory.
pub const PIECE_BYTES_MAX: usize = 16 * 1024;

/// Characters that stand between words but that some tokenizers, BERT's among them, drop as control characters, which would
/// glue the last word of a page to the first of the next. A piece never reaches across one.
const SEPARATORS: [char; 3] = ['\u{b}', '\u{c}', '\u{85}'];

/// A tokenizer that cannot be used, or a text it failed on.
#[derive(Debug, thiserror::Error)]
pub enum TokenizeError {
    /// The file is missing or is no tokenizer.
    #[error("read the tokenizer")]
    Load(#[source] tokenizers::Error),
    /// The tokenizer failed on a text.
    #[error("tokenize the text")]
    Encode(#[source] tokenizers::Error),
    /// Places are held in 32 bits.
    #[error("a text of {0} bytes is longer than offsets can say")]
    TooLong(usize),
}

/// A tokenizer and the special tokens its model wants around every window.
pub struct TextTokenizer {
    tokenizer: Tokenizer,
    before: Vec<u32>,
    after: Vec<u32>,
}

/// Tokens of a text in reading order, without special ones. Sixteen bytes a token.
///
/// Invariants: all places lie on character boundaries of the text; starts and ends never descend; words count up from 0
/// without a gap.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tokens {
    ids: Vec<u32>,
    starts: Vec<u32>,
    ends: Vec<u32>,
    words: Vec<u32>,
}

impl TextTokenizer {
    /// Reads a `tokenizer.json`. Its truncation and padding are switched off: windows are cut here.
    pub fn from_file(path: &Path) -> Result<Self, TokenizeError> {
        let mut tokenizer = Tokenizer::from_file(path).map_err(TokenizeError::Load)?;
        tokenizer.with_truncation(None).map_err(TokenizeError::Load)?;
        tokenizer.with_padding(None);
        // A document that spells out "[SEP]" must not get to speak to the model in special tokens.
        tokenizer.set_encode_special_tokens(true);
        let sample = tokenizer.encode("a", true).map_err(TokenizeError::Load)?;
        let specials = sample.get_special_tokens_mask();
        let leading = specials.iter().take_while(|&&special| special == 1).count();
        let trailing = specials[leading..]
            .iter()
            .rev()
            .take_while(|&&special| special == 1)
            .count();
        let ids = sample.get_ids();
        Ok(Self {
            before: ids[..leading].to_vec(),
            after: ids[ids.len() - trailing..].to_vec(),
            tokenizer,
        })
    }

    /// Special tokens in front of every window, from the tokenizer's own post-processor; may be none.
    pub fn before(&self) -> &[u32] {
        &self.before
    }

    /// Special tokens behind every window; may be none.
    pub fn after(&self) -> &[u32] {
        &self.after
    }

    /// Appends the tokens of one piece of `text`.
    pub(super) fn read(&self, text: &str, piece: Range<usize>, tokens: &mut Tokens) -> Result<(), TokenizeError> {
        if u32::try_from(text.len()).is_err() {
            return Err(TokenizeError::TooLong(text.len()));
        }
        let encoding = self
            .tokenizer
            .encode(&text[piece.clone()], false)
            .map_err(TokenizeError::Encode)?;
        let mut word_before = None;
        for ((&id, &(start, end)), &word) in encoding
            .get_ids()
            .iter()
            .zip(encoding.get_offsets())
            .zip(encoding.get_word_ids())
        {
            let place = piece.start + start..piece.start + end;
            let same_word = word.is_some() && word == word_before;
            tokens.push(text, id, place, same_word);
            word_before = word;
        }
        Ok(())
    }
}

impl std::fmt::Debug for TextTokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TextTokenizer")
            .field("before", &self.before)
            .field("after", &self.after)
            .finish_non_exhaustive()
    }
}

impl Tokens {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether the text has none, as one of whitespace alone.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The tokens' ids in the model's vocabulary.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Where a token stands in the text. Tokens of one character (a decomposed syllable) share its place.
    pub fn bytes(&self, token: usize) -> Range<usize> {
        self.starts[token] as usize..self.ends[token] as usize
    }

    /// The word a token belongs to.
    pub fn word(&self, token: usize) -> usize {
        self.words[token] as usize
    }

    /// Whether a token is its word's first; so too is the place behind the last token.
    pub fn starts_word(&self, token: usize) -> bool {
        token == 0 || token >= self.len() || self.words[token] != self.words[token - 1]
    }

    /// How many words there are.
    pub fn word_count(&self) -> usize {
        self.words.last().map_or(0, |&word| word as usize + 1)
    }

    /// The first token that starts a word at or behind a byte of the text.
    pub(super) fn word_start_from(&self, byte: usize) -> usize {
        let mut token = self.starts.partition_point(|&start| (start as usize) < byte);
        while !self.starts_word(token) {
            token += 1;
        }
        token
    }

    /// A token whose tokenizer says that it belongs to the word before still starts a new one behind whitespace: some
    /// tokenizers do not split words at all.
    fn push(&mut self, text: &str, id: u32, place: Range<usize>, same_word: bool) {
        let last_start = self.starts.last().map_or(0, |&start| start as usize);
        let last_end = self.ends.last().map_or(0, |&end| end as usize);
        // A byte-level tokenizer may split a character; places never do. Many take the space in front of a word along with it.
        let from = text.floor_char_boundary(place.start).max(last_start);
        let end = text.ceil_char_boundary(place.end).max(from).max(last_end);
        let start = end - text[from..end].trim_start().len();
        let apart = last_end < start && text[last_end..start].contains(char::is_whitespace);
        let word = match self.words.last() {
            None => 0,
            Some(&word) if same_word && !apart => word,
            Some(&word) => word + 1,
        };
        self.ids.push(id);
        self.starts.push(as_u32(start));
        self.ends.push(as_u32(end));
        self.words.push(word);
    }
}

/// A place in a text that has tokens, in 32 bits: `TextTokenizer::read` has refused longer texts.
pub(crate) fn as_u32(place: usize) -> u32 {
    u32::try_from(place).expect("texts are shorter than 4 GiB")
}

/// Where the piece that begins at `start` ends: at the end of the text, else in front of the next separator, else of the last
/// blank line in its second half, else of the last whitespace there, else (no whitespace at all) at its longest, between
/// two characters.
pub(super) fn piece_end(text: &str, start: usize) -> usize {
    let limit = text.floor_char_boundary(start + PIECE_BYTES_MAX);
    let behind_first = start + text[start..].chars().next().map_or(0, char::len_utf8);
    if let Some(separator) = text[behind_first..limit].find(SEPARATORS) {
        return behind_first + separator;
    }
    if limit == text.len() {
        return limit;
    }
    let half = text.ceil_char_boundary(start + PIECE_BYTES_MAX / 2);
    let blank_lines = ["\n\n", "\r\n\r\n"]
        .iter()
        .filter_map(|blank| text[half..limit].rfind(blank));
    let gap = blank_lines
        .max()
        .or_else(|| text[half..limit].rfind(char::is_whitespace));
    // In front of the whole run of whitespace, because some tokenizers take the space with the word behind it.
    let end = gap.map_or(limit, |gap| start + text[start..half + gap].trim_end().len());
    if end > start { end } else { limit }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;

    #[test]
    fn pieces_end_in_front_of_whitespace_and_cover_the_text() {
        let sentence = "The Borrower shall pay. ";
        let texts = [
            sentence.repeat(5_000),
            "\u{4e2d}".repeat(30_000),
            " ".repeat(100_000),
            format!("a{}", " \n".repeat(40_000)),
        ];
        for text in texts {
            let mut start = 0;
            while start < text.len() {
                let end = piece_end(&text, start);
                assert!(end > start && end - start <= PIECE_BYTES_MAX, "{start}..{end}");
                assert!(text.is_char_boundary(end));
                let spaced = text[start..end].contains(|c: char| !c.is_whitespace()) && text.contains(' ');
                assert!(!spaced || end == text.len() || text[end..].starts_with(char::is_whitespace));
                start = end;
            }
        }
    }

    /// A tokenizer of single letters and of these pieces, which all begin with its mark for a space.
    fn marking_spaces(mark: char, kind: &str, pieces: &[&str]) -> TextTokenizer {
        let letters = ('a'..='z').chain(['.', mark]).map(String::from);
        let vocab: Vec<String> = letters
            .chain(pieces.iter().map(|piece| format!("{mark}{piece}")))
            .collect();
        let model = match kind {
            "Unigram" => {
                let scored: Vec<Value> = vocab
                    .iter()
                    .map(|piece| json!([piece, -(10.0 / piece.len() as f64)]))
                    .collect();
                json!({"type": "Unigram", "unk_id": 0, "vocab": scored})
            }
            _ => {
                let ids: Map<String, Value> = vocab.iter().cloned().zip((0..).map(|id: u32| json!(id))).collect();
                let merges: Vec<String> = pieces.iter().map(|piece| format!("{mark} {piece}")).collect();
                json!({"type": "BPE", "vocab": ids, "merges": merges})
            }
        };
        let before = match kind {
            "Unigram" => json!({"type": "Metaspace", "replacement": mark, "prepend_scheme": "never", "split": false}),
            _ => json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}),
        };
        let whole = json!({"version": "1.0", "added_tokens": [], "pre_tokenizer": before, "model": model});
        let file = tempfile::NamedTempFile::new().expect("a file can be made");
        std::fs::write(file.path(), whole.to_string()).expect("it can be written");
        TextTokenizer::from_file(file.path()).expect("it is a tokenizer")
    }

    #[test]
    fn a_word_begins_behind_the_space_that_its_tokenizer_takes_along() {
        let text = "he pays. she  left";
        for tokenizer in [
            marking_spaces('\u{2581}', "Unigram", &["p", "s", "l"]),
            marking_spaces('\u{120}', "BPE", &["p", "s", "l"]),
        ] {
            let mut tokens = Tokens::default();
            tokenizer
                .read(text, 0..text.len(), &mut tokens)
                .expect("it can be read");
            let places: Vec<&str> = (0..tokens.len()).map(|token| &text[tokens.bytes(token)]).collect();
            assert!(places.iter().all(|place| place.trim() == *place), "{places:?}");
            for word in ["he", "pays", "she", "left"] {
                let at = text.find(word).expect("it is there");
                let first = tokens.word_start_from(at);
                let last = (first..tokens.len()).rfind(|&token| tokens.bytes(token).end <= at + word.len());
                assert!(tokens.starts_word(first) && last.is_some_and(|last| tokens.word(last) == tokens.word(first)));
                assert_eq!(tokens.bytes(first).start, at, "{places:?}");
            }
        }
    }

    #[test]
    fn no_piece_reaches_across_a_separator() {
        let text = "page one\u{c}\u{c}page\u{85} two";
        let mut ends = vec![0];
        while let Some(&start) = ends.last().filter(|&&end| end < text.len()) {
            ends.push(piece_end(text, start));
        }
        assert_eq!(ends, [0, 8, 9, 14, text.len()]);
    }

    #[test]
    fn pieces_prefer_paragraphs() {
        let text = format!(
            "{}\n\n{}",
            "a ".repeat(PIECE_BYTES_MAX * 3 / 8),
            "b ".repeat(PIECE_BYTES_MAX)
        );
        let end = piece_end(&text, 0);
        assert!(text[end..].trim_start().starts_with('b'));
    }
}
