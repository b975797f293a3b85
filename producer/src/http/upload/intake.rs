//! Taking the files of a request one after the other: each is streamed to S3 while it is hashed, or only hashed when its
//! request was served before.

use axum::body::Bytes;
use docket_shared::blob::{BlobKey, PutError, Stored, Upload};
use docket_shared::ids::{DocumentId, JobId, ModelRef};
use futures::future::join_all;
use futures::{Stream, TryStreamExt};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::time::Duration;
use tracing::Instrument;

use super::body::BodyError;
use super::fields::Head;
use crate::http::AppState;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Kind};
use crate::http::{backlog, models, schedule};
use crate::operate::restore;

/// How long the objects of a refused request are being removed; what is left then the sweeper removes after a day.
const DISCARD_MAX: Duration = Duration::from_secs(10);

/// What is done with the content of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// It is stored.
    Stored,
    /// Only its hash is of interest.
    Hash,
}

/// A file that was taken.
#[derive(Debug)]
pub struct Taken {
    /// What is said about it.
    pub head: Head,
    /// The document it becomes.
    pub document: DocumentId,
    /// That document's first job.
    pub job: JobId,
    /// Its size and hash.
    pub stored: Stored,
}

/// The files of one request.
pub struct Intake {
    state: AppState,
    caller: Caller,
    keep: Keep,
    taken: Vec<Taken>,
    begun: Vec<BlobKey>,
}

impl Intake {
    /// Nothing taken yet.
    pub fn new(state: &AppState, caller: &Caller, keep: Keep) -> Self {
        Self {
            state: state.clone(),
            caller: caller.clone(),
            keep,
            taken: Vec::new(),
            begun: Vec::new(),
        }
    }

    /// The files taken so far, in order.
    pub fn taken(&self) -> &[Taken] {
        &self.taken
    }

    /// How many of them are deferred.
    pub fn deferred(&self) -> usize {
        let now = Timestamp::now();
        let is_deferred = |taken: &&Taken| backlog::is_deferred(&taken.head.fields.schedule, now);
        self.taken.iter().filter(is_deferred).count()
    }

    /// Where a document's object is.
    pub fn key_of(&self, document: DocumentId) -> BlobKey {
        BlobKey::document(self.caller.bucket, &self.caller.client, document)
    }

    /// The model that shall read a file.
    pub fn model_of<'a>(&'a self, head: &'a Head) -> &'a ModelRef {
        head.fields.model.as_ref().unwrap_or(&self.state.model_default)
    }

    /// Takes a file.
    pub async fn take<S>(&mut self, head: Head, content: S) -> Result<(), ApiError>
    where
        S: Stream<Item = Result<Bytes, BodyError>> + Send + Unpin + 'static,
    {
        let (document, job) = (DocumentId::generate(), JobId::generate());
        let upload = Upload {
            body: content,
            limit: self.state.document_bytes_max,
            note: head.fields.external_id.as_deref().map(restore::as_note),
        };
        let stored = match self.keep {
            Keep::Stored => {
                let (schedule, now) = (&head.fields.schedule, Timestamp::now());
                schedule::check(schedule, now)?;
                if backlog::is_deferred(schedule, now) {
                    let (backlogs, shards) = (&self.state.backlogs, &self.state.shards);
                    backlogs.admit_deferred(shards, &self.caller).await?;
                }
                models::require(&self.state, self.model_of(&head)).await?;
                let key = self.key_of(document);
                self.begun.push(key.clone());
                let span = tracing::debug_span!("store");
                self.state.blobs.put(&key, upload).instrument(span).await
            }
            Keep::Hash => hash(upload).await,
        };
        let stored = stored.map_err(|error| match error {
            PutError::Body(error) => error.into(),
            PutError::TooLarge { limit } => ApiError::new(
                Kind::PayloadTooLarge,
                format!("A document must have at most {limit} bytes."),
            ),
            PutError::Blob(error) => ApiError::from(error),
        })?;
        if stored.bytes == 0 {
            return Err(ApiError::new(
                Kind::EmptyDocument,
                "A document must have at least one byte.",
            ));
        }
        self.taken.push(Taken {
            head,
            document,
            job,
            stored,
        });
        Ok(())
    }

    /// Removes what was stored: its request was refused, so no row names it.
    pub async fn discard(self) {
        let removed = join_all(self.begun.iter().map(|key| self.state.blobs.delete(key)));
        let failed = match tokio::time::timeout(DISCARD_MAX, removed).await {
            Ok(removed) => removed.iter().filter(|removed| removed.is_err()).count(),
            Err(_) => self.begun.len(),
        };
        if failed > 0 {
            tracing::warn!(objects = failed, "objects of a refused upload are left to the sweeper");
        }
    }
}

/// Reads a file under the same limit as when it is stored.
async fn hash<S>(mut upload: Upload<S>) -> Result<Stored, PutError<BodyError>>
where
    S: Stream<Item = Result<Bytes, BodyError>> + Unpin,
{
    let (mut bytes, mut sha256) = (0, Sha256::new());
    while let Some(chunk) = upload.body.try_next().await.map_err(PutError::Body)? {
        bytes += chunk.len() as u64;
        if bytes > upload.limit {
            return Err(PutError::TooLarge { limit: upload.limit });
        }
        sha256.update(&chunk);
    }
    Ok(Stored {
        bytes,
        sha256: sha256.finalize().into(),
    })
}
