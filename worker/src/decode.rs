//! Scores -> entities: step 11 of a document's way. Pure.
//!
//! `viterbi` reads each window by itself; here the readings become one for the whole text, and runs of words become
//! entities whose text stands in the extracted text exactly where their span says.

mod viterbi;

use std::ops::Range;

use docket_shared::entity::{Entity, Span};

pub use viterbi::{WindowScores, WordScore, read};

use crate::extract::ExtractedText;
use crate::infer::labels::Labels;
use crate::window::{Tokens, Windows, as_u32};

/// An entity's words: its kind and which words, with the product of their probabilities.
#[derive(Debug, Clone, PartialEq)]
struct Found {
    kind: usize,
    words: Range<usize>,
    probability: f32,
}

/// The entities of a text, in reading order, none overlapping another.
///
/// `score` is the probability of the entity as a whole, as far as the model's words are independent: the product of its
/// words' and of that the next word does not go on with it. Of the ways tried (mean, least, product, with and without
/// temperature) it tells right from wrong best without a parameter; the model's card has the figures. `windows` are those of this text, and `scores` theirs.
pub fn entities(text: &ExtractedText, windows: &Windows, scores: Vec<WindowScores>, labels: &Labels) -> Vec<Entity> {
    let words = merge(windows, scores, labels);
    let found = group(&words, labels);
    place(text, windows.tokens(), &found, labels)
}

/// One reading of every word. Where two windows overlap, the earlier one's holds up to some word and the later one's from
/// there: the middle of the overlap, where both are farthest from an edge, or the nearest word to it at which neither
/// goes on with an entity, so that none is torn. Each window's is let go once it is merged: there may be hundreds of megabytes.
fn merge(windows: &Windows, scores: Vec<WindowScores>, labels: &Labels) -> Vec<WordScore> {
    let mut merged: Vec<WordScore> = Vec::with_capacity(windows.tokens().word_count());
    for (window, scores) in scores.into_iter().enumerate() {
        let words = windows.words(window);
        debug_assert_eq!(words.len(), scores.words.len(), "scores of another window");
        debug_assert!(words.start <= merged.len(), "a word was left out");
        let seam = seam(&merged, &scores.words, words.start, labels);
        merged.truncate(seam);
        merged.extend_from_slice(&scores.words[seam - words.start..]);
    }
    merged
}

/// The word from which on the later reading holds. It starts at word `start`; the earlier one ends where `merged` does.
fn seam(merged: &[WordScore], later: &[WordScore], start: usize, labels: &Labels) -> usize {
    let end = merged.len();
    let middle = start + (end - start) / 2;
    let clean = |&word: &usize| !goes_on(merged, word, labels) && !goes_on(later, word - start, labels);
    (start..=end)
        .filter(clean)
        .min_by_key(|word| word.abs_diff(middle))
        .unwrap_or(middle)
}

/// Whether a reading has a word, and in it the word belongs to the entity of the word before.
fn goes_on(reading: &[WordScore], word: usize, labels: &Labels) -> bool {
    let tag = |word: usize| reading.get(word).map(|score| labels.tag(score.label));
    match (word.checked_sub(1).and_then(tag), tag(word)) {
        (Some(before), Some(tag)) => tag.goes_on(before),
        (None, _) | (_, None) => false,
    }
}

/// Runs of words that are one entity. A word that should go on with one and cannot (two readings tore it at a seam) begins
/// one.
fn group(words: &[WordScore], labels: &Labels) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for (word, score) in words.iter().enumerate() {
        let Some(kind) = labels.tag(score.label).kind() else {
            continue;
        };
        match found.last_mut() {
            Some(last) if goes_on(words, word, labels) => {
                last.words.end += 1;
                last.probability *= score.probability;
            }
            _ => found.push(Found {
                kind,
                words: word..word + 1,
                probability: score.probability,
            }),
        }
    }
    for entity in &mut found {
        entity.probability *= words.get(entity.words.end).map_or(1.0, |next| 1.0 - next.goes_on);
    }
    found
}

/// Entities with their places: one pass over the tokens and one over the text, however many there are.
fn place(text: &ExtractedText, tokens: &Tokens, found: &[Found], labels: &Labels) -> Vec<Entity> {
    let mut entities = Vec::with_capacity(found.len());
    let mut token = 0;
    let mut scalars = ScalarCounter::new(&text.text);
    for entity in found {
        while tokens.word(token) < entity.words.start {
            token += 1;
        }
        let start = tokens.bytes(token).start.max(scalars.byte);
        while token < tokens.len() && tokens.word(token) < entity.words.end {
            token += 1;
        }
        let end = tokens.bytes(token - 1).end;
        let Some(bytes) = trimmed(&text.text, start..end) else {
            continue;
        };
        let span = Span {
            start: scalars.count_to(bytes.start),
            end: scalars.count_to(bytes.end),
            start_byte: as_u32(bytes.start),
            end_byte: as_u32(bytes.end),
        };
        entities.push(Entity {
            label: labels.kinds()[entity.kind].clone(),
            text: text.text[bytes.clone()].to_owned(),
            span,
            page: text.pages.as_ref().map(|pages| pages.page_at(bytes.start)),
            score: entity.probability.clamp(0.0, 1.0),
        });
    }
    entities
}

/// The range without whitespace at its ends; none if nothing is left.
fn trimmed(text: &str, bytes: Range<usize>) -> Option<Range<usize>> {
    let surface = text.get(bytes.clone())?;
    let head = surface.trim_start();
    let start = bytes.end - head.len();
    let end = start + head.trim_end().len();
    (start < end).then_some(start..end)
}

/// Counts the Unicode scalar values of a text from its start, forward only.
struct ScalarCounter<'a> {
    text: &'a str,
    byte: usize,
    scalars: usize,
}

impl<'a> ScalarCounter<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            byte: 0,
            scalars: 0,
        }
    }

    fn count_to(&mut self, byte: usize) -> u32 {
        self.scalars += self.text[self.byte..byte].chars().count();
        self.byte = byte;
        as_u32(self.scalars)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::labels::ModelConfig;
    use crate::infer::manifest::LabelScheme;

    const BIO: (LabelScheme, &[&str]) = (LabelScheme::Bio, &["O", "B-A", "I-A", "B-B", "I-B"]);
    const BIOES: (LabelScheme, &[&str]) = (LabelScheme::Bioes, &["O", "B-A", "I-A", "E-A", "S-A", "S-B"]);
    const PLAIN: (LabelScheme, &[&str]) = (LabelScheme::Plain, &["O", "A", "B"]);

    fn labels((scheme, names): (LabelScheme, &[&str])) -> Labels {
        let config = ModelConfig {
            id2label: names
                .iter()
                .enumerate()
                .map(|(id, name)| (id.to_string(), (*name).to_owned()))
                .collect(),
            pad_token_id: 0,
            max_position_embeddings: None,
        };
        Labels::of(&config, scheme).expect("they are labels of the scheme")
    }

    fn words(labels: &[u16]) -> Vec<WordScore> {
        labels
            .iter()
            .map(|&label| WordScore {
                label,
                probability: 0.5,
                goes_on: 0.0,
            })
            .collect()
    }

    fn ranges(scheme: (LabelScheme, &[&str]), words: &[u16]) -> Vec<(usize, Range<usize>)> {
        group(&self::words(words), &labels(scheme))
            .into_iter()
            .map(|found| (found.kind, found.words))
            .collect()
    }

    #[test]
    fn words_of_one_kind_go_on_until_another_begins() {
        assert_eq!(ranges(BIO, &[0, 1, 2, 2, 0, 3]), [(0, 1..4), (1, 5..6)]);
        assert_eq!(ranges(BIO, &[1, 1, 3, 4]), [(0, 0..1), (0, 1..2), (1, 2..4)]);
        assert_eq!(
            ranges(BIO, &[2, 2, 4, 0, 4]),
            [(0, 0..2), (1, 2..3), (1, 4..5)],
            "torn ones begin anew"
        );
    }

    #[test]
    fn words_go_on_until_the_last_one_where_labels_tell_it() {
        assert_eq!(ranges(BIOES, &[1, 2, 3, 1, 3]), [(0, 0..3), (0, 3..5)]);
        assert_eq!(ranges(BIOES, &[4, 4, 5]), [(0, 0..1), (0, 1..2), (1, 2..3)]);
        assert_eq!(
            ranges(BIOES, &[1, 2, 0, 2, 3, 3]),
            [(0, 0..2), (0, 3..5), (0, 5..6)],
            "torn ones end early and begin anew"
        );
    }

    #[test]
    fn adjoining_words_of_one_plain_label_are_one_entity() {
        assert_eq!(ranges(PLAIN, &[1, 1, 2, 0, 2, 2]), [(0, 0..2), (1, 2..3), (1, 4..6)]);
    }

    #[test]
    fn a_score_counts_every_word_and_that_the_next_does_not_go_on() {
        let mut words = words(&[0, 1, 2, 0, 3]);
        words[3].goes_on = 0.2;
        let scores: Vec<f32> = group(&words, &labels(BIO))
            .iter()
            .map(|found| found.probability)
            .collect();
        assert_eq!(scores, [0.5 * 0.5 * 0.8, 0.5]);
    }

    #[test]
    fn the_seam_is_the_middle_unless_it_would_tear_an_entity() {
        let labels = labels(BIO);
        let seam_of = |earlier: &[u16], later: &[u16]| seam(&words(earlier), &words(later), 2, &labels);
        assert_eq!(seam_of(&[0; 6], &[0; 6]), 4);
        assert_eq!(seam_of(&[0, 0, 0, 1, 2, 0], &[0, 1, 2, 0, 0, 0]), 3);
        assert_eq!(seam_of(&[0, 0, 0, 1, 2, 0], &[2, 2, 2, 0, 0, 0]), 5);
        assert_eq!(
            seam_of(&[0, 1, 2, 2, 2, 2], &[0, 0, 0, 0]),
            6,
            "the earlier reading goes on to its end"
        );
        assert_eq!(seam_of(&[0, 0], &[0; 3]), 2, "no overlap");
        assert_eq!(seam_of(&[1, 2, 2, 2], &[2, 2, 2]), 3, "torn anyhow: the middle");
    }

    #[test]
    fn the_seam_is_found_in_every_scheme() {
        let bioes = labels(BIOES);
        let seam_of = |earlier: &[u16], later: &[u16]| seam(&words(earlier), &words(later), 2, &bioes);
        assert_eq!(seam_of(&[0, 0, 0, 1, 3, 0], &[0, 1, 3, 0, 0, 0]), 3);
        assert_eq!(
            seam_of(&[0, 0, 0, 4, 4, 0], &[0, 4, 4, 0, 0, 0]),
            4,
            "single words are not torn"
        );

        let plain = labels(PLAIN);
        let seam_of = |earlier: &[u16], later: &[u16]| seam(&words(earlier), &words(later), 2, &plain);
        assert_eq!(seam_of(&[0, 0, 0, 1, 1, 0], &[0, 1, 1, 0, 0, 0]), 3);
        assert_eq!(
            seam_of(&[0, 0, 0, 1, 2, 0], &[0, 1, 2, 0, 0, 0]),
            4,
            "another kind does not go on"
        );
    }

    #[test]
    fn a_range_is_trimmed_to_its_surface() {
        assert_eq!(trimmed("a  b c \n", 1..8), Some(3..6));
        assert_eq!(trimmed("a  b", 1..3), None);
    }
}
