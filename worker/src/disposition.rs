//! The errors that end a job without a result, and what follows from each. No wildcard arm: every new error must choose.

use std::time::Duration;

use docket_contract::reason::Reason;
use docket_objects::BlobError;
use docket_process::telemetry;
use docket_store::StoreError;
use docket_store::work::results::Failure;

use crate::admit::memory::MemoryError;
use crate::admit::scans;
use crate::fetch::FetchError;
use crate::limits::DOCUMENT_BYTES_MAX;
use crate::serving::ServeError;
use docket_engine::cpu::CpuError;
use docket_engine::infer::InferError;
use docket_engine::window::WindowError;
use docket_extract::ParserError;
use docket_extract::refusal::Refusal;

/// Passing errors after which a job fails for good: with the backoff's ceilings, tries over half an hour.
const PASSING_ERRORS_MAX: i32 = 10;
/// The same for errors that are most likely the document's fault, each of which costs a run.
const OWN_ERRORS_MAX: i32 = 3;
/// How long a job is tried again or put off before it fails: by then somebody should look. Counted from the first such try, not
/// from the upload: a job may wait for a year before its first try.
pub const TRIED_MAX: Duration = Duration::from_secs(24 * 3600);

/// What happens to a job after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// The job waits and runs again, unless this error reaches the limit.
    Retry {
        /// Number of errors at which the job fails.
        errors_max: i32,
    },
    /// The job waits and runs again, and nothing is counted: a store that it needs is overloaded or away.
    Postpone,
    /// As `Postpone`, because other jobs have their turn on this worker. The worker takes no fewer jobs for it.
    PutOff,
    /// The job waits for its turn among scans, for as long as that takes, and comes again after this time.
    AwaitTurn(Duration),
    /// The job ends with a reason.
    Fail,
    /// The claim is given back, and the attempt is not counted.
    Requeue,
    /// Another worker owns the job, or the job expired.
    Drop,
    /// Nobody wants the job: it was cancelled, or its document was deleted.
    Forget,
    /// The job's shard cannot be reached, so nothing can be written: the message goes into the delay queue.
    Delay,
}

/// Why a job was not finished.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The bucket failed, for the document or its text.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The document cannot be read.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The process that reads the document did not finish.
    #[error(transparent)]
    Parser(ParserError),
    /// The text cannot be cut into windows.
    #[error(transparent)]
    Window(#[from] WindowError),
    /// The model failed.
    #[error(transparent)]
    Infer(#[from] InferError),
    /// A step on the CPU pool panicked.
    #[error(transparent)]
    Cpu(#[from] CpuError),
    /// The shard failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The model cannot be loaded, or not now.
    #[error(transparent)]
    Model(#[from] ServeError),
    /// The document finds no room in this worker's memory.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The document has pages for OCR, and other scans have their turn.
    #[error(transparent)]
    Scans(#[from] scans::Busy),
    /// The text has more entities than a job may have.
    #[error("the text has {found} entities, and a job may have {max} (DOCKET_ENTITIES_MAX)")]
    TooManyEntities {
        /// Entities found in the text.
        found: usize,
        /// Most entities of a job.
        max: usize,
    },
    /// The text is in a language that the model does not read, and such documents are refused.
    #[error(
        "the text is in the language {code}, and the model {model} reads {reads} only (DOCKET_OTHER_LANGUAGE is refuse)"
    )]
    OtherLanguage {
        /// Language of the text, as a BCP 47 code.
        code: String,
        /// The model, with its version.
        model: String,
        /// Languages that the model reads.
        reads: String,
    },
    /// The result is large, and the shard did not take it within the time of one transaction.
    #[error("{entities} entities were not written in time")]
    Unwritable {
        /// Entities in the result.
        entities: usize,
        /// The shard's error.
        source: StoreError,
    },
    /// The job ran longer than any job may.
    #[error("not done within {0:?}")]
    TooLong(Duration),
    /// Another claim took the job over, or the job expired.
    #[error("the job was taken over, or expired")]
    Superseded,
    /// The job was cancelled, or its document was deleted.
    #[error("the job was cancelled")]
    Cancelled,
    /// The worker stops and needs the job to end now.
    #[error("the worker stops")]
    Interrupted,
}

impl JobError {
    /// What follows from this error, whatever came before.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Blob(BlobError::NotFound { .. } | BlobError::TooLarge { .. })
            | Self::Refused(_)
            | Self::Parser(ParserError::OutOfMemory { .. } | ParserError::Crashed(_) | ParserError::Forged)
            | Self::Window(WindowError::Tokenize(_))
            | Self::Memory(MemoryError::TooLarge { .. })
            | Self::OtherLanguage { .. }
            | Self::TooManyEntities { .. } => Disposition::Fail,
            Self::Blob(BlobError::Unavailable { .. }) | Self::Parser(ParserError::Unavailable(_)) => {
                Disposition::Postpone
            }
            // Large documents hold the memory. Fewer jobs at a time would leave their places to these alone.
            Self::Memory(MemoryError::NoRoom) => Disposition::PutOff,
            Self::Scans(busy) => Disposition::AwaitTurn(busy.again),
            Self::Model(error) => without_model(error),
            Self::Infer(InferError::Run(_) | InferError::Shape { .. } | InferError::NotFinite)
            | Self::Unwritable { .. }
            | Self::Store(StoreError::Refused { .. }) => Disposition::Retry {
                errors_max: PASSING_ERRORS_MAX,
            },
            // A machine that is short of time or memory looks like a document that needs too much.
            Self::Parser(ParserError::TimedOut(_) | ParserError::Killed)
            | Self::Cpu(_)
            | Self::Window(WindowError::Cpu(_))
            | Self::Infer(InferError::Panicked)
            | Self::TooLong(_) => Disposition::Retry {
                errors_max: OWN_ERRORS_MAX,
            },
            Self::Store(
                StoreError::Unavailable { .. }
                | StoreError::TimedOut
                | StoreError::Moving(_)
                | StoreError::UnknownShard { .. }
                | StoreError::Homeless { .. },
            ) => Disposition::Delay,
            // The model fails for every job, so this job is not at fault.
            Self::Infer(InferError::Stopped) | Self::Interrupted => Disposition::Requeue,
            Self::Superseded => Disposition::Drop,
            Self::Cancelled => Disposition::Forget,
        }
    }

    /// The reason to give if the job fails for this error.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Blob(BlobError::NotFound { .. }) => Reason::DocumentMissing,
            Self::Blob(BlobError::TooLarge { .. }) | Self::Memory(MemoryError::TooLarge { .. }) => {
                Reason::DocumentTooLarge
            }
            Self::Blob(BlobError::Unavailable { .. }) => Reason::StorageUnavailable,
            Self::Refused(refusal) => of_refusal(refusal),
            Self::Parser(ParserError::TimedOut(_)) => Reason::ParserTimeout,
            Self::Parser(ParserError::OutOfMemory { .. }) => Reason::ParserOutOfMemory,
            Self::Parser(ParserError::Crashed(_) | ParserError::Forged | ParserError::Killed) => Reason::ParserCrashed,
            Self::Parser(ParserError::Unavailable(_)) => Reason::ParserUnavailable,
            Self::TooManyEntities { .. } => Reason::TooManyEntities,
            Self::OtherLanguage { .. } => Reason::OtherLanguage,
            Self::Window(_) => Reason::TextNotProcessable,
            Self::Memory(MemoryError::NoRoom) => Reason::WorkerBusy,
            Self::Scans(_) => Reason::OcrBusy,
            Self::Infer(_) => Reason::ModelError,
            Self::Cpu(_) => Reason::InternalError,
            Self::Store(_) => Reason::DatabaseUnavailable,
            Self::Unwritable { .. } => Reason::ResultNotWritten,
            Self::Model(error) => of_model(error),
            Self::TooLong(_) => Reason::Timeout,
            Self::Superseded => Reason::Superseded,
            Self::Cancelled => Reason::Cancelled,
            Self::Interrupted => Reason::Interrupted,
        }
    }

    /// The reason and detail, as kept with the job.
    pub fn failure(&self) -> Failure {
        Failure {
            kind: self.reason().as_str(),
            detail: self.detail(),
        }
    }

    /// The detail for operators. A caller reads it only where it says what is wrong with the document, else a sentence of
    /// `reason.rs`.
    fn detail(&self) -> String {
        match self {
            Self::Blob(BlobError::TooLarge { .. }) => {
                format!("the document has more than {DOCUMENT_BYTES_MAX} bytes, the most that a worker reads")
            }
            error => telemetry::chain(error),
        }
    }
}

/// The reason of a document that cannot be read.
fn of_refusal(refusal: &Refusal) -> Reason {
    match refusal {
        Refusal::Encrypted => Reason::Encrypted,
        Refusal::Malformed { .. } => Reason::Malformed,
        Refusal::Unsupported { .. } => Reason::UnsupportedType,
        Refusal::NoText { .. } | Refusal::UnknownCharset => Reason::UnreadableDocument,
        Refusal::TooManyPages { .. } => Reason::TooManyPages,
        Refusal::TextTooLarge { .. } => Reason::TextTooLarge,
        Refusal::InflatedTooLarge { .. } | Refusal::InflatesTooMuch { .. } => Reason::DecompressedTooLarge,
        Refusal::TooDeep { .. } => Reason::TooDeep,
        Refusal::TooMany { .. } => Reason::TooManyParts,
    }
}

/// What follows when a job's model cannot be used.
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

fn of_model(error: &ServeError) -> Reason {
    match error {
        ServeError::Shared(error) => of_model(error),
        ServeError::Busy(_) => Reason::WorkerBusy,
        ServeError::Fetch(FetchError::NotPublished { .. }) => Reason::UnknownModel,
        ServeError::NotServed(_) | ServeError::Load(_) | ServeError::Fetch(_) => Reason::ModelUnavailable,
    }
}
