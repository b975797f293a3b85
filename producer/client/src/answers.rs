//! The API's answers, as far as programs read them. Fields of a newer API are ignored.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

/// A document that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Accepted {
    /// The new document's id.
    pub document_id: String,
    /// The id of the document's first job.
    pub job_id: String,
}

/// A document's state and its newest job.
#[derive(Debug, Clone, Deserialize)]
pub struct Document {
    /// `succeeded` once the document has a result; otherwise the state of its newest job.
    pub state: State,
    /// The newest job; its state may differ from the document's.
    pub job: Job,
}

/// An analysis of a document.
#[derive(Debug, Clone, Deserialize)]
pub struct Job {
    /// The job's id; empty when the answer has none.
    #[serde(default)]
    pub job_id: String,
    /// The job's state; `Other` when the answer has none.
    #[serde(default)]
    pub state: State,
    /// How often a worker claimed the job.
    #[serde(default)]
    pub attempts: u64,
    /// Why the job failed, if it did.
    #[serde(default)]
    pub error: Option<Failure>,
}

/// Why a job failed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Failure {
    /// A word for programs, which never changes.
    pub kind: String,
    /// A sentence for people.
    pub detail: String,
}

/// The state of a job or a document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The job waits for its turn.
    Waiting,
    /// The job is with the broker: a worker will take it at once.
    Queued,
    /// A worker is analysing the document.
    Running,
    /// The job ended with its entities.
    Succeeded,
    /// The job ended with an error.
    Failed,
    /// The job ended because its caller cancelled it.
    Cancelled,
    /// The job ended because its deadline passed.
    Expired,
    /// A state newer than this client.
    #[default]
    #[serde(other)]
    Other,
}

impl State {
    /// Whether nothing more will happen, as far as this client knows.
    pub fn is_end(self) -> bool {
        match self {
            Self::Waiting | Self::Queued | Self::Running => false,
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::Expired | Self::Other => true,
        }
    }

    /// The word that the API writes for this state.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Other => "ended",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An entity found in a document.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Entity {
    /// The kind of entity, in the model's own words.
    pub label: String,
    /// The words as they stand in the document.
    pub text: String,
    /// First character, counted from 0 in Unicode scalar values.
    pub start: usize,
    /// One past the last character.
    pub end: usize,
    /// First byte in UTF-8, counted from 0.
    pub start_byte: usize,
    /// One past the last byte.
    pub end_byte: usize,
    /// Page, counted from 1, in documents that have pages.
    #[serde(default)]
    pub page: Option<u32>,
    /// What the text around the entity is: `body`, `header`, `footer` and so on.
    #[serde(default)]
    pub region: String,
    /// Where the entity stands on its page.
    #[serde(default)]
    pub boxes: Vec<Rectangle>,
    /// How sure the model is, 0 to 1.
    pub score: f32,
    /// What found the entity: `model` or `recogniser`.
    #[serde(default)]
    pub source: String,
    /// The recogniser that knows the entity's form.
    #[serde(default)]
    pub recogniser: Option<String>,
    /// What the entity means, as the recogniser reads its form.
    #[serde(default)]
    pub value: Option<Value>,
    /// The model, as `name@version`.
    pub model: String,
}

/// A rectangle on a page, in points from the top left.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Rectangle {
    /// Left edge.
    pub left: f32,
    /// Upper edge.
    pub top: f32,
    /// Right edge.
    pub right: f32,
    /// Lower edge.
    pub bottom: f32,
}

/// A page of entities.
#[derive(Debug, Deserialize)]
pub(crate) struct EntityPage {
    /// The entities of this page.
    pub entities: Vec<Entity>,
    /// Where the next page begins; `None` on the last page.
    pub next_cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_of_a_newer_api_end_the_wait() {
        let document: Document = serde_json::from_str(r#"{"state":"archived","job":{"error":null}}"#).unwrap();
        assert!(document.state.is_end() && document.job.error.is_none());
        let document: Document = serde_json::from_str(r#"{"state":"waiting","job":{}}"#).unwrap();
        assert!(!document.state.is_end());
    }
}
