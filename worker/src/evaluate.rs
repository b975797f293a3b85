//! How good a model is on labelled text: the text goes the worker's own way, and what is found is held against what is known.
//!
//! `records` reads the labelled text, `reading` runs the model over it, `scores` counts as seqeval does, `reliability` asks
//! whether scores mean what they say, `report` prints; `command` is the operator's side of it.

pub mod command;
mod reading;
mod records;
pub mod reliability;
pub mod report;
pub mod scores;

use std::time::Duration;

pub use reading::ReadError;
pub use records::{Record, RecordsError, Tagged, join, read_records};

use crate::model::Model;
use reliability::Reliability;
use scores::{Counts, Scores};

/// Records in one text unless an operator says otherwise. Records of a labelled set seldom belong together (those of
/// InLegalNER are single sentences of many judgments), so each is read as a text of its own: its answer then depends on no
/// neighbour, and no entity can reach from one into the next.
pub const JOIN_DEFAULT: usize = 1;

/// A stretch of a text that is one entity, in words.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mention {
    /// The kind of entity.
    pub label: String,
    /// Its first word.
    pub first: usize,
    /// One past its last word.
    pub end: usize,
}

/// What came of an evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Texts that were read.
    pub texts: usize,
    /// Words in them, as the data counts words.
    pub words: usize,
    /// How many of the entities were found, by label.
    pub scores: Scores,
    /// Whether entities are right as often as their scores say.
    pub reliability: Reliability,
    /// How fast it was.
    pub speed: Speed,
}

/// How fast a model was. Time that tokenizing took is in `elapsed` only.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Speed {
    /// Tokens that went through the model, special ones included.
    pub tokens: u64,
    /// From the first text to the last answer.
    pub elapsed: Duration,
    /// Time in the model, summed over its sessions.
    pub busy: Duration,
}

/// Reads texts with a model and compares. `only` names the labels that count; none means all.
pub async fn evaluate(model: &Model, texts: Vec<Tagged>, only: Option<&[String]>) -> Result<Evaluation, ReadError> {
    let counts = |label: &str| only.is_none_or(|only| only.iter().any(|wanted| wanted == label));
    let (mut scores, mut answers) = (Scores::default(), Vec::new());
    let (count, words) = (texts.len(), texts.iter().map(|text| text.words.len()).sum());
    let (readings, speed) = reading::read(model, texts).await?;
    for reading::Reading { text, mut found } in readings {
        found.retain(|(mention, _)| counts(&mention.label));
        let expected = text.mentions.iter().filter(|mention| counts(&mention.label));
        let expected: Vec<&Mention> = expected.collect();
        scores.add(&expected, found.iter().map(|(mention, _)| mention));
        answers.extend(
            found
                .iter()
                .map(|(mention, score)| (*score, expected.contains(&mention))),
        );
    }
    Ok(Evaluation {
        texts: count,
        words,
        scores,
        reliability: Reliability::of(&answers),
        speed,
    })
}

impl Evaluation {
    /// Every label together: what a gate goes by.
    pub fn micro(&self) -> Counts {
        self.scores.micro()
    }
}

impl Speed {
    /// Tokens a second of one session that has nothing to wait for; 0 if nothing was run.
    pub fn tokens_per_second(&self) -> f64 {
        if self.busy.is_zero() {
            0.0
        } else {
            self.tokens as f64 / self.busy.as_secs_f64()
        }
    }
}
