//! One window's scores -> the best labels for its words that the model's scheme allows.
//!
//! An inside follows only a word of the same kind. Where the scheme marks last words, every entity ends with one. Forbidding all
//! else, instead of taking each word's own best label, is worth up to two points of F1 and costs a thousandth of the model's
//! time. A word has the label of its first token. Twelve bytes are kept per word, its label and two probabilities, not a float
//! per label.

use crate::infer::InferError;
use crate::infer::labels::{Labels, Tag};

/// What one window says about the words that begin in it.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowScores {
    /// The words, in reading order.
    pub words: Vec<WordScore>,
}

/// What a window says about a word.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WordScore {
    /// The label, as its index among the model's outputs.
    pub label: u16,
    /// The label's probability, 0 to 1.
    pub probability: f32,
    /// The probability that the word continues the entity of the word before, 0 to 1; 0 where that word is in none.
    pub goes_on: f32,
}

/// Reads a window. `words` holds for each word the scores (logits) that the model gave to the labels.
pub fn read(labels: &Labels, words: &[&[f32]]) -> Result<WindowScores, InferError> {
    if !words.iter().copied().flatten().all(|score| score.is_finite()) {
        return Err(InferError::NotFinite);
    }
    let mut paths = Paths::new(labels, words.len());
    for scores in words {
        paths.step(scores);
    }
    let mut before = Tag::Outside;
    let score = |(scores, label): (&&[f32], u16)| {
        let score = score(labels, scores, label, before);
        before = labels.tag(label);
        score
    };
    Ok(WindowScores {
        words: words.iter().zip(paths.best()).map(score).collect(),
    })
}

/// A word's probabilities, by softmax over its scores.
fn score(labels: &Labels, scores: &[f32], label: u16, before: Tag) -> WordScore {
    let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weight = |score: f32| (score - highest).exp();
    let (mut sum, mut going_on) = (0.0, 0.0);
    for (tag, &score) in labels.tags().iter().zip(scores) {
        let weight = weight(score);
        sum += weight;
        if tag.goes_on(before) {
            going_on += weight;
        }
    }
    WordScore {
        label,
        probability: weight(scores[usize::from(label)]) / sum,
        goes_on: going_on / sum,
    }
}

/// For each label, the best sequence of labels that ends in it, over the words so far.
struct Paths<'a> {
    labels: &'a Labels,
    /// Labels that may end the text or stand before a new entity, since nothing need continue theirs.
    closed: Vec<u16>,
    /// For each kind, the labels that a further word of the entity may follow.
    open: Vec<Vec<u16>>,
    totals: Vec<f32>,
    /// For each word and label, the label of the word before on the best path.
    came_from: Vec<u16>,
}

impl<'a> Paths<'a> {
    fn new(labels: &'a Labels, words: usize) -> Self {
        let mut open = vec![Vec::new(); labels.kinds().len()];
        let mut closed = Vec::with_capacity(labels.len());
        for (label, tag) in (0..).zip(labels.tags()) {
            let opener = match *tag {
                Tag::Begin(kind) | Tag::Inside(kind) => Some(kind),
                Tag::Outside | Tag::End(_) | Tag::Single(_) | Tag::Part(_) => None,
            };
            if let Some(kind) = opener {
                open[kind].push(label);
            }
            if opener.is_none() || !labels.says_ends() {
                closed.push(label);
            }
        }
        Self {
            labels,
            closed,
            open,
            totals: Vec::new(),
            came_from: Vec::with_capacity(words * labels.len()),
        }
    }

    /// Raw scores can be added: the sum of a word's softmax is the same for all its labels, and so on every path.
    fn step(&mut self, scores: &[f32]) {
        let before = std::mem::take(&mut self.totals);
        let best = best_of(&before, &self.closed);
        for (&tag, &score) in self.labels.tags().iter().zip(scores) {
            let from = match tag {
                Tag::Inside(kind) | Tag::End(kind) => best_of(&before, &self.open[kind]),
                Tag::Outside | Tag::Begin(_) | Tag::Single(_) | Tag::Part(_) => best,
            };
            let total = match before.get(usize::from(from)) {
                Some(total) => *total,
                None if tag.needs_before() => f32::NEG_INFINITY, // No word stands before the first.
                None => 0.0,
            };
            self.came_from.push(from);
            self.totals.push(total + score);
        }
    }

    /// The labels of the best path, walked back from its end.
    fn best(&self) -> Vec<u16> {
        let width = self.labels.len();
        let words = self.came_from.len() / width;
        let mut path = vec![best_of(&self.totals, &self.closed); words];
        for word in (1..words).rev() {
            path[word - 1] = self.came_from[word * width + usize::from(path[word])];
        }
        path
    }
}

/// The label with the highest total; 0 where there are none yet.
fn best_of(totals: &[f32], labels: &[u16]) -> u16 {
    let total = |label: u16| totals.get(usize::from(label)).copied().unwrap_or(f32::NEG_INFINITY);
    let highest = labels.iter().copied().max_by(|&a, &b| total(a).total_cmp(&total(b)));
    highest.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::infer::labels::ModelConfig;
    use crate::infer::manifest::LabelScheme;

    /// A model's labels in each scheme, not in their usual order.
    const SCHEMES: [(LabelScheme, &[&str]); 3] = [
        (LabelScheme::Bio, &["I-A", "O", "B-A", "B-B", "I-B"]),
        (LabelScheme::Bioes, &["E-A", "I-A", "O", "B-A", "S-B"]),
        (LabelScheme::Plain, &["A", "O", "B", "C", "D"]),
    ];

    fn labels(scheme: LabelScheme, names: &[&str]) -> Labels {
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

    /// The rules once more, by names: what may stand before a word and behind it. Outside the text stands "O".
    fn allowed(scheme: LabelScheme, names: &[&str], path: &[u16]) -> bool {
        let named: Vec<&str> = path.iter().map(|&label| names[usize::from(label)]).collect();
        let around: Vec<&str> = [&["O"], &named[..], &["O"]].concat();
        around.windows(2).all(|pair| {
            let [(before, kind_before), (word, kind)] =
                [pair[0], pair[1]].map(|name| name.split_once('-').unwrap_or((name, "")));
            let goes_on = ["I", "E"].contains(&word);
            let is_open = ["B", "I"].contains(&before);
            match scheme {
                LabelScheme::Bio => !goes_on || (is_open && kind == kind_before),
                LabelScheme::Bioes => goes_on == is_open && (!goes_on || kind == kind_before),
                LabelScheme::Plain => true,
            }
        })
    }

    fn total(words: &[Vec<f32>], path: &[u16]) -> f32 {
        words
            .iter()
            .zip(path)
            .map(|(scores, &label)| scores[usize::from(label)])
            .sum()
    }

    /// Every sequence of labels of this length.
    fn every_path(width: u16, words: usize) -> Vec<Vec<u16>> {
        (0..words).fold(vec![Vec::new()], |paths, _| {
            paths
                .iter()
                .flat_map(|path| (0..width).map(move |label| [path.as_slice(), &[label]].concat()))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn no_allowed_sequence_is_better(
            (scheme, names) in prop::sample::select(&SCHEMES[..]),
            words in prop::collection::vec(prop::collection::vec(-9.0_f32..9.0, 5), 0..5),
        ) {
            let labels = labels(scheme, names);
            let slices: Vec<&[f32]> = words.iter().map(Vec::as_slice).collect();
            let scores = read(&labels, &slices).expect("they are numbers");
            let path: Vec<u16> = scores.words.iter().map(|word| word.label).collect();
            prop_assert_eq!(path.len(), words.len());
            prop_assert!(allowed(scheme, names, &path), "{path:?}");
            let every = every_path(5, words.len());
            let best = every
                .iter()
                .filter(|path| allowed(scheme, names, path))
                .map(|path| total(&words, path))
                .fold(f32::MIN, f32::max);
            prop_assert!(words.is_empty() || (total(&words, &path) - best).abs() < 1e-4);
            prop_assert!(scores.words.iter().all(|word| (0.0..=1.0).contains(&word.probability)));
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let (scheme, names) = SCHEMES[0];
        for bad in [f32::NAN, f32::INFINITY] {
            assert!(matches!(
                read(&labels(scheme, names), &[&[0.0, bad, 0.0, 0.0, 0.0]]),
                Err(InferError::NotFinite)
            ));
        }
    }
}
