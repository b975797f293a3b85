//! How the jobs of a run ended, as the shards tell it.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// Files that are listed with their time, the slowest first.
const SLOWEST: usize = 12;
/// Errors that say something of the parser: no well-made reader ends so, whatever the file.
const SUSPICIOUS: [&str; 6] = [
    "parser_crashed",
    "parser_timeout",
    "parser_out_of_memory",
    "internal_error",
    "poison",
    "timeout",
];

/// A job of the run.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Outcome {
    /// The job's id.
    pub id: Uuid,
    /// The job's state; `open` until the job has ended.
    pub state: String,
    /// Why the job failed.
    pub error_kind: Option<String>,
    /// More of why, for people.
    pub error_detail: Option<String>,
    /// How often the job was begun.
    pub attempts: i32,
    /// From the last beginning to the end, in seconds.
    pub ran_seconds: Option<f64>,
    /// Whether the document was within another one.
    pub is_within: bool,
}

/// A file that is worth a look.
#[derive(Debug, Clone, Serialize)]
pub struct Noted {
    /// The file's name.
    pub file: String,
    /// How its job ended.
    pub reason: String,
    /// Seconds of its last attempt.
    pub seconds: Option<f64>,
    /// How often it was begun.
    pub attempts: i32,
    /// What is said of the error.
    pub detail: Option<String>,
}

impl Outcome {
    /// Whether the job has ended.
    pub fn is_end(&self) -> bool {
        self.state != "open"
    }

    /// The state, or the kind of error of a job that failed.
    pub fn reason(&self) -> &str {
        self.error_kind.as_deref().unwrap_or(&self.state)
    }

    fn noted(&self, files: &HashMap<Uuid, String>) -> Noted {
        let file = files.get(&self.id).map_or("a file within another", String::as_str);
        Noted {
            file: file.to_owned(),
            reason: self.reason().to_owned(),
            seconds: self.ran_seconds,
            attempts: self.attempts,
            detail: self.error_detail.clone(),
        }
    }
}

/// How often each state and each kind of error came, of uploaded files or of files within them.
pub fn by_reason(outcomes: &[Outcome], is_within: bool) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for outcome in outcomes.iter().filter(|outcome| outcome.is_within == is_within) {
        *counts.entry(outcome.reason().to_owned()).or_default() += 1;
    }
    counts
}

/// The longest time of an attempt.
pub fn worst_seconds(outcomes: &[Outcome]) -> Option<f64> {
    outcomes
        .iter()
        .filter_map(|outcome| outcome.ran_seconds)
        .max_by(f64::total_cmp)
}

/// The files that took longest, and those whose parser did not end well.
pub fn noted(outcomes: &[Outcome], files: &HashMap<Uuid, String>) -> Value {
    let mut slowest: Vec<&Outcome> = outcomes.iter().collect();
    slowest.sort_by(|a, b| b.ran_seconds.unwrap_or(0.0).total_cmp(&a.ran_seconds.unwrap_or(0.0)));
    let slowest: Vec<Noted> = slowest
        .iter()
        .take(SLOWEST)
        .map(|outcome| outcome.noted(files))
        .collect();
    json!({ "slowest": slowest, "suspicious": suspicious(outcomes, files) })
}

/// The files whose parser did not end well.
pub fn suspicious(outcomes: &[Outcome], files: &HashMap<Uuid, String>) -> Vec<Noted> {
    let found = outcomes.iter().filter(|outcome| SUSPICIOUS.contains(&outcome.reason()));
    found.map(|outcome| outcome.noted(files)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(state: &str, error: Option<&str>, seconds: f64) -> Outcome {
        Outcome {
            id: Uuid::nil(),
            state: state.to_owned(),
            error_kind: error.map(str::to_owned),
            error_detail: None,
            attempts: 1,
            ran_seconds: Some(seconds),
            is_within: false,
        }
    }

    #[test]
    fn a_failed_job_counts_by_its_error() {
        let outcomes = [
            outcome("succeeded", None, 1.0),
            outcome("failed", Some("malformed"), 3.0),
            outcome("failed", Some("parser_crashed"), 2.0),
        ];
        let counts = by_reason(&outcomes, false);
        assert_eq!(counts.into_values().sum::<usize>(), 3);
        assert_eq!(by_reason(&outcomes, true), BTreeMap::new());
        assert_eq!(worst_seconds(&outcomes), Some(3.0));
        let suspicious = suspicious(&outcomes, &HashMap::new());
        assert_eq!(suspicious.len(), 1);
        assert_eq!(suspicious[0].reason, "parser_crashed");
    }
}
