//! A text -> windows of the model's own tokens.
//!
//! Windows hold whole sentences, up to the model's window length: an entity that a window's edge cuts is usually lost, and every
//! token read twice is paid twice. Behind its sentences a window shows a few words of what follows. Only a sentence longer than a
//! window is cut, behind a clause where one ends in the window's last quarter. There windows overlap by more. Each token of the
//! text is in a window. `sentences` finds sentences, `tokens` makes tokens, and this file packs.

mod sentences;
mod tokens;

use docket_contract::outcome::Stage;
use std::ops::Range;
use std::sync::Arc;

pub(crate) use sentences::line_breaks;
pub(crate) use tokens::as_u32;
#[cfg(test)]
pub(crate) use tokens::tests::tokenizers;
pub use tokens::{PIECE_BYTES_MAX, TextTokenizer, TokenizeError, Tokens};

use crate::cpu::{CpuError, CpuPool};
use crate::steps::scan;
use docket_extract::ExtractedText;
use sentences::Sentences;

/// Tokens of the next sentence that a window reads behind its own. They tell the model that an entity ends, and join the words
/// around a false sentence end ("Mr. | Smith"). Measured with the default model at 192 tokens a window: 8 are worth 0.7 to 3.8
/// points of F1 for 1.4 to 4.5% more tokens, and 16 are worth no more than 8.
pub const CONTEXT_TOKENS_MAX: usize = 8;

/// Cuts texts for one model.
#[derive(Debug)]
pub struct Splitter {
    tokenizer: TextTokenizer,
    tokens_max: usize,
    overlap_tokens: usize,
}

/// A text's tokens and its windows. Takes sixteen bytes a token.
///
/// Invariant: the windows ascend, none is empty or longer than the splitter allows, and together they hold every token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Windows {
    tokens: Tokens,
    windows: Vec<Range<usize>>,
}

/// Why a text could not be cut.
#[derive(Debug, thiserror::Error)]
pub enum WindowError {
    /// The tokenizer failed, or the text is too long.
    #[error("cut the text into windows")]
    Tokenize(#[from] TokenizeError),
    /// The computation panicked.
    #[error("cut the text into windows")]
    Cpu(#[from] CpuError),
}

/// A text that is read up to `position`. It is passed from one piece's computation to the next.
#[derive(Debug, Default)]
struct Reading {
    position: usize,
    tokens: Tokens,
    /// Tokens that begin a sentence, ascending.
    sentences: Vec<usize>,
    finder: Sentences,
}

/// Cuts a text. The work runs on `cpu` in pieces of some kilobytes: a large text holds up small ones for one piece only, and a
/// caller that leaves stops the rest.
pub async fn split(cpu: &CpuPool, splitter: &Arc<Splitter>, text: &Arc<ExtractedText>) -> Result<Windows, WindowError> {
    let mut reading = Reading::default();
    while reading.position < text.text.len() {
        let (splitter, text) = (Arc::clone(splitter), Arc::clone(text));
        reading = cpu
            .run(Stage::Window, move || splitter.read_on(&text, reading))
            .await??;
    }
    let (splitter, text) = (Arc::clone(splitter), Arc::clone(text));
    Ok(cpu
        .run(Stage::Window, move || splitter.pack(&text.text, reading))
        .await?)
}

impl Splitter {
    /// Cuts windows of at most `window_tokens`, special tokens included, that overlap by `overlap_tokens` where a sentence is
    /// cut. The manifest's check makes sure that the numbers fit each other.
    pub fn new(tokenizer: TextTokenizer, window_tokens: usize, overlap_tokens: usize) -> Self {
        let specials = tokenizer.before().len() + tokenizer.after().len();
        let tokens_max = window_tokens.saturating_sub(specials).max(1);
        Self {
            tokenizer,
            tokens_max,
            overlap_tokens: overlap_tokens.min(tokens_max / 2),
        }
    }

    /// The tokenizer, with the special tokens that belong around each window.
    pub fn tokenizer(&self) -> &TextTokenizer {
        &self.tokenizer
    }

    /// Most tokens of the text in a window: the window's length without the special tokens.
    pub fn tokens_max(&self) -> usize {
        self.tokens_max
    }

    /// Cuts a whole text on this thread. [`split`] does the same piece by piece.
    pub fn split(&self, text: &str) -> Result<Windows, TokenizeError> {
        let text = ExtractedText::from(text.to_owned());
        let mut reading = Reading::default();
        while reading.position < text.text.len() {
            reading = self.read_on(&text, reading)?;
        }
        Ok(self.pack(&text.text, reading))
    }

    /// Reads on, by about one piece of full length.
    fn read_on(&self, text: &ExtractedText, mut reading: Reading) -> Result<Reading, TokenizeError> {
        let goal = text.text.len().min(reading.position + PIECE_BYTES_MAX);
        while reading.position < goal {
            self.read_piece(text, &mut reading)?;
        }
        Ok(reading)
    }

    fn read_piece(&self, text: &ExtractedText, reading: &mut Reading) -> Result<(), TokenizeError> {
        let start = reading.position;
        let end = tokens::piece_end(&text.text, start);
        let mut token = reading.tokens.len();
        self.tokenizer.read(text, start..end, &mut reading.tokens)?;
        for bound in reading.finder.read(&text.text, start..end) {
            token = reading.tokens.word_start_from(token, bound);
            if reading.sentences.last() != Some(&token) {
                reading.sentences.push(token);
            }
        }
        reading.position = end;
        Ok(())
    }

    fn pack(&self, text: &str, reading: Reading) -> Windows {
        let Reading { tokens, sentences, .. } = reading;
        let mut windows = Vec::new();
        let mut start = 0;
        while tokens.len() - start > self.tokens_max {
            let limit = start + self.tokens_max;
            let whole = |limit: usize| {
                let last = sentences.partition_point(|&sentence| sentence <= limit).checked_sub(1);
                last.map(|index| sentences[index]).filter(|&end| end > start)
            };
            // A whole sentence is better even if it leaves no room for what follows.
            let sentence_end = whole(limit - self.context_tokens()).or_else(|| whole(limit));
            let end = sentence_end.unwrap_or_else(|| self.cut(text, &tokens, start));
            windows.push(start..sentence_end.map_or(end, |end| self.shown(&tokens, end, limit)));
            start = if sentence_end.is_some() {
                end
            } else {
                self.resume(&tokens, end)
            };
        }
        if start < tokens.len() {
            windows.push(start..tokens.len());
        }
        Windows { tokens, windows }
    }

    /// Tokens of the next sentence that a window also reads. Short windows read fewer, so that they do not crowd out the rest.
    fn context_tokens(&self) -> usize {
        CONTEXT_TOKENS_MAX.min(self.tokens_max / 8)
    }

    /// The end of a window of whole sentences: some words behind the last sentence, up to `limit`.
    fn shown(&self, tokens: &Tokens, end: usize, limit: usize) -> usize {
        let limit = limit.min(end + self.context_tokens());
        let is_whole = |&token: &usize| token == tokens.len() || tokens.starts_word(token);
        (end..=limit).rev().find(is_whole).unwrap_or(end)
    }

    /// Where to end a window inside a sentence: in the window's last quarter, behind a clause if one ends there, else behind a
    /// word. A word longer than that quarter is cut at the window's full length.
    fn cut(&self, text: &str, tokens: &Tokens, start: usize) -> usize {
        let limit = start + self.tokens_max;
        let earliest = limit - self.tokens_max / 4;
        let words = || {
            (earliest..=limit)
                .rev()
                .filter(|&token| token > start && tokens.starts_word(token))
        };
        let behind_clause = words().find(|&token| ends_clause(text, tokens, token));
        behind_clause.or_else(|| words().next()).unwrap_or(limit)
    }

    /// Where the window behind a cut begins: at the first word of the overlap. That is always behind the last window's start,
    /// since that window is at least three quarters full and the overlap is at most half.
    fn resume(&self, tokens: &Tokens, end: usize) -> usize {
        let earliest = end - self.overlap_tokens;
        let word = (earliest..end).find(|&token| tokens.starts_word(token));
        word.unwrap_or(if tokens.starts_word(end) { end } else { earliest })
    }
}

/// Whether a comma, a semicolon, a colon or a line break stands in front of a token.
fn ends_clause(text: &str, tokens: &Tokens, token: usize) -> bool {
    let (before, after) = (tokens.bytes(token - 1), tokens.bytes(token));
    let mark = text[before.clone()].ends_with([',', ';', ':']);
    mark || (before.end < after.start && scan(&text[before.end..after.start]).contains('\n'))
}

impl Windows {
    /// The tokens of the whole text.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Number of windows; 0 for a text without tokens.
    pub fn len(&self) -> usize {
        self.windows.len()
    }

    /// Whether the text has no windows, so that there is nothing to run.
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }

    /// The tokens of each window, as ranges of [`Windows::tokens`].
    pub fn ranges(&self) -> &[Range<usize>] {
        &self.windows
    }

    /// The ids of one window's tokens.
    pub fn ids(&self, window: usize) -> &[u32] {
        &self.tokens.ids()[self.windows[window].clone()]
    }

    /// The words that begin in a window, for which the window gives a reading.
    pub fn words(&self, window: usize) -> Range<usize> {
        let Range { start, end } = self.windows[window];
        let first = self.tokens.word(start) + usize::from(!self.tokens.starts_word(start));
        first..self.tokens.word(end - 1) + 1
    }

    /// The first token of each of [`Windows::words`], as its place in the window.
    pub fn word_starts(&self, window: usize) -> impl Iterator<Item = usize> {
        let Range { start, end } = self.windows[window];
        (start..end)
            .filter(|&token| self.tokens.starts_word(token))
            .map(move |token| token - start)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::steps::taken;

    /// Units of text that the rules look around for: white space and line ends, terminals and closers, marks, controls, invisible
    /// joiners, and characters without letters.
    const UNITS: [&str; 28] = [
        " ",
        "\t",
        "\n",
        "\r\n",
        "\u{b}",
        "\u{c}",
        "\u{85}",
        "\u{a0}",
        "\u{2003}",
        "\u{2028}",
        "\u{3000}",
        ".",
        "?",
        "\u{3002}",
        ")",
        "\u{201d}",
        ",",
        "1",
        "x",
        "X",
        "\u{4e2d}",
        "\u{301}",
        "\u{903}",
        "\u{200b}",
        "\u{200d}",
        "\u{1}",
        "\u{fffd}",
        "\u{1f1e9}",
    ];
    /// Bytes of the shorter text: more than a piece, so that work across pieces shows. The other text is twice as long.
    const BYTES: usize = 2 * PIECE_BYTES_MAX;
    /// Most steps per byte of text: at most a few hundred each for Unicode's rules and for our looks around.
    const STEPS_A_BYTE_MAX: usize = 2_000;

    /// Cuts a text of nothing but `unit` behind `start`, and a text twice as long.
    fn assert_linear(splitter: &Splitter, start: &str, unit: &str) -> Result<(), TestCaseError> {
        let steps = |bytes: usize| {
            let text = format!("{start}{}", unit.repeat(bytes / unit.len()));
            taken(|| drop(splitter.split(&text).expect("every text can be cut")))
        };
        let (once, twice) = (steps(BYTES), steps(2 * BYTES));
        prop_assert!(
            once <= STEPS_A_BYTE_MAX * BYTES,
            "{once} steps for {start:?} and {unit:?}"
        );
        // The last piece of a text is not searched for its end, and pieces differ a little in length.
        let pieces = 8 * PIECE_BYTES_MAX + once / 8;
        prop_assert!(
            twice <= 2 * once + pieces,
            "{once}, then {twice} steps for {start:?} and {unit:?}"
        );
        Ok(())
    }

    fn splitters() -> [Splitter; 3] {
        tokenizers().map(|tokenizer| Splitter::new(tokenizer, 192, 32))
    }

    #[test]
    fn twice_the_text_is_twice_the_work() {
        for splitter in splitters() {
            for unit in UNITS {
                for start in ["", "a.", "a"] {
                    assert_linear(&splitter, start, unit).expect("the work is linear");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn twice_the_mixture_is_twice_the_work(
            start in prop::sample::select(vec!["", "a.", "a?", "Inc.", "x\n"]),
            unit in prop::collection::vec(prop::sample::select(&UNITS[..]), 2..6),
            kind in 0_usize..3,
        ) {
            assert_linear(&splitters()[kind], start, &unit.concat())?;
        }
    }
}
