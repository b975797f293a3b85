//! The callers' log: a line of JSON for each request and its answer.

use std::io::BufRead;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A document whose caller was told that it is accepted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Document {
    /// The document's id.
    pub document_id: Uuid,
    /// The id of the first job.
    pub job_id: Uuid,
    /// SHA-256 of the uploaded bytes, in hex.
    pub sha256: String,
}

/// When a caller wanted an upload's documents analysed. Times are whole seconds of the Unix epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Whether the priority is `bulk`, behind the jobs whose results somebody waits for.
    pub bulk: bool,
    /// Earliest start of the analysis.
    pub not_before: Option<i64>,
    /// Latest end of the analysis: an unfinished job may expire then.
    pub deadline: Option<i64>,
}

/// A line of the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "snake_case")]
pub enum Entry {
    /// An upload was answered 202.
    Accepted {
        /// The uploading client.
        client: String,
        /// The caller's own id for the upload, unique in the log.
        upload: String,
        /// The documents in the answer.
        documents: Vec<Document>,
        /// The schedule that was asked for.
        schedule: Schedule,
        /// When the answer came, in seconds of the Unix epoch.
        accepted_at: f64,
        /// The key of the upload, which may have been sent several times.
        idempotency_key: Option<String>,
    },
    /// An upload that never got a 202: either all of it exists or nothing.
    Unanswered {
        /// The uploading client.
        client: String,
        /// The caller's own id for the upload.
        upload: String,
        /// Number of documents in the upload.
        documents: usize,
        /// The schedule that was asked for.
        schedule: Schedule,
    },
    /// Another analysis of a document was answered 202.
    Again {
        /// The client that asked.
        client: String,
        /// The document and its new job.
        document: Document,
    },
    /// A request for another analysis that never got a 202.
    AgainUnanswered {
        /// The client that asked.
        client: String,
        /// The document to analyse again.
        document_id: Uuid,
    },
    /// A job that its caller cancelled.
    Cancel {
        /// The job's id.
        job_id: Uuid,
        /// The answer: `true` if the job is cancelled, `false` if it had ended otherwise, `None` without an answer.
        cancelled: Option<bool>,
    },
}

/// Reads the lines of a log.
pub fn read(lines: impl BufRead) -> Result<Vec<Entry>> {
    let entries = lines.lines().enumerate().map(|(number, line)| {
        let line = line.context("read the log")?;
        serde_json::from_str(&line).with_context(|| format!("line {} of the log", number + 1))
    });
    entries.collect()
}
