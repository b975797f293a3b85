//! Takes the files of a request one after the other. Each file is hashed while it is streamed to S3, or only hashed when its
//! request was served before.

use crate::kinds;
use axum::body::Bytes;
use docket_contract::ids::{DocumentId, JobId, ModelRef};
use docket_contract::object_key::{self, BlobKey, Stored};
use docket_objects::{PutError, Upload};
use futures::future::join_all;
use futures::{Stream, TryStreamExt};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::time::Duration;
use tracing::Instrument;

use crate::state::ApiState;
use crate::upload::body::BodyError;
use crate::upload::fields::Head;
use crate::{backlog, models, schedule};
use docket_http::caller::Caller;
use docket_http::problem::ApiError;

/// How long the objects of a refused request are removed here; the sweeper removes the rest after a day.
const DISCARD_MAX: Duration = Duration::from_secs(10);

/// Whether the content of files is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The content is stored and hashed.
    Stored,
    /// The content is only hashed.
    Hash,
}

/// A file that was taken.
#[derive(Debug)]
pub struct Taken {
    /// What the caller says about the file.
    pub head: Head,
    /// The id of the new document.
    pub document: DocumentId,
    /// The id of the document's first job.
    pub job: JobId,
    /// The size and hash of the content.
    pub stored: Stored,
}

/// The files of one request.
pub struct Intake {
    state: ApiState,
    caller: Caller,
    keep: Keep,
    taken: Vec<Taken>,
    begun: Vec<BlobKey>,
}

impl Intake {
    /// An intake without files yet.
    pub fn new(state: &ApiState, caller: &Caller, keep: Keep) -> Self {
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

    /// How many of the taken files are deferred.
    pub fn deferred(&self) -> usize {
        let now = Timestamp::now();
        let is_deferred = |taken: &&Taken| backlog::is_deferred(&taken.head.fields.schedule, now);
        self.taken.iter().filter(is_deferred).count()
    }

    /// The key of a document's object.
    pub fn key_of(&self, document: DocumentId) -> BlobKey {
        BlobKey::document(self.caller.bucket, &self.caller.client, document)
    }

    /// The model that shall read a file.
    pub fn model_of<'a>(&'a self, head: &'a Head) -> &'a ModelRef {
        let fields = &head.fields;
        let default = || self.state.model_defaults.of(fields.language.as_ref());
        fields.model.as_ref().unwrap_or_else(default)
    }

    /// Takes a file: stores or hashes its content.
    pub async fn take<S>(&mut self, head: Head, content: S) -> Result<(), ApiError>
    where
        S: Stream<Item = Result<Bytes, BodyError>> + Send + Unpin + 'static,
    {
        let (document, job) = (DocumentId::generate(), JobId::generate());
        let upload = Upload {
            body: content,
            limit: self.state.document_bytes_max,
            note: head.fields.external_id.as_deref().map(object_key::as_note),
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
                kinds::PAYLOAD_TOO_LARGE,
                format!("A document must have at most {limit} bytes."),
            ),
            PutError::Blob(error) => ApiError::from(error),
        })?;
        if stored.bytes == 0 {
            return Err(ApiError::new(
                kinds::EMPTY_DOCUMENT,
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

    /// Removes the stored objects of a refused request, which no row names.
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

/// Hashes a file under the limit that holds for storing it.
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
