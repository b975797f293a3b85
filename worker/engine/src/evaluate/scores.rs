//! Precision, recall and F1 of whole entities, as seqeval 1.2 counts them in its default mode. An entity is right only with the
//! right label and exactly the right words. Labels that never occur in the data count as found wrongly, in the macro average too.
//! A division by zero gives 0.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use crate::evaluate::Mention;

/// Counts of entities, of one label or of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Entities that were found and are right.
    pub correct: usize,
    /// Entities that were found.
    pub found: usize,
    /// Entities in the data.
    pub expected: usize,
}

/// Three figures, each 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Share of the found entities that are right.
    pub precision: f64,
    /// Share of the expected entities that were found.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
}

/// Counts by label.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scores {
    /// Every label that was expected or found.
    pub labels: BTreeMap<String, Counts>,
}

impl Counts {
    /// The figures of these counts.
    pub fn figures(self) -> Figures {
        let share = |of: usize, whole: usize| if whole == 0 { 0.0 } else { of as f64 / whole as f64 };
        Figures {
            precision: share(self.correct, self.found),
            recall: share(self.correct, self.expected),
            // Equals the harmonic mean, and is defined where precision or recall is not.
            f1: share(2 * self.correct, self.found + self.expected),
        }
    }
}

impl Scores {
    /// Counts one text. An entity found twice, at the same place with the same label, counts once.
    pub fn add<'a>(&mut self, expected: &[&'a Mention], found: impl Iterator<Item = &'a Mention>) {
        let expected: HashSet<&Mention> = expected.iter().copied().collect();
        for mention in &expected {
            self.of(&mention.label).expected += 1;
        }
        for mention in found.collect::<HashSet<&Mention>>() {
            let counts = self.of(&mention.label);
            counts.found += 1;
            counts.correct += usize::from(expected.contains(mention));
        }
    }

    /// Counts of all labels together: each entity weighs the same.
    pub fn micro(&self) -> Counts {
        self.labels.values().fold(Counts::default(), |sum, counts| Counts {
            correct: sum.correct + counts.correct,
            found: sum.found + counts.found,
            expected: sum.expected + counts.expected,
        })
    }

    /// The mean of the labels' figures: each label weighs the same.
    pub fn macro_average(&self) -> Figures {
        let count = self.labels.len().max(1) as f64;
        let mean = |figure: fn(Figures) -> f64| {
            let figures = self.labels.values().map(|counts| figure(counts.figures()));
            figures.sum::<f64>() / count
        };
        Figures {
            precision: mean(|figures| figures.precision),
            recall: mean(|figures| figures.recall),
            f1: mean(|figures| figures.f1),
        }
    }

    /// Labels that were found but never occur in the data: wrong findings, or data that does not know these labels.
    pub fn unseen(&self) -> impl Iterator<Item = &str> {
        let unseen = self.labels.iter().filter(|(_, counts)| counts.expected == 0);
        unseen.map(|(label, _)| label.as_str())
    }

    fn of(&mut self, label: &str) -> &mut Counts {
        self.labels.entry(label.to_owned()).or_default()
    }
}
