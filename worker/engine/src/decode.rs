//! Scores -> entities. Pure.
//!
//! `viterbi` reads each window by itself. Here the readings become one for the whole text, and runs of words become entities. An
//! entity's text stands in the extracted text exactly where its span says.

mod gaps;
mod viterbi;

use std::ops::Range;

use docket_contract::entity::Entity;
use gaps::Gaps;

pub use viterbi::{WindowScores, WordScore, read};

use crate::infer::labels::Labels;
use crate::place::Places;
use crate::window::Windows;
use docket_extract::ExtractedText;

/// An entity as a kind and a range of words, with the product of the words' probabilities.
#[derive(Debug, Clone, PartialEq)]
struct Found {
    kind: usize,
    words: Range<usize>,
    probability: f32,
    /// A gap in the text tore the entity off the one before it.
    torn_before: bool,
    torn_behind: bool,
}

/// What a model found in a text: entities as words, without text or place yet.
#[derive(Debug)]
pub struct Findings(Vec<Found>);

impl Findings {
    /// Number of findings: as many as there will be entities, or a few more.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the model found nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The entities of a text, in reading order and without overlap: [`find`], then [`place`].
pub fn entities(text: &ExtractedText, windows: &Windows, scores: Vec<WindowScores>, labels: &Labels) -> Vec<Entity> {
    place(text, windows, &find(text, windows, scores, labels), labels)
}

/// Finds the entities of a text. `windows` are the text's windows, and `scores` are theirs.
///
/// An entity's `score` is the probability of the entity as a whole, as far as the model's words are independent. It is the
/// product of the words' probabilities and of the probability that the next word does not continue the entity. Of the scores
/// tried (mean, least, product, with and without temperature) the product tells right from wrong best without a parameter; the
/// model's card has the figures.
pub fn find(text: &ExtractedText, windows: &Windows, scores: Vec<WindowScores>, labels: &Labels) -> Findings {
    let words = merge(windows, scores, labels);
    let mut gaps = Gaps::new(text, windows.tokens());
    Findings(group(&words, labels, |word| gaps.tear_before(word)))
}

/// Merges the windows' readings into one reading of every word. Where two windows overlap, the earlier reading holds up to a seam
/// and the later one from there. The seam is the middle of the overlap, which is farthest from both windows' edges. If an entity
/// would be torn there, the seam is the nearest word at which neither reading continues an entity. Each window's reading is
/// dropped once merged: there may be hundreds of megabytes.
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

/// The word from which the later reading holds. The later reading starts at word `start`, the earlier one ends where `merged`
/// does.
fn seam(merged: &[WordScore], later: &[WordScore], start: usize, labels: &Labels) -> usize {
    let end = merged.len();
    let middle = start + (end - start) / 2;
    let clean = |&word: &usize| !goes_on(merged, word, labels) && !goes_on(later, word - start, labels);
    (start..=end)
        .filter(clean)
        .min_by_key(|word| word.abs_diff(middle))
        .unwrap_or(middle)
}

/// Whether a reading has this word, and continues the entity of the word before with it.
fn goes_on(reading: &[WordScore], word: usize, labels: &Labels) -> bool {
    let tag = |word: usize| reading.get(word).map(|score| labels.tag(score.label));
    match (word.checked_sub(1).and_then(tag), tag(word)) {
        (Some(before), Some(tag)) => tag.goes_on(before),
        (None, _) | (_, None) => false,
    }
}

/// Joins words into entities. A word that should continue an entity but cannot begins a new one: two readings tore it at a seam,
/// or a gap in the text does.
fn group(words: &[WordScore], labels: &Labels, mut tear_before: impl FnMut(usize) -> bool) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for (word, score) in words.iter().enumerate() {
        let Some(kind) = labels.tag(score.label).kind() else {
            continue;
        };
        let goes_on = goes_on(words, word, labels);
        let torn = goes_on && tear_before(word);
        match found.last_mut() {
            Some(last) if goes_on && !torn => {
                last.words.end += 1;
                last.probability *= score.probability;
            }
            last => {
                if let Some(last) = last.filter(|_| torn) {
                    last.torn_behind = true;
                }
                found.push(Found {
                    kind,
                    words: word..word + 1,
                    probability: score.probability,
                    torn_before: torn,
                    torn_behind: false,
                });
            }
        }
    }
    for entity in found.iter_mut().filter(|entity| !entity.torn_behind) {
        entity.probability *= words.get(entity.words.end).map_or(1.0, |next| 1.0 - next.goes_on);
    }
    found
}

/// Entities with their places, in one pass over the tokens and one over the text, however many entities there are.
pub fn place(text: &ExtractedText, windows: &Windows, findings: &Findings, labels: &Labels) -> Vec<Entity> {
    let (tokens, Findings(found)) = (windows.tokens(), findings);
    let mut entities = Vec::with_capacity(found.len());
    let mut token = 0;
    let mut places = Places::new(text);
    for entity in found {
        while tokens.word(token) < entity.words.start {
            token += 1;
        }
        let start = tokens.bytes(token).start;
        while token < tokens.len() && tokens.word(token) < entity.words.end {
            token += 1;
        }
        let Some(placed) = places.next(start..tokens.bytes(token - 1).end) else {
            continue;
        };
        let span = placed.span;
        let torn = entity.torn_before || entity.torn_behind;
        if torn && !may_stand_alone(&text.text[span.bytes()]) {
            continue;
        }
        let (label, score) = (labels.kinds()[entity.kind].clone(), entity.probability.clamp(0.0, 1.0));
        entities.push(placed.entity(text, label, score));
    }
    entities
}

/// Fewest digits that make a torn-off part a sum or a year. Fewer digits number a paragraph, a page or a line.
const PART_DIGITS_MIN: usize = 3;

/// Whether a part that a gap tore off may stand alone. A capital, or a letter of a script without capitals, makes a name; some
/// digits make a sum or a year. So `the` a blank line before a name may not, nor the number of the next paragraph. In contracts
/// most gaps stand between two names in two columns or two sums of a table: both parts stay.
fn may_stand_alone(part: &str) -> bool {
    let digits = part.chars().filter(|c| c.is_numeric()).count();
    digits >= PART_DIGITS_MIN || part.chars().any(|c| c.is_alphabetic() && !c.is_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::labels::ModelConfig;
    use crate::infer::manifest::LabelScheme;
    use crate::steps::taken;
    use crate::window::{Splitter, tokenizers};

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
        group(&self::words(words), &labels(scheme), |_| false)
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
        let scores: Vec<f32> = group(&words, &labels(BIO), |_| false)
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

    /// The entities of a model that labels a text's words with `given`, over and over, and the steps that finding them takes.
    fn found(text: &ExtractedText, splitter: &Splitter, given: &[u16]) -> (Vec<Entity>, usize) {
        let labels = labels(BIO);
        let windows = splitter.split(&text.text).expect("it can be cut");
        let scores = |window| WindowScores {
            words: words(given)
                .into_iter()
                .cycle()
                .take(windows.words(window).len())
                .collect(),
        };
        let scores: Vec<WindowScores> = (0..windows.len()).map(scores).collect();
        let mut entities = Vec::new();
        let steps = taken(|| entities = self::entities(text, &windows, scores, &labels));
        (entities, steps)
    }

    #[test]
    fn no_entity_goes_on_behind_a_blank_line_or_in_another_column() {
        let [_, _, splitter] = splitters();
        let surfaces = |text: &str| {
            let text = ExtractedText::from(text.to_owned());
            let (entities, _) = found(&text, &splitter, &[1, 2, 2, 2, 2, 2, 2, 2]);
            entities.into_iter().map(|entity| entity.text).collect::<Vec<_>>()
        };
        assert_eq!(surfaces("North\n\nSouth"), ["North", "South"]);
        assert_eq!(surfaces("North\r\n \r\nSouth"), ["North", "South"]);
        assert_eq!(surfaces("North\u{c}South"), ["North", "South"]);
        assert_eq!(surfaces("North\u{1e}South"), ["North", "South"]);
        assert_eq!(surfaces("the\n\nNorth\n\nof"), ["North"], "lower case is no name");
        assert_eq!(
            surfaces("North\n\n13"),
            ["North"],
            "the number of a paragraph is no part"
        );
        assert_eq!(surfaces("May\n\n2020    \u{4e2d}"), ["May", "2020", "\u{4e2d}"]);
        assert_eq!(surfaces("North    South"), ["North", "South"]);
        for whole in [
            "North\nSouth",
            "North\r\n        South",
            "North     \nSouth",
            "North   South",
        ] {
            assert_eq!(surfaces(whole), [whole]);
        }
    }

    #[test]
    fn a_part_has_the_score_of_its_own_words() {
        let text = ExtractedText::from("North\n\nSouth East".to_owned());
        let [_, _, splitter] = splitters();
        let (entities, _) = found(&text, &splitter, &[1, 2, 2]);
        let scores: Vec<f32> = entities.iter().map(|entity| entity.score).collect();
        assert_eq!(scores, [0.5, 0.25]);
    }

    #[test]
    fn twice_the_text_is_twice_the_work() {
        let units = [
            "\u{301}",
            "\u{200d}",
            "\u{903}",
            "\u{1f1e9}",
            " ",
            "\n",
            "x",
            "x ",
            "\u{1}",
        ];
        for splitter in splitters() {
            for (unit, given) in units.iter().flat_map(|unit| [(unit, &[1_u16][..]), (unit, &[1, 2, 2])]) {
                let steps = |count: usize| {
                    let text = ExtractedText::from(format!("a{}", unit.repeat(count)));
                    found(&text, &splitter, given).1
                };
                let (once, twice) = (steps(500), steps(1_000));
                assert!(
                    twice <= once * 9 / 4 + 100,
                    "{once}, then {twice} steps for {unit:?}, {given:?}"
                );
            }
        }
    }

    fn splitters() -> [Splitter; 3] {
        tokenizers().map(|tokenizer| Splitter::new(tokenizer, 192, 32))
    }
}
