//! Counts of entities by label, and where wrong answers come from.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::f1::Found;

/// An answer as a range of tokens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Answer {
    /// Label and range.
    pub found: Found,
    /// Whether a recogniser found it, and not the model.
    pub of_recogniser: bool,
}

/// Counts of one label, or of all. Each wrong answer counts once, under the first of the four ways that fits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Labelled entities.
    pub expected: usize,
    /// Answers.
    pub found: usize,
    /// Answers with exactly the label and the range of a labelled entity.
    pub right: usize,
    /// Wrong: the label is right, and a part of the range.
    pub boundary: usize,
    /// Wrong: the range is right, and the label is not.
    pub label: usize,
    /// Wrong: neither is right, and the answer overlaps with a labelled entity.
    pub label_and_boundary: usize,
    /// Wrong: nothing is labelled there.
    pub unlabelled: usize,
    /// Of the wrong ones, those that only recognisers found.
    pub wrong_of_recognisers: usize,
    /// Labelled entities with which no answer overlaps.
    pub missed: usize,
}

/// Counts by label.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table(pub BTreeMap<String, Counts>);

/// Counts with the figures that follow from them.
#[derive(Debug, Serialize)]
pub struct Row {
    #[serde(flatten)]
    counts: Counts,
    precision: f64,
    recall: f64,
    f1: f64,
}

impl Table {
    /// Counts the answers to one text. Answers with the same label and range count once.
    pub fn add(&mut self, gold: &[Found], answers: &[Answer]) {
        let gold: BTreeSet<&Found> = gold.iter().collect();
        let mut seen = BTreeSet::new();
        let overlaps = |one: &Found, other: &Found| one.start < other.end && other.start < one.end;
        for found in &gold {
            let counts = self.of(&found.label);
            counts.expected += 1;
            counts.missed += usize::from(!answers.iter().any(|answer| overlaps(&answer.found, found)));
        }
        for answer in answers.iter().filter(|answer| seen.insert(&answer.found)) {
            let found = &answer.found;
            let there: Vec<&Found> = gold.iter().copied().filter(|one| overlaps(one, found)).collect();
            let counts = self.of(&found.label);
            counts.found += 1;
            if gold.contains(found) {
                counts.right += 1;
                continue;
            }
            counts.wrong_of_recognisers += usize::from(answer.of_recogniser);
            let way = if there.is_empty() {
                &mut counts.unlabelled
            } else if there.iter().any(|one| one.label == found.label) {
                &mut counts.boundary
            } else if there.iter().any(|one| (one.start, one.end) == (found.start, found.end)) {
                &mut counts.label
            } else {
                &mut counts.label_and_boundary
            };
            *way += 1;
        }
    }

    /// All labels together: each entity weighs the same.
    pub fn micro(&self) -> Counts {
        self.0.values().fold(Counts::default(), |sum, counts| Counts {
            expected: sum.expected + counts.expected,
            found: sum.found + counts.found,
            right: sum.right + counts.right,
            boundary: sum.boundary + counts.boundary,
            label: sum.label + counts.label,
            label_and_boundary: sum.label_and_boundary + counts.label_and_boundary,
            unlabelled: sum.unlabelled + counts.unlabelled,
            wrong_of_recognisers: sum.wrong_of_recognisers + counts.wrong_of_recognisers,
            missed: sum.missed + counts.missed,
        })
    }

    /// Figures by label.
    pub fn rows(&self) -> BTreeMap<&str, Row> {
        let rows = self.0.iter().map(|(label, counts)| (&**label, counts.row()));
        rows.collect()
    }

    fn of(&mut self, label: &str) -> &mut Counts {
        self.0.entry(label.to_owned()).or_default()
    }
}

impl Counts {
    /// Share of the answers that are right.
    pub fn precision(&self) -> f64 {
        share(self.right, self.found)
    }

    /// Share of the labelled entities that were found.
    pub fn recall(&self) -> f64 {
        share(self.right, self.expected)
    }

    /// Harmonic mean of precision and recall.
    pub fn f1(&self) -> f64 {
        share(2 * self.right, self.found + self.expected)
    }

    fn row(&self) -> Row {
        Row {
            counts: *self,
            precision: self.precision(),
            recall: self.recall(),
            f1: self.f1(),
        }
    }
}

/// A part of a whole; 0 of nothing.
pub fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::f1::tests::found;

    fn answer(label: &str, start: usize, end: usize) -> Answer {
        Answer {
            found: found(label, start, end),
            of_recogniser: label == "DATE",
        }
    }

    #[test]
    fn each_wrong_answer_counts_once_by_its_way() {
        let gold = [
            found("ORG", 0, 2),
            found("ORG", 3, 5),
            found("COURT", 6, 8),
            found("PERSON", 20, 21),
        ];
        let answers = [
            answer("ORG", 0, 2),
            answer("ORG", 0, 2),
            answer("ORG", 3, 4),
            answer("ORG", 6, 8),
            answer("ORG", 7, 9),
            answer("DATE", 12, 13),
        ];
        let mut table = Table::default();
        table.add(&gold, &answers);
        let org = Counts {
            expected: 2,
            found: 4,
            right: 1,
            boundary: 1,
            label: 1,
            label_and_boundary: 1,
            ..Counts::default()
        };
        assert_eq!(table.0["ORG"], org);
        let date = Counts {
            found: 1,
            unlabelled: 1,
            wrong_of_recognisers: 1,
            ..Counts::default()
        };
        assert_eq!(table.0["DATE"], date);
        assert_eq!((table.0["PERSON"].missed, table.0["COURT"].missed), (1, 0));
        assert_eq!(
            (table.micro().right, table.micro().found, table.micro().expected),
            (1, 5, 4)
        );
        assert_eq!(table.micro().f1(), 2.0 / 9.0);
    }
}
