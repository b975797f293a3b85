//! How well entities are found: strict micro F1 of whole entities, as seqeval counts in its default mode. One function judges
//! every contestant.
//!
//! Labelled records (`tokens` and BIO `labels`) are joined into texts. Contestants find ranges of characters. Each range stands
//! for the tokens that it touches, so that a tokenizer's borders do not matter.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use docket_client::Entity;
use serde::{Deserialize, Serialize};

/// Records in one text of the speed bench: some pages, so that windows are cut as in real documents.
pub const RECORDS_A_TEXT: usize = 30;

/// One line of the labelled data.
#[derive(Debug, Deserialize)]
struct Record {
    tokens: Vec<String>,
    labels: Vec<String>,
    /// Part of a document that the record is from, where the data says so.
    src: Option<String>,
}

/// A text with the labelled entities.
#[derive(Debug, PartialEq, Eq)]
pub struct LabelledText {
    /// Tokens separated by spaces, records by line breaks.
    pub text: String,
    /// Range of each token, in Unicode scalar values.
    pub tokens: Vec<Range<usize>>,
    /// The labelled entities, as ranges of tokens.
    pub gold: Vec<Found>,
    /// Part of a document that the first record is from, where the data says so.
    pub src: Option<String>,
}

/// An entity with its range: in characters from a contestant, in tokens for the score.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Found {
    /// Label without `B-` and `I-`.
    pub label: String,
    /// First character or token.
    pub start: usize,
    /// One past the last character or token.
    pub end: usize,
}

impl From<Entity> for Found {
    fn from(entity: Entity) -> Self {
        Self {
            label: entity.label,
            start: entity.start,
            end: entity.end,
        }
    }
}

/// The quality of the found entities, each figure from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Score {
    /// Share of the found entities that are right.
    pub precision: f64,
    /// Share of the labelled entities that were found.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
}

/// Reads a file of records, one JSON object per line, and joins so many of them into each text.
pub fn read(path: &Path, records_a_text: usize) -> Result<Vec<LabelledText>> {
    let content = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let records: Vec<Record> = content
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .with_context(|| format!("{} is no JSONL of tokens and labels", path.display()))?;
    let paired = records.iter().all(|record| record.tokens.len() == record.labels.len());
    ensure!(paired, "a record of {} has not one label a token", path.display());
    Ok(records.chunks(records_a_text).map(join).collect())
}

fn join(records: &[Record]) -> LabelledText {
    let mut joined = LabelledText {
        text: String::new(),
        tokens: Vec::new(),
        gold: Vec::new(),
        src: records.first().and_then(|record| record.src.clone()),
    };
    let mut place = 0;
    for record in records {
        let first = joined.tokens.len();
        for token in &record.tokens {
            let chars = token.chars().count();
            joined.tokens.push(place..place + chars);
            joined.text.push_str(token);
            joined.text.push(' ');
            place += chars + 1;
        }
        joined.text.pop();
        joined.text.push('\n');
        let spans = spans(&record.labels).into_iter();
        joined.gold.extend(spans.map(|span| Found {
            start: first + span.start,
            end: first + span.end,
            ..span
        }));
    }
    joined
}

/// The entities of BIO labels. `B-` begins an entity, and so does an `I-` that continues none of its label.
fn spans(labels: &[String]) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for (at, label) in labels.iter().enumerate() {
        let Some((mark, label)) = label.split_once('-') else {
            continue;
        };
        match found.last_mut() {
            Some(last) if mark == "I" && last.end == at && last.label == label => last.end = at + 1,
            _ => found.push(Found {
                label: label.to_owned(),
                start: at,
                end: at + 1,
            }),
        }
    }
    found
}

/// Scores the entities found in each text. Labels that the data never uses are left out: the data cannot judge them.
pub fn score(texts: &[LabelledText], found: &[Vec<Found>]) -> Score {
    let known: BTreeSet<&str> = texts
        .iter()
        .flat_map(|text| &text.gold)
        .map(|gold| &*gold.label)
        .collect();
    let (mut right, mut answered, mut there) = (0, 0, 0);
    for (text, found) in texts.iter().zip(found) {
        let gold: BTreeSet<&Found> = text.gold.iter().collect();
        let answers: BTreeSet<Found> = found
            .iter()
            .filter(|found| known.contains(&*found.label))
            .filter_map(|found| text.in_tokens(found))
            .collect();
        right += answers.iter().filter(|answer| gold.contains(answer)).count();
        answered += answers.len();
        there += gold.len();
    }
    let share = |part: usize, whole: usize| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    Score {
        precision: share(right, answered),
        recall: share(right, there),
        f1: share(2 * right, answered + there),
    }
}

impl LabelledText {
    /// The tokens' own texts.
    pub fn words(&self) -> Vec<String> {
        let chars: Vec<char> = self.text.chars().collect();
        let words = self.tokens.iter().map(|token| chars[token.clone()].iter().collect());
        words.collect()
    }

    /// The tokens that a range of characters touches; `None` if it touches none.
    pub fn in_tokens(&self, found: &Found) -> Option<Found> {
        let start = self.tokens.partition_point(|token| token.end <= found.start);
        let end = self.tokens.partition_point(|token| token.start < found.end);
        (start < end).then(|| Found {
            label: found.label.clone(),
            start,
            end,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn found(label: &str, start: usize, end: usize) -> Found {
        Found {
            label: label.to_owned(),
            start,
            end,
        }
    }

    fn record(tokens: &str, labels: &str) -> Record {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect();
        Record {
            tokens: words(tokens),
            labels: words(labels),
            src: None,
        }
    }

    /// "Émile Roux v. Acme Corp ." with a PERSON and an ORG, and a second record with a DATE.
    fn text() -> LabelledText {
        join(&[
            record("Émile Roux v. Acme Corp .", "B-PERSON I-PERSON O B-ORG I-ORG O"),
            record("On 3 May", "O B-DATE I-DATE"),
        ])
    }

    #[test]
    fn labels_become_spans_as_seqeval_has_them() {
        let labels: Vec<String> = "B-A I-A B-A I-B I-B O I-A".split(' ').map(str::to_owned).collect();
        let expected = [found("A", 0, 2), found("A", 2, 3), found("B", 3, 5), found("A", 6, 7)];
        assert_eq!(spans(&labels), expected);
    }

    #[test]
    fn texts_are_joined_with_exact_places() {
        let text = text();
        assert_eq!(text.text, "Émile Roux v. Acme Corp .\nOn 3 May\n");
        let chars: Vec<char> = text.text.chars().collect();
        let third: String = chars[text.tokens[3].clone()].iter().collect();
        assert_eq!(third, "Acme");
        assert_eq!(
            text.gold,
            [found("PERSON", 0, 2), found("ORG", 3, 5), found("DATE", 7, 9)]
        );
    }

    #[test]
    fn the_score_of_known_answers() {
        let texts = [text()];
        // The person is right, "Acme" without "Corp" is wrong, the date is missing, and the data cannot judge the sum of money.
        let answers = [vec![
            found("PERSON", 0, 10),
            found("ORG", 14, 18),
            found("MONEY", 29, 30),
        ]];
        let score = score(&texts, &answers);
        assert_eq!((score.precision, score.recall), (0.5, 1.0 / 3.0));
        assert!((score.f1 - 0.4).abs() < 1e-12, "{score:?}");
    }

    #[test]
    fn all_right_is_one_and_nothing_is_zero() {
        let texts = [text()];
        let all = [vec![
            found("PERSON", 0, 10),
            found("ORG", 14, 23),
            found("DATE", 29, 34),
        ]];
        assert_eq!(score(&texts, &all).f1, 1.0);
        assert_eq!(score(&texts, &[Vec::new()]).f1, 0.0);
    }

    #[test]
    fn a_range_stands_for_the_tokens_it_touches() {
        let text = text();
        assert_eq!(text.in_tokens(&found("ORG", 15, 22)), Some(found("ORG", 3, 5)));
        assert_eq!(text.in_tokens(&found("ORG", 10, 11)), None, "the space between");
    }
}
