//! What callers write down: a line of JSON for each thing that they asked for and what they were told.

use std::io::BufRead;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A document that a caller was told is accepted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Document {
    /// Its id.
    pub document_id: Uuid,
    /// Its first job.
    pub job_id: Uuid,
    /// SHA-256 of what was sent, in hex.
    pub sha256: String,
}

/// When a caller wanted the documents of an upload analysed. Times are whole seconds of the Unix epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Whether nobody waits for the results: after what somebody waits for.
    pub bulk: bool,
    /// Not before this time.
    pub not_before: Option<i64>,
    /// Not after this time: what has not ended by then may expire.
    pub deadline: Option<i64>,
}

/// A line of the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "snake_case")]
pub enum Entry {
    /// An upload was answered 202.
    Accepted {
        /// Whose it is.
        client: String,
        /// The caller's own id for it, which no other upload has.
        upload: String,
        /// What it was answered with.
        documents: Vec<Document>,
        /// When they were wanted.
        schedule: Schedule,
        /// Seconds of the Unix epoch.
        accepted_at: f64,
        /// The key under which it was sent, perhaps several times.
        idempotency_key: Option<String>,
    },
    /// An upload whose last answer was no 202: none of it may be there, or all of it.
    Unanswered {
        /// Whose it is.
        client: String,
        /// The caller's own id for it.
        upload: String,
        /// How many documents it has.
        documents: usize,
        /// When they were wanted.
        schedule: Schedule,
    },
    /// Another analysis of a document was answered 202.
    Again {
        /// Whose it is.
        client: String,
        /// The document and the new job.
        document: Document,
    },
    /// Another analysis whose last answer was no 202.
    AgainUnanswered {
        /// Whose it is.
        client: String,
        /// The document.
        document_id: Uuid,
    },
    /// A job's caller wanted it no longer.
    Cancel {
        /// The job.
        job_id: Uuid,
        /// What was answered: `true`, it is cancelled; `false`, it had ended otherwise; nothing is known without an answer.
        cancelled: Option<bool>,
    },
}

/// Reads a log.
pub fn read(lines: impl BufRead) -> Result<Vec<Entry>> {
    let entries = lines.lines().enumerate().map(|(number, line)| {
        let line = line.context("read the log")?;
        serde_json::from_str(&line).with_context(|| format!("line {} of the log", number + 1))
    });
    entries.collect()
}
