//! The model's own tokens of a text, with their exact places.
//!
//! The tokenizer reads the text in pieces, each cut in front of white space: encoding a large text at once would take some two
//! hundred bytes a character. What is kept here is sixteen bytes a token.

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;

use tokenizers::Tokenizer;

use crate::steps::{self, scan};
use docket_extract::{ExtractedText, is_blank};

/// Most bytes of text that the tokenizer reads at once: a few milliseconds and a few megabytes of its working memory.
pub const PIECE_BYTES_MAX: usize = 16 * 1024;

/// White space of one, two and three bytes, shown to a tokenizer in place of control characters and of the U+FFFD for a NUL.
const STAND_INS: [char; 3] = [' ', '\u{a0}', '\u{3000}'];

/// A tokenizer that cannot be used, or a text it failed on.
#[derive(Debug, thiserror::Error)]
pub enum TokenizeError {
    /// The file is missing or is no tokenizer.
    #[error("read the tokenizer")]
    Load(#[source] tokenizers::Error),
    /// The tokenizer failed on a text.
    #[error("tokenize the text")]
    Encode(#[source] tokenizers::Error),
    /// The text is too long: places are held in 32 bits.
    #[error("a text of {0} bytes is longer than offsets can say")]
    TooLong(usize),
}

/// A tokenizer, and the special tokens that its model wants around every window.
pub struct TextTokenizer {
    tokenizer: Tokenizer,
    before: Vec<u32>,
    after: Vec<u32>,
}

/// Tokens of a text in reading order, without special ones. Sixteen bytes a token.
///
/// Invariants: all places lie on character boundaries of the text, starts and ends never descend, and words count up from 0
/// without a gap.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tokens {
    ids: Vec<u32>,
    starts: Vec<u32>,
    ends: Vec<u32>,
    words: Vec<u32>,
}

impl TextTokenizer {
    /// Reads a `tokenizer.json`, with its truncation and padding switched off, since windows are cut here.
    pub fn from_file(path: &Path) -> Result<Self, TokenizeError> {
        let mut tokenizer = Tokenizer::from_file(path).map_err(TokenizeError::Load)?;
        tokenizer.with_truncation(None).map_err(TokenizeError::Load)?;
        tokenizer.with_padding(None);
        // A document that spells out "[SEP]" must not become a special token.
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

    /// Special tokens in front of every window, from the tokenizer's own post-processor; may be empty.
    pub fn before(&self) -> &[u32] {
        &self.before
    }

    /// Special tokens behind every window; may be empty.
    pub fn after(&self) -> &[u32] {
        &self.after
    }

    /// Appends the tokens of one piece of `text`.
    pub(super) fn read(
        &self,
        text: &ExtractedText,
        piece: Range<usize>,
        tokens: &mut Tokens,
    ) -> Result<(), TokenizeError> {
        if u32::try_from(text.text.len()).is_err() {
            return Err(TokenizeError::TooLong(text.text.len()));
        }
        let shown = shown(text, piece.clone());
        let encoding = self
            .tokenizer
            .encode(shown.as_ref(), false)
            .map_err(TokenizeError::Encode)?;
        let mut pushing = Pushing {
            tokens,
            shown: &shown,
            start: piece.start,
            word: None,
        };
        let (ids, places) = (encoding.get_ids().iter(), encoding.get_offsets().iter());
        for ((&id, &(start, end)), &word) in ids.zip(places).zip(encoding.get_word_ids()) {
            pushing.push(id, start..end, word);
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
    /// Number of tokens.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are no tokens, as in a text of white space alone.
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

    /// Whether a token is the first of its word. Also true for the place behind the last token.
    pub fn starts_word(&self, token: usize) -> bool {
        token == 0 || token >= self.len() || self.words[token] != self.words[token - 1]
    }

    /// Number of words.
    pub fn word_count(&self) -> usize {
        self.words.last().map_or(0, |&word| word as usize + 1)
    }

    /// The first token, from `token` on, that starts a word at or behind `byte` of the text.
    pub(super) fn word_start_from(&self, mut token: usize, byte: usize) -> usize {
        let first = token;
        while token < self.len() && (self.bytes(token).start < byte || !self.starts_word(token)) {
            token += 1;
        }
        steps::add(token - first + 1);
        token
    }
}

/// Appends the tokens of one piece.
struct Pushing<'a> {
    tokens: &'a mut Tokens,
    /// The piece as shown to the tokenizer.
    shown: &'a str,
    /// Byte of the text at which the piece starts.
    start: usize,
    /// Number that the tokenizer gives to the last token's word.
    word: Option<u32>,
}

impl Pushing<'_> {
    /// Appends a token. Behind white space a token starts a new word, even if the tokenizer says otherwise: some tokenizers do
    /// not split words at all.
    fn push(&mut self, id: u32, place: Range<usize>, word: Option<u32>) {
        let in_piece = |place: Option<&u32>| place.map_or(0, |&place| (place as usize).saturating_sub(self.start));
        let (last_start, last_end) = (in_piece(self.tokens.starts.last()), in_piece(self.tokens.ends.last()));
        // A byte-level tokenizer may split a character, but places never do. Many tokenizers include the space in front of a
        // word.
        let from = self.shown.floor_char_boundary(place.start).max(last_start);
        let end = self.shown.ceil_char_boundary(place.end).max(from).max(last_end);
        let start = end - scan(&self.shown[from..end]).trim_start().len();
        let apart = last_end < start && scan(&self.shown[last_end..start]).contains(char::is_whitespace);
        let same_word = word.is_some() && word == self.word;
        let number = match self.tokens.words.last() {
            None => 0,
            Some(&number) if same_word && !apart => number,
            Some(&number) => number + 1,
        };
        self.word = word;
        self.tokens.ids.push(id);
        self.tokens.starts.push(as_u32(self.start + start));
        self.tokens.ends.push(as_u32(self.start + end));
        self.tokens.words.push(number);
    }
}

/// A piece as shown to its tokenizer, with white space for control characters. Many tokenizers, BERT's among them, drop those and
/// would glue two words. Each stand-in has the same length, so places are those of the piece.
fn shown(text: &ExtractedText, piece: Range<usize>) -> Cow<'_, str> {
    let given = scan(&text.text[piece.clone()]);
    let is_white = |c: char| matches!(c, '\t' | '\n' | '\r') || (c.is_whitespace() && !c.is_control());
    let is_unseen = |at: usize, c: char| !is_white(c) && text.is_blank_at(piece.start + at, c);
    if !given.char_indices().any(|(at, c)| is_unseen(at, c)) {
        return Cow::Borrowed(given);
    }
    let seen = |(at, c): (usize, char)| {
        if is_unseen(at, c) {
            STAND_INS[c.len_utf8() - 1]
        } else {
            c
        }
    };
    given.char_indices().map(seen).collect::<String>().into()
}

/// A place in a text as 32 bits. `TextTokenizer::read` has refused longer texts.
pub(crate) fn as_u32(place: usize) -> u32 {
    u32::try_from(place).expect("texts are shorter than 4 GiB")
}

/// Where the piece that begins at `start` ends: at the end of the text, else in front of the last blank line in the piece's
/// second half, else of the last blank there. Without a blank, the piece ends at its longest, between two characters.
pub(super) fn piece_end(text: &str, start: usize) -> usize {
    let limit = text.floor_char_boundary(start + PIECE_BYTES_MAX);
    if limit == text.len() {
        return limit;
    }
    let half = text.ceil_char_boundary(start + PIECE_BYTES_MAX / 2);
    let blank_lines = ["\n\n", "\r\n\r\n"]
        .iter()
        .filter_map(|blank| scan(&text[half..limit]).rfind(blank));
    let gap = blank_lines.max().or_else(|| scan(&text[half..limit]).rfind(is_blank));
    // In front of the whole run of blanks, because some tokenizers join the space to the word behind it.
    let end = gap.map_or(limit, |gap| {
        start + scan(&text[start..half + gap]).trim_end_matches(is_blank).len()
    });
    if end > start { end } else { limit }
}

#[cfg(test)]
pub(super) mod tests {
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

    fn read(tokenizer: &TextTokenizer, text: &ExtractedText) -> Tokens {
        let mut tokens = Tokens::default();
        tokenizer
            .read(text, 0..text.text.len(), &mut tokens)
            .expect("it can be read");
        tokens
    }

    /// One tokenizer of each kind: without words, by bytes, and the default model's, which drops control characters.
    pub(crate) fn tokenizers() -> [TextTokenizer; 3] {
        let default = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../deploy/models/ner-legal/tokenizer.json"
        );
        [
            marking_spaces('\u{2581}', "Unigram", &["p", "s", "l"]),
            marking_spaces('\u{120}', "BPE", &["p", "s", "l"]),
            TextTokenizer::from_file(Path::new(default)).expect("the tokenizer loads"),
        ]
    }

    /// A tokenizer of single letters and of these pieces, all of which begin with its mark for a space.
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
            let tokens = read(&tokenizer, &text.to_owned().into());
            let places: Vec<&str> = (0..tokens.len()).map(|token| &text[tokens.bytes(token)]).collect();
            assert!(places.iter().all(|place| place.trim() == *place), "{places:?}");
            for word in ["he", "pays", "she", "left"] {
                let at = text.find(word).expect("it is there");
                let first = tokens.word_start_from(0, at);
                let last = (first..tokens.len()).rfind(|&token| tokens.bytes(token).end <= at + word.len());
                assert!(tokens.starts_word(first) && last.is_some_and(|last| tokens.word(last) == tokens.word(first)));
                assert_eq!(tokens.bytes(first).start, at, "{places:?}");
            }
        }
    }

    #[test]
    fn a_control_character_separates_words_whatever_the_tokenizer_does_with_it() {
        let separators = ('\0'..='\u{1f}').chain('\u{7f}'..='\u{9f}').filter(|&c| c != '\u{92}');
        for tokenizer in tokenizers() {
            for separator in separators.clone() {
                assert_words(&tokenizer, &format!("page{separator}two{separator}end").into());
            }
            assert_words(&tokenizer, &"page\0two\0end".to_owned().into());
        }
    }

    #[track_caller]
    fn assert_words(tokenizer: &TextTokenizer, text: &ExtractedText) {
        let tokens = read(tokenizer, text);
        let starts = (0..tokens.len()).filter(|&token| tokens.starts_word(token));
        let starts: Vec<usize> = starts.map(|token| tokens.bytes(token).start).collect();
        let words = ["page", "two", "end"].map(|word| text.text.find(word).expect("it is there"));
        assert_eq!(starts, words, "{text:?}");
        let last = tokens.len() - 1;
        assert_eq!(tokens.bytes(last).end, text.text.len());
    }

    #[test]
    fn an_apostrophe_of_windows_and_a_lost_letter_stand_inside_words() {
        for whole in ["o\u{92}brien", "mu\u{fffd}oz"] {
            let bert = &tokenizers()[2];
            assert_eq!(read(bert, &whole.to_owned().into()).word_count(), 1, "{whole}");
        }
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
