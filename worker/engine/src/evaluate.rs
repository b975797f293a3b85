//! How good a model is on labelled text. The text passes through the worker's own steps, and the findings are compared with the
//! labels.
//!
//! `records` reads the labelled text, `reading` runs the model over it, and `scores` counts as seqeval does. `reliability` asks
//! whether scores mean what they say, and `report` prints.

mod reading;
mod records;
pub mod reliability;
pub mod report;
pub mod scores;

use std::time::Duration;

pub use reading::{ReadError, Reader, TEXTS_AT_A_TIME};
pub use records::{Record, RecordsError, Tagged, join, read_records};

use crate::model::Model;
use docket_contract::entity::Entity;
use docket_extract::ExtractedText;
use reliability::Reliability;
use scores::{Counts, Scores};

/// Records per text, unless an operator says otherwise. Records of a labelled set seldom belong together: those of InLegalNER are
/// single sentences of many judgments. Each record is read as a text of its own, so its answer depends on no neighbour and no
/// entity spans two records.
pub const JOIN_DEFAULT: usize = 1;

/// An entity as a label and a range of words.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mention {
    /// The kind of entity.
    pub label: String,
    /// The entity's first word.
    pub first: usize,
    /// One past the entity's last word.
    pub end: usize,
}

/// The outcome of an evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Number of texts read.
    pub texts: usize,
    /// Words in the texts, as the data counts words.
    pub words: usize,
    /// Entities expected, found and right, by label.
    pub scores: Scores,
    /// Whether entities are right as often as their scores say.
    pub reliability: Reliability,
    /// Tokens and time of the reading.
    pub speed: Speed,
}

/// How fast a model was. Time spent on tokenizing counts in `elapsed` only.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Speed {
    /// Tokens that went through the model, special ones included.
    pub tokens: u64,
    /// Time from the first text to the last answer.
    pub elapsed: Duration,
    /// Time in the model, summed over its sessions.
    pub busy: Duration,
}

/// What is done with a text's entities after the model, by a worker.
#[derive(Debug, Clone, Copy)]
pub struct Understand {
    /// Gives the entities of a text when the model found these, without those of a lower score.
    pub of_text: fn(&ExtractedText, Vec<Entity>, f32) -> Vec<Entity>,
    /// The least score of an entity of the model.
    pub score_min: f32,
}

/// Reads texts with a model and compares. `only` names the labels that count; `None` means all labels. With
/// `understand` the entities pass through that too; labels that only recognisers have do not count.
pub async fn evaluate(
    model: &Model,
    texts: Vec<Tagged>,
    only: Option<&[String]>,
    understand: Option<Understand>,
) -> Result<Evaluation, ReadError> {
    let counts = |label: &str| only.is_none_or(|only| only.iter().any(|wanted| wanted == label));
    let knows = |label: &str| model.labels().kinds().iter().any(|known| known == label);
    let (mut scores, mut answers) = (Scores::default(), Vec::new());
    let (count, words) = (texts.len(), texts.iter().map(|text| text.words.len()).sum());
    let (readings, speed) = reading::read(&Reader::new(model, understand), texts).await?;
    for reading::Reading { text, mut found } in readings {
        found.retain(|(mention, _)| counts(&mention.label) && knows(&mention.label));
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
    /// Counts of all labels together, by which a gate decides.
    pub fn micro(&self) -> Counts {
        self.scores.micro()
    }
}

impl Speed {
    /// Tokens per second of one session that never waits; 0 if nothing was run.
    pub fn tokens_per_second(&self) -> f64 {
        if self.busy.is_zero() {
            0.0
        } else {
            self.tokens as f64 / self.busy.as_secs_f64()
        }
    }
}
