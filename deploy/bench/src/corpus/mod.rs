//! The documents of a run. A seed always gives the same texts, so that every contestant reads the same ones and a run can be
//! repeated elsewhere.

mod prose;
mod random;
mod words;

use clap::ValueEnum;
use serde::Serialize;

use prose::Prose;
pub use random::Random;

/// Median length of a contract, in words.
const CONTRACT_WORDS_MEDIAN: f64 = 600.0;
/// Standard deviation of the logarithm of a contract's words: most are short, a few are very long.
const CONTRACT_SIGMA: f64 = 1.2;
/// Shortest contract, in words: a title and its parties.
const CONTRACT_WORDS_MIN: f64 = 60.0;
/// Longest contract, in words: some forty pages.
const CONTRACT_WORDS_MAX: f64 = 20_000.0;
/// Shortest letter, in words.
const LETTER_WORDS_MIN: f64 = 50.0;
/// Longest letter, in words: one page.
const LETTER_WORDS_MAX: f64 = 300.0;

/// Kind of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Contracts of log-normal length.
    Contracts,
    /// Letters of up to a page.
    Letters,
}

impl Kind {
    /// Name of the kind on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Contracts => "contracts",
            Self::Letters => "letters",
        }
    }
}

/// The number of words of each document: evenly spaced quantiles of the distribution, so that a small corpus has its tail too.
/// The seed sets only their order.
pub fn lengths(kind: Kind, count: usize, seed: u64) -> Vec<usize> {
    let mut lengths: Vec<usize> = (0..count)
        .map(|index| words_at(kind, (index as f64 + 0.5) / count as f64))
        .collect();
    Random::new(seed).shuffle(&mut lengths);
    lengths
}

/// The texts of the documents. Each text ends with the sentence that reaches its length.
pub fn texts(kind: Kind, count: usize, seed: u64) -> Vec<String> {
    let words = lengths(kind, count, seed).into_iter().enumerate();
    words
        .map(|(index, words)| text(kind, words, seed, index as u64))
        .collect()
}

/// A document of at least this many words; `index` distinguishes the documents of a seed.
pub fn text(kind: Kind, words: usize, seed: u64, index: u64) -> String {
    let mut prose = Prose::new(Random::of(seed, index));
    match kind {
        Kind::Contracts => prose.contract(words),
        Kind::Letters => prose.letter(words),
    }
}

/// Number of words in a text.
pub fn word_count(text: &str) -> usize {
    text.split_whitespace().count()
}

fn words_at(kind: Kind, share: f64) -> usize {
    let words = match kind {
        Kind::Contracts => {
            let words = CONTRACT_WORDS_MEDIAN * (CONTRACT_SIGMA * normal_quantile(share)).exp();
            words.clamp(CONTRACT_WORDS_MIN, CONTRACT_WORDS_MAX)
        }
        Kind::Letters => LETTER_WORDS_MIN + share * (LETTER_WORDS_MAX - LETTER_WORDS_MIN),
    };
    words.round() as usize
}

/// The quantile of the standard normal distribution, for shares strictly between 0 and 1, to 4.5e-4: formula 26.2.23 of
/// Abramowitz and Stegun, Handbook of Mathematical Functions (1964).
fn normal_quantile(share: f64) -> f64 {
    let t = (-2.0 * share.min(1.0 - share).ln()).sqrt();
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    (t - above / below).copysign(share - 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_gives_the_same_texts() {
        for kind in [Kind::Contracts, Kind::Letters] {
            assert_eq!(texts(kind, 5, 7), texts(kind, 5, 7));
            assert_ne!(texts(kind, 5, 7), texts(kind, 5, 8));
        }
        let first = text(Kind::Letters, 60, 1, 0);
        assert_ne!(first, text(Kind::Letters, 60, 1, 1), "documents of a seed differ");
    }

    #[test]
    fn lengths_are_the_quantiles_whatever_the_seed() {
        let sorted = |seed| {
            let mut lengths = lengths(Kind::Contracts, 101, seed);
            lengths.sort_unstable();
            lengths
        };
        let lengths = sorted(1);
        assert_eq!(lengths, sorted(2));
        assert_eq!(lengths[50], 600, "the median");
        // Entry 84 of 101 is 0.981 standard deviations above the median: 600 × e^(1.2 × 0.981).
        assert!((1_940..=1_952).contains(&lengths[84]), "{}", lengths[84]);
        assert!(lengths[100] > 10_000, "the tail: {}", lengths[100]);
        let of_all = super::lengths(Kind::Contracts, 10_000, 1);
        assert_eq!(of_all.iter().max(), Some(&20_000));
        assert_eq!(of_all.iter().min(), Some(&60));
    }

    #[test]
    fn a_text_has_its_length_and_a_sentence_more_at_most() {
        for (kind, count) in [(Kind::Contracts, 9), (Kind::Letters, 30)] {
            for (text, words) in texts(kind, count, 3).iter().zip(lengths(kind, count, 3)) {
                let found = word_count(text);
                assert!(found >= words && found < words + 80, "{found} words for {words}");
            }
        }
    }

    #[test]
    fn the_normal_quantile_has_its_known_values() {
        for (share, expected) in [(0.5, 0.0), (0.841_345, 1.0), (0.025, -1.959_964), (0.999, 3.090_232)] {
            assert!((normal_quantile(share) - expected).abs() < 4.5e-4 + 1e-6, "{share}");
        }
    }
}
