//! One window's scores -> the best labels for its words that BIO allows.
//!
//! An inside may only follow a word of the same kind. Forbidding the rest, instead of taking each word's own best label,
//! is worth up to two points of F1 and costs a thousandth of what the model does. A word's label is that of its first
//! token. What is kept of a word is its label and that label's probability: eight bytes, not a float for each label.

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
    /// The label, as its place among the model's outputs.
    pub label: u16,
    /// The label's probability, 0 to 1.
    pub probability: f32,
}

/// Reads a window: for each word the scores of all labels, as the model gave them (logits).
pub fn read(labels: &Labels, words: &[&[f32]]) -> Result<WindowScores, InferError> {
    if !words.iter().copied().flatten().all(|score| score.is_finite()) {
        return Err(InferError::NotFinite);
    }
    let mut paths = Paths::new(labels, words.len());
    for scores in words {
        paths.step(scores);
    }
    let score = |(scores, label): (&&[f32], u16)| WordScore {
        label,
        probability: probability(scores, usize::from(label)),
    };
    Ok(WindowScores {
        words: words.iter().zip(paths.best()).map(score).collect(),
    })
}

/// Softmax of one label.
fn probability(scores: &[f32], label: usize) -> f32 {
    let sum: f32 = scores.iter().map(|score| (score - scores[label]).exp()).sum();
    1.0 / sum
}

/// The best sequence of labels that ends in each label, for the words so far.
struct Paths<'a> {
    labels: &'a Labels,
    /// For each kind the labels that its inside may follow: its beginning and its inside.
    members: Vec<Vec<u16>>,
    totals: Vec<f32>,
    /// For each word and label, the label of the word before on the best way to it.
    came_from: Vec<u16>,
}

impl<'a> Paths<'a> {
    fn new(labels: &'a Labels, words: usize) -> Self {
        let mut members = vec![Vec::new(); labels.kinds().len()];
        for (label, tag) in (0..).zip(labels.tags()) {
            if let Tag::Begin(kind) | Tag::Inside(kind) = *tag {
                members[kind].push(label);
            }
        }
        Self {
            labels,
            members,
            totals: Vec::new(),
            came_from: Vec::with_capacity(words * labels.len()),
        }
    }

    /// What is the same for all labels of a word (its softmax's sum) is the same on every way: raw scores can be added.
    fn step(&mut self, scores: &[f32]) {
        let before = std::mem::take(&mut self.totals);
        let best = best_of(&before, 0..self.labels.len() as u16);
        for (&tag, &score) in self.labels.tags().iter().zip(scores) {
            let from = match tag {
                Tag::Inside(kind) => best_of(&before, self.members[kind].iter().copied()),
                Tag::Begin(_) | Tag::Outside => best,
            };
            let total = match tag {
                _ if !before.is_empty() => before[usize::from(from)],
                Tag::Inside(_) => f32::NEG_INFINITY, // Nothing stands before the first word.
                Tag::Begin(_) | Tag::Outside => 0.0,
            };
            self.came_from.push(from);
            self.totals.push(total + score);
        }
    }

    /// The labels of the best way, by walking it back from its end.
    fn best(&self) -> Vec<u16> {
        let width = self.labels.len();
        let words = self.came_from.len() / width;
        let mut path = vec![best_of(&self.totals, 0..width as u16); words];
        for word in (1..words).rev() {
            path[word - 1] = self.came_from[word * width + usize::from(path[word])];
        }
        path
    }
}

/// The label with the highest total; 0 where there are none yet.
fn best_of(totals: &[f32], labels: impl Iterator<Item = u16>) -> u16 {
    let total = |&label: &u16| totals.get(usize::from(label)).copied().unwrap_or(f32::NEG_INFINITY);
    labels.max_by(|a, b| total(a).total_cmp(&total(b))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::infer::labels::ModelConfig;
    use crate::infer::manifest::LabelScheme;

    /// I-A, O, B-A, B-B, I-B.
    fn labels() -> Labels {
        let names = ["I-A", "O", "B-A", "B-B", "I-B"];
        let config = ModelConfig {
            id2label: names
                .iter()
                .enumerate()
                .map(|(id, name)| (id.to_string(), (*name).to_owned()))
                .collect(),
            pad_token_id: 0,
            max_position_embeddings: None,
        };
        Labels::of(&config, LabelScheme::Bio).expect("they are BIO")
    }

    fn allowed(labels: &Labels, path: &[u16]) -> bool {
        path.iter().enumerate().all(|(word, &label)| match labels.tag(label) {
            Tag::Inside(kind) => {
                word > 0 && [Tag::Begin(kind), Tag::Inside(kind)].contains(&labels.tag(path[word - 1]))
            }
            Tag::Begin(_) | Tag::Outside => true,
        })
    }

    fn total(words: &[Vec<f32>], path: &[u16]) -> f32 {
        words
            .iter()
            .zip(path)
            .map(|(scores, &label)| scores[usize::from(label)])
            .sum()
    }

    /// Every sequence of labels there is.
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
        fn no_allowed_sequence_is_better(words in prop::collection::vec(prop::collection::vec(-9.0_f32..9.0, 5), 0..5)) {
            let labels = labels();
            let slices: Vec<&[f32]> = words.iter().map(Vec::as_slice).collect();
            let scores = read(&labels, &slices).expect("they are numbers");
            let path: Vec<u16> = scores.words.iter().map(|word| word.label).collect();
            prop_assert_eq!(path.len(), words.len());
            prop_assert!(allowed(&labels, &path));
            let every = every_path(5, words.len());
            let best = every.iter().filter(|path| allowed(&labels, path)).map(|path| total(&words, path)).fold(f32::MIN, f32::max);
            prop_assert!(words.is_empty() || (total(&words, &path) - best).abs() < 1e-4);
            prop_assert!(scores.words.iter().all(|word| (0.0..=1.0).contains(&word.probability)));
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for bad in [f32::NAN, f32::INFINITY] {
            assert!(matches!(
                read(&labels(), &[&[0.0, bad, 0.0, 0.0, 0.0]]),
                Err(InferError::NotFinite)
            ));
        }
    }
}
