//! The job message that travels through RabbitMQ, and the priorities of jobs.
//!
//! Two releases always run side by side, so the wire type is versioned and is not the domain type.

use serde::{Deserialize, Serialize};

use crate::ids::{ClientId, JobId, JobKey, ModelName};
use crate::sharding;

/// A message on a jobs queue. It holds ids only, never the document. It holds no attempt number, since the row counts attempts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum JobMessage {
    /// The first version of the message.
    #[serde(rename = "1")]
    V1(AnalyzeDocument),
}

/// "Analyse this job's document with this model."
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnalyzeDocument {
    /// Number of the client's bucket.
    pub bucket: i16,
    /// The job to run.
    pub job_id: JobId,
    /// The job's client, for fair batching only: no decision depends on this field.
    pub client_id: ClientId,
    /// The model to run, also the routing key.
    pub model: ModelName,
    /// W3C trace context of the request that brought the job. A `traceparent` header of the message is newer and goes first: it
    /// names the span that sent the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_parent: Option<String>,
}

/// A message that no worker can act on.
#[derive(Debug, thiserror::Error)]
pub enum InvalidMessage {
    /// The body is no `JobMessage` of a known version.
    #[error("the message is not a job of a known version")]
    Undecodable(#[source] serde_json::Error),
    /// The message names a bucket that does not exist.
    #[error("bucket {0} does not exist")]
    NoSuchBucket(i16),
}

impl JobMessage {
    /// The message's body, as published.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("ids and strings always serialise")
    }

    /// Decodes a delivered body, and says where the job's row is.
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

/// Which of the due jobs go first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Somebody waits for the result.
    #[default]
    Interactive,
    /// The result may wait. A tenth of the capacity is left to bulk jobs all the same.
    Bulk,
}

impl Priority {
    /// Every priority, the more urgent first.
    pub const ALL: [Self; 2] = [Self::Interactive, Self::Bulk];

    /// The names of all priorities, in the order of [`Self::ALL`].
    pub const WORDS: &'static [&'static str] = &[Self::Interactive.as_str(), Self::Bulk.as_str()];

    /// The priority's name in the databases and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::Bulk => "bulk",
        }
    }

    /// The priority of that name; `None` for an unknown name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|priority| priority.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frozen: a broker may hold messages of this form while a new release starts.
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
