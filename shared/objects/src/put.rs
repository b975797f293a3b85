//! Stores objects: a body is hashed while it is streamed, one part at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use docket_contract::object_key::{BlobKey, Stored};
use docket_process::metrics::Operation;
use docket_process::telemetry;
use futures::{Stream, StreamExt};
use sha2::{Digest, Sha256};

use crate::error::{BlobError, failed, unavailable};
use crate::spool::{FillError, Part};
use crate::store::{BlobStore, NOTE, timed};

/// Size of a part of a multipart upload, in bytes. S3 wants parts of at least 5 MiB, and at most 10,000 of them.
pub const PART_BYTES: usize = 8 * 1024 * 1024;
/// Why an upload was not stored. No part of the object is left.
#[derive(Debug, thiserror::Error)]
pub enum PutError<E> {
    /// The body's stream ended with this error.
    #[error("read the upload")]
    Body(E),
    /// The body has more bytes than allowed.
    #[error("the upload has more than {limit} bytes")]
    TooLarge {
        /// Most bytes of the body.
        limit: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Blob(#[from] BlobError),
}

/// A body to be stored.
pub struct Upload<S> {
    /// Chunks of the body.
    pub body: S,
    /// Most bytes that are taken.
    pub limit: u64,
    /// A note kept with the object, in visible ASCII: the sender's id of the document, in case the row is lost.
    pub note: Option<String>,
}

impl BlobStore {
    /// Streams a body into an object while hashing it. Each part is complete before it is sent: the SDK can send it again, and a
    /// slow sender holds up no request to the store. A failure leaves no object.
    pub async fn put<S, E>(&self, key: &BlobKey, upload: Upload<S>) -> Result<Stored, PutError<E>>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
        E: Send + 'static,
    {
        let meter = Arc::new(Mutex::new(Meter {
            hash: Sha256::new(),
            bytes: 0,
            failure: None,
        }));
        let body = metered(upload.body, upload.limit, meter.clone());
        let sent = self.put_parts(key, body, upload.note).await;
        let meter = std::mem::replace(
            &mut *meter.lock().expect("no holder panics"),
            Meter {
                hash: Sha256::new(),
                bytes: 0,
                failure: None,
            },
        );
        match (meter.failure, sent) {
            (Some(failure), _) => Err(failure),
            (None, Err(error)) => Err(PutError::Blob(error)),
            (None, Ok(())) => Ok(Stored {
                bytes: meter.bytes,
                sha256: meter.hash.finalize().into(),
            }),
        }
    }

    async fn put_parts<S>(&self, key: &BlobKey, mut body: S, note: Option<String>) -> Result<(), BlobError>
    where
        S: Stream<Item = Result<Bytes, BodyFailed>> + Send + Unpin,
    {
        let first = next_part(key, &mut body).await?;
        if first.bytes() < PART_BYTES as u64 {
            return self.put_stream(key, part_body(key, &first).await?, note).await;
        }
        let request = self
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(key.as_str())
            .set_metadata(metadata(note));
        let created = request.send().await.map_err(|error| failed("begin", key, error))?;
        let id = created.upload_id().unwrap_or_default();
        let sent = self.send_parts(key, id, first, body).await;
        if sent.is_err() {
            // If aborting fails, the bucket's lifecycle rule for incomplete uploads removes the parts.
            let abort = self
                .client
                .abort_multipart_upload()
                .bucket(&self.bucket)
                .key(key.as_str())
                .upload_id(id);
            if let Err(error) = abort.send().await {
                tracing::warn!(error = telemetry::chain(&error), "an incomplete upload is left behind");
            }
        }
        sent
    }

    async fn send_parts<S>(&self, key: &BlobKey, id: &str, first: Part, mut body: S) -> Result<(), BlobError>
    where
        S: Stream<Item = Result<Bytes, BodyFailed>> + Send + Unpin,
    {
        let mut parts = Vec::new();
        let mut part = first;
        while part.bytes() > 0 {
            let number = parts.len() as i32 + 1;
            let request = self
                .client
                .upload_part()
                .bucket(&self.bucket)
                .key(key.as_str())
                .upload_id(id);
            let content = part_body(key, &part).await?;
            let request = request.part_number(number).body(content);
            let sent = timed(Operation::Put, async {
                let sent = request.send().await;
                sent.map_err(|error| failed("store a part of", key, error))
            });
            let tag = sent.await?.e_tag;
            parts.push(CompletedPart::builder().part_number(number).set_e_tag(tag).build());
            part = next_part(key, &mut body).await?;
        }
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = self
            .client
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(key.as_str())
            .upload_id(id);
        request
            .multipart_upload(parts)
            .send()
            .await
            .map(drop)
            .map_err(|error| failed("complete", key, error))
    }

    /// Stores bytes that are in memory anyway, such as texts and manifests.
    pub async fn put_bytes(&self, key: &BlobKey, bytes: Bytes) -> Result<(), BlobError> {
        self.put_stream(key, ByteStream::from(bytes), None).await
    }

    /// Stores a file, such as a model's, without holding it in memory.
    pub async fn put_file(&self, key: &BlobKey, path: &std::path::Path) -> Result<(), BlobError> {
        let body = ByteStream::from_path(path).await;
        let body = body.map_err(|error| unavailable("read the file for", key, error))?;
        self.put_stream(key, body, None).await
    }

    async fn put_stream(&self, key: &BlobKey, body: ByteStream, note: Option<String>) -> Result<(), BlobError> {
        let request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key.as_str())
            .set_metadata(metadata(note))
            .body(body);
        timed(Operation::Put, async {
            let sent = request.send().await;
            sent.map(drop).map_err(|error| failed("store", key, error))
        })
        .await
    }
}

fn metadata(note: Option<String>) -> Option<HashMap<String, String>> {
    note.map(|note| HashMap::from([(NOTE.to_owned(), note)]))
}

/// Counts and hashes the body. Keeps the body's failure, which the SDK's error would hide.
struct Meter<E> {
    hash: Sha256,
    bytes: u64,
    failure: Option<PutError<E>>,
}

/// Ends the transfer. The meter has the reason.
#[derive(Debug, thiserror::Error)]
#[error("the upload ended early")]
struct BodyFailed;

fn metered<S, E>(
    body: S,
    limit: u64,
    meter: Arc<Mutex<Meter<E>>>,
) -> impl Stream<Item = Result<Bytes, BodyFailed>> + Send + Unpin
where
    S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
    E: Send,
{
    body.map(move |chunk| {
        let mut meter = meter.lock().expect("no holder panics");
        let failure = match chunk {
            Ok(chunk) if meter.bytes + chunk.len() as u64 <= limit => {
                meter.hash.update(&chunk);
                meter.bytes += chunk.len() as u64;
                return Ok(chunk);
            }
            Ok(_) => PutError::TooLarge { limit },
            Err(error) => PutError::Body(error),
        };
        meter.failure = Some(failure);
        Err(BodyFailed)
    })
}

async fn next_part<S>(key: &BlobKey, body: &mut S) -> Result<Part, BlobError>
where
    S: Stream<Item = Result<Bytes, BodyFailed>> + Unpin,
{
    Part::fill(body, PART_BYTES).await.map_err(|error| match error {
        FillError::Body(error) => unavailable("read", key, error),
        FillError::File(error) => unavailable("write the temporary file of", key, error),
    })
}

async fn part_body(key: &BlobKey, part: &Part) -> Result<ByteStream, BlobError> {
    let body = part.body().await;
    body.map_err(|error| unavailable("read the temporary file of", key, error))
}
