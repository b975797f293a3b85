//! What ends a job other than success, and what follows from it. No wildcard arm: a new error must choose.

use std::time::Duration;

use docket_shared::blob::BlobError;
use docket_shared::reason;
use docket_shared::store::StoreError;
use docket_shared::store::results::Failure;
use docket_shared::telemetry;

use crate::cpu::CpuError;
use crate::extract::ExtractError;
use crate::fetch::FetchError;
use crate::infer::InferError;
use crate::memory::MemoryError;
use crate::pipeline::DOCUMENT_BYTES_MAX;
use crate::serving::ServeError;
use crate::window::WindowError;

/// Errors that may pass after which a job is failed all the same: with the backoff's ceilings, tries over half an hour.
const PASSING_ERRORS_MAX: i32 = 10;
/// The same for errors that are most likely the document's own doing: each costs a run.
const OWN_ERRORS_MAX: i32 = 3;
/// How long a job is tried again or put off before it is failed instead: by then somebody should look. Counted from the first
/// try that ended so, not from its acceptance: a job may wait for a year before its first one.
pub const TRIED_MAX: Duration = Duration::from_secs(24 * 3600);

/// What becomes of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Waiting again after a while, unless it had so many errors with this one.
    Retry {
        /// The errors after which it is failed.
        errors_max: i32,
    },
    /// Waiting again after a while with nothing counted: what it needs is overloaded or away.
    Postpone,
    /// The same, because other jobs have their turn on this worker, which is no less able for it.
    PutOff,
    /// Ended with a reason.
    Fail,
    /// Given back, unharmed.
    Requeue,
    /// Somebody else owns it, or nobody wants it.
    Drop,
    /// Its shard cannot be reached, so there is nothing to write: the delay queue.
    Delay,
}

/// Why a job was not finished.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The document or its text.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The bytes are not what they are said to be.
    #[error(transparent)]
    Extract(#[from] ExtractError),
    /// The text cannot be cut.
    #[error(transparent)]
    Window(#[from] WindowError),
    /// The model.
    #[error(transparent)]
    Infer(#[from] InferError),
    /// A panic in a pure step.
    #[error(transparent)]
    Cpu(#[from] CpuError),
    /// The shard.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The model cannot be had.
    #[error(transparent)]
    Model(#[from] ServeError),
    /// It finds no room in this worker's memory.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// Its text has more entities than a job may have.
    #[error("the text has {found} entities, and a job may have {max} (DOCKET_ENTITIES_MAX)")]
    TooManyEntities {
        /// Entities found.
        found: usize,
        /// The limit.
        max: usize,
    },
    /// The result is large, and the shard did not take it within the time of a transaction.
    #[error("{entities} entities were not written in time")]
    Unwritable {
        /// Entities of the result.
        entities: usize,
        /// What the shard said.
        source: StoreError,
    },
    /// It ran longer than any job may.
    #[error("not done within {0:?}")]
    TooLong(Duration),
    /// Another claim took the job over, or it was cancelled, or it expired.
    #[error("the job was taken over, cancelled or expired")]
    Superseded,
    /// The worker stops.
    #[error("the worker stops")]
    Interrupted,
}

impl JobError {
    /// What follows from the error itself.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Blob(BlobError::NotFound { .. } | BlobError::TooLarge { .. })
            | Self::Extract(_)
            | Self::Window(WindowError::Tokenize(_))
            | Self::Memory(MemoryError::TooLarge { .. })
            | Self::TooManyEntities { .. } => Disposition::Fail,
            Self::Blob(BlobError::Unavailable { .. }) | Self::Memory(MemoryError::NoRoom) => Disposition::Postpone,
            Self::Model(error) => without_model(error),
            Self::Infer(InferError::Run(_) | InferError::Shape { .. } | InferError::NotFinite)
            | Self::Unwritable { .. }
            | Self::Store(StoreError::Refused { .. }) => Disposition::Retry {
                errors_max: PASSING_ERRORS_MAX,
            },
            Self::Cpu(_) | Self::Window(WindowError::Cpu(_)) | Self::Infer(InferError::Panicked) | Self::TooLong(_) => {
                Disposition::Retry {
                    errors_max: OWN_ERRORS_MAX,
                }
            }
            Self::Store(
                StoreError::Unavailable { .. }
                | StoreError::TimedOut
                | StoreError::Moving(_)
                | StoreError::UnknownShard { .. }
                | StoreError::Homeless { .. },
            ) => Disposition::Delay,
            // The model fails whatever it is given: that is not the job's doing.
            Self::Infer(InferError::Stopped) | Self::Interrupted => Disposition::Requeue,
            Self::Superseded => Disposition::Drop,
        }
    }

    /// The reason as its caller sees it, should the job fail for it.
    pub fn failure(&self) -> Failure {
        let kind = match self {
            Self::Blob(BlobError::NotFound { .. }) => "document_missing",
            Self::Blob(BlobError::TooLarge { .. }) | Self::Memory(MemoryError::TooLarge { .. }) => "document_too_large",
            Self::Blob(BlobError::Unavailable { .. }) => "storage_unavailable",
            Self::Extract(_) => "unreadable_document",
            Self::TooManyEntities { .. } => "too_many_entities",
            Self::Window(_) => "text_not_processable",
            Self::Memory(MemoryError::NoRoom) => "worker_busy",
            Self::Infer(_) => "model_error",
            Self::Cpu(_) => "internal_error",
            Self::Store(_) => "database_unavailable",
            Self::Unwritable { .. } => "result_not_written",
            Self::Model(error) => model_kind(error),
            Self::TooLong(_) => "timeout",
            Self::Superseded => "superseded",
            Self::Interrupted => "interrupted",
        };
        debug_assert!(reason::is_known(kind), "{kind} is missing in shared/src/reason.rs");
        Failure {
            kind,
            detail: self.detail(),
        }
    }

    /// What operators read of it. Callers read this of what is wrong with their document, and else a sentence of `reason.rs`.
    fn detail(&self) -> String {
        match self {
            Self::Blob(BlobError::TooLarge { .. }) => {
                format!("the document has more than {DOCUMENT_BYTES_MAX} bytes, the most that a worker reads")
            }
            error => telemetry::chain(error),
        }
    }
}

/// What becomes of a job whose model cannot be had.
fn without_model(error: &ServeError) -> Disposition {
    match error {
        ServeError::Shared(error) => without_model(error),
        ServeError::Busy(_) => Disposition::PutOff,
        ServeError::Fetch(FetchError::NotPublished { .. }) => Disposition::Fail,
        ServeError::Fetch(FetchError::Store(_) | FetchError::TooSlow { .. }) => Disposition::Postpone,
        ServeError::NotServed(_)
        | ServeError::Load(_)
        | ServeError::Fetch(
            FetchError::Pointer(_) | FetchError::Manifest(_) | FetchError::Cache(_) | FetchError::Panicked,
        ) => Disposition::Retry {
            errors_max: PASSING_ERRORS_MAX,
        },
    }
}

fn model_kind(error: &ServeError) -> &'static str {
    match error {
        ServeError::Shared(error) => model_kind(error),
        ServeError::Busy(_) => "worker_busy",
        ServeError::Fetch(FetchError::NotPublished { .. }) => "unknown_model",
        ServeError::NotServed(_) | ServeError::Load(_) | ServeError::Fetch(_) => "model_unavailable",
    }
}
