//! What travels through RabbitMQ, and which jobs come first.
//!
//! Two releases always run side by side, so the wire type is versioned and is not the domain type.

use serde::{Deserialize, Serialize};

use crate::ids::{ClientId, JobId, JobKey, ModelName};
use crate::sharding;

/// A message on a jobs queue: ids only, never the document, no attempt number (the row counts).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum JobMessage {
    /// The first version.
    #[serde(rename = "1")]
    V1(AnalyzeDocument),
}

/// "Analyse this job's document with this model."
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnalyzeDocument {
    /// Number of the client's bucket.
    pub bucket: i16,
    /// The job.
    pub job_id: JobId,
    /// Its client, for fair batching; nothing is decided by it.
    pub client_id: ClientId,
    /// The model, also the routing key.
    pub model: ModelName,
    /// W3C trace context of the request that the job came with. Where the message has a `traceparent` header, that one is
    /// newer: the span that sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_parent: Option<String>,
}

/// A message that no worker can act on.
#[derive(Debug, thiserror::Error)]
pub enum InvalidMessage {
    /// Not a JobMessage of a known version.
    #[error("the message is not a job of a known version")]
    Undecodable(#[source] serde_json::Error),
    /// It names no bucket.
    #[error("bucket {0} does not exist")]
    NoSuchBucket(i16),
}

impl JobMessage {
    /// As it is published.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("ids and strings always serialise")
    }

    /// As it was delivered, and where its row is.
    pub fn decode(body: &[u8]) -> Result<(JobKey, AnalyzeDocument), InvalidMessage> {
        let Self::V1(message) = serde_json::from_slice(body).map_err(InvalidMessage::Undecodable)?;
        let bucket =
            sharding::bucket_from_number(message.bucket).ok_or(InvalidMessage::NoSuchBucket(message.bucket))?;
        Ok((
            JobKey {
                bucket,
                job: message.job_id,
            },
            message,
        ))
    }
}

/// Whose turn it is first, among the jobs that are due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Somebody waits for it.
    #[default]
    Interactive,
    /// It may wait; a tenth of the room is its own all the same.
    Bulk,
}

impl Priority {
    /// Every priority, the first one first.
    pub const ALL: [Self; 2] = [Self::Interactive, Self::Bulk];

    /// As it stands in the databases and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::Bulk => "bulk",
        }
    }

    /// The priority of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|priority| priority.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frozen: messages of this form may be waiting in a broker while a new release starts.
    const GOLDEN: &str = r#"{"version":"1","bucket":17,"job_id":"01890a5d-ac96-774b-bcce-b302099a8057","client_id":"acme","model":"ner-legal"}"#;

    #[test]
    fn version_1_is_read_and_written_for_ever() {
        let (key, message) = JobMessage::decode(GOLDEN.as_bytes()).unwrap();
        assert_eq!(key.bucket.number(), 17);
        assert_eq!(String::from_utf8(JobMessage::V1(message).encode()).unwrap(), GOLDEN);
    }

    #[test]
    fn what_cannot_be_acted_on_is_an_error() {
        for bad in [
            "",
            "{}",
            r#"{"version":"2"}"#,
            &GOLDEN.replace("17", "4096"),
            &GOLDEN.replace("acme", "a b"),
        ] {
            assert!(JobMessage::decode(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
