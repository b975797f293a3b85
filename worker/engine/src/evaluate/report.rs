//! Prints an evaluation, as a table for people and as JSON for programs.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use crate::evaluate::Evaluation;
use crate::evaluate::reliability::Reliability;
use crate::evaluate::scores::{Counts, Figures};

/// An evaluation, and what was evaluated.
#[derive(Debug, Serialize)]
pub struct Report {
    /// `name@version`.
    pub model: String,
    /// Path of the graph that was run instead of the model's own; `None` for the model's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub onnx: Option<String>,
    /// Path of the labelled data.
    pub data: String,
    /// Number of records in the data.
    pub records: usize,
    /// Records joined into each text.
    pub join: usize,
    /// Number of texts made of the records.
    pub texts: usize,
    /// Words in the texts, as the data counts words.
    pub words: usize,
    /// Counts and figures of each label.
    pub labels: BTreeMap<String, Row>,
    /// Labels that were found but never occur in the data.
    pub unseen_labels: Vec<String>,
    /// All labels together: every entity weighs the same.
    pub micro: Row,
    /// Mean of the labels' figures: every label weighs the same.
    pub macro_average: Figures,
    /// Whether scores say how often entities are right.
    pub reliability: Reliability,
    /// Tokens that went through the model, special ones included.
    pub tokens: u64,
    /// Seconds from the first text to the last answer.
    pub seconds: f64,
    /// Tokens per second of one session that never waits.
    pub tokens_per_second: f64,
}

/// Figures, and the counts behind them.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Row {
    /// Precision, recall and F1.
    #[serde(flatten)]
    pub figures: Figures,
    /// Entities in the data.
    pub expected: usize,
    /// Entities that were found.
    pub found: usize,
    /// Entities that were found and are right.
    pub correct: usize,
}

/// What was evaluated.
#[derive(Debug)]
pub struct Subject {
    /// `name@version`.
    pub model: String,
    /// Path of the graph that was run instead of the model's own; `None` for the model's own.
    pub onnx: Option<String>,
    /// Path of the labelled data.
    pub data: String,
    /// Number of records in the data.
    pub records: usize,
    /// Records joined into each text.
    pub join: usize,
}

impl Report {
    /// The report of an evaluation.
    pub fn new(subject: Subject, evaluation: Evaluation) -> Self {
        let Evaluation {
            texts,
            words,
            scores,
            reliability,
            speed,
        } = evaluation;
        let labels = scores.labels.iter();
        Self {
            model: subject.model,
            onnx: subject.onnx,
            data: subject.data,
            records: subject.records,
            join: subject.join,
            texts,
            words,
            labels: labels
                .map(|(label, &counts)| (label.clone(), Row::of(counts)))
                .collect(),
            unseen_labels: scores.unseen().map(str::to_owned).collect(),
            micro: Row::of(scores.micro()),
            macro_average: scores.macro_average(),
            reliability,
            tokens: speed.tokens,
            seconds: speed.elapsed.as_secs_f64(),
            tokens_per_second: speed.tokens_per_second(),
        }
    }

    /// The whole report as JSON.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("strings and numbers are JSON");
        json + "\n"
    }
}

impl Row {
    fn of(counts: Counts) -> Self {
        Self {
            figures: counts.figures(),
            expected: counts.expected,
            found: counts.found,
            correct: counts.correct,
        }
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.model)?;
        if let Some(onnx) = &self.onnx {
            write!(f, " with {onnx}")?;
        }
        writeln!(
            f,
            " on {}: {} records in {} texts, {} words\n",
            self.data, self.records, self.texts, self.words
        )?;
        self.scores(f)?;
        self.reliability(f)?;
        writeln!(
            f,
            "\nspeed: {} tokens in {:.1} s; {:.0} tokens/s in a session",
            self.tokens, self.seconds, self.tokens_per_second
        )
    }
}

impl Report {
    fn scores(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let width = self.labels.keys().map(String::len).max().unwrap_or(0).max(5);
        writeln!(
            f,
            "{:width$}  precision  recall     f1  expected  found  correct",
            "label"
        )?;
        let micro = ("micro".to_owned(), self.micro);
        for (label, row) in self.labels.iter().chain([(&micro.0, &micro.1)]) {
            let Figures { precision, recall, f1 } = row.figures;
            write!(f, "{label:width$}  {precision:9.3}  {recall:6.3}  {f1:5.3}")?;
            writeln!(f, "  {:8}  {:5}  {:7}", row.expected, row.found, row.correct)?;
        }
        let Figures { precision, recall, f1 } = self.macro_average;
        writeln!(f, "{:width$}  {precision:9.3}  {recall:6.3}  {f1:5.3}", "macro")?;
        if !self.unseen_labels.is_empty() {
            let unseen = self.unseen_labels.join(", ");
            writeln!(f, "never in the data, so counted as found wrongly: {unseen}")?;
        }
        Ok(())
    }

    fn reliability(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nscore       entities  mean score  precision")?;
        for bin in self.reliability.bins.iter().filter(|bin| bin.count > 0) {
            write!(f, "{:.1} to {:.1}  {:8}", bin.from, bin.to, bin.count)?;
            writeln!(f, "  {:10.3}  {:9.3}", bin.mean_score, bin.precision)?;
        }
        let error = self.reliability.expected_calibration_error;
        writeln!(f, "expected calibration error: {error:.3}")
    }
}
