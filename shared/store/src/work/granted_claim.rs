//! What a claim is: one worker's right to finish a job. And the limits of its silence and of a job's crashes.

use std::time::Duration;

use docket_contract::ids::{ClaimToken, ClientId, DocumentId, JobKey, ModelName, ModelVersion};
use docket_contract::job::Priority;
use docket_contract::object_key::BlobKey;
use docket_contract::page_ranges::PageRanges;

/// How often a worker says that its claims are alive.
pub const HEARTBEAT_EVERY: Duration = Duration::from_secs(5);
/// A claim that has been silent for this long may be taken over: it has missed three heartbeats.
pub const TAKEOVER_AFTER: Duration = Duration::from_secs(15);
/// After this many crashes in the company of other jobs a job is a suspect, and runs only alone.
pub const SUSPECT_CRASHES: i32 = 2;
/// After this many crashes while it ran alone a job is poison, and fails.
pub const POISON_CRASHES: i32 = 2;

/// A granted claim, with all that its worker needs to do the work.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The job.
    pub key: JobKey,
    /// Tells this claim from others of the job: only the newest may finish it.
    pub token: ClaimToken,
    /// Number of this claim, from 1.
    pub attempt: i32,
    /// How many earlier claims ended with an error.
    pub errors: i32,
    /// How long ago the first try began that ended with an error or was put off. Zero before there was such a try,
    /// however long the job waited. A redrive begins anew.
    pub tried_for: Duration,
    /// How long ago the job's caller began to wait: when the job was accepted. For a job that became due later and was
    /// not tried before: when it became due.
    pub awaited: Duration,
    /// How long ago the job became due.
    pub due: Duration,
    /// Whether the job was put off before because its pages need OCR and other scans had their turn.
    pub is_scan: bool,
    /// Priority of the job.
    pub priority: Priority,
    /// Whose job it is.
    pub client: ClientId,
    /// The document.
    pub document: DocumentId,
    /// Where the document is stored.
    pub blob: BlobKey,
    /// The caller's name for the document.
    pub file_name: Option<String>,
    /// Media type of the document.
    pub media_type: String,
    /// The pages that are to be read, when the caller named some.
    pub pages: Option<PageRanges>,
    /// How many documents this one is within.
    pub depth: i16,
    /// Size of the document in bytes.
    pub size_bytes: i64,
    /// The model that is to read the document.
    pub model: ModelName,
    /// The model's version, when the caller asked for one.
    pub model_version: Option<ModelVersion>,
}
