//! `multipart/form-data` (RFC 7578): several files, and text fields that hold for the files after them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use axum::body::Bytes;
use futures::stream::{BoxStream, StreamExt};
use multer::{Field, Multipart};

use super::body::BodyError;
use super::fields::{self, Fields, Head, METADATA_BYTES_MAX};
use super::intake::Intake;
use crate::http::error::{ApiError, Kind};

/// Documents in one form: all of them are accepted in one transaction.
const DOCUMENTS_MAX: usize = 20;
/// Parts of a form: the three fields anew before each document.
const PARTS_MAX: usize = 4 * DOCUMENTS_MAX;
/// Bytes of a form that may pass between two parts, or two chunks of one: their headers, and what one read brings along.
const BETWEEN_BYTES_MAX: u64 = 1024 * 1024;

type Chunks = BoxStream<'static, Result<Bytes, BodyError>>;

/// Reads a form to its end. `fields` hold until the form sets others.
pub async fn read(chunks: Chunks, boundary: &str, mut fields: Fields, intake: &mut Intake) -> Result<(), ApiError> {
    let between = Arc::new(AtomicU64::new(0));
    let mut form = Multipart::new(paced(chunks, between.clone()), boundary);
    let mut parts = 0;
    while let Some(part) = form.next_field().await.map_err(BodyError::from)? {
        parts += 1;
        if parts > PARTS_MAX {
            return Err(ApiError::new(
                Kind::TooManyDocuments,
                format!("A form must have at most {PARTS_MAX} parts."),
            ));
        }
        between.store(0, Ordering::Relaxed);
        let name = part.name().unwrap_or_default().to_owned();
        if !fields::has_file_name(part.headers()) {
            let known = fields.set(&name, text(part).await?)?;
            if !known {
                let detail = "A part must be a file with a name, or external_id, model or metadata.";
                return Err(ApiError::new(Kind::InvalidField, detail));
            }
            continue;
        }
        if intake.taken().len() == DOCUMENTS_MAX {
            let detail = format!("A form must have at most {DOCUMENTS_MAX} documents.");
            return Err(ApiError::new(Kind::TooManyDocuments, detail));
        }
        let media_type = fields::media_type(part.headers())?;
        let head = Head {
            media_type,
            file_name: fields::file_name(part.headers())?,
            fields: fields.clone(),
        };
        let progress = between.clone();
        let content = part.map(move |chunk| {
            progress.store(0, Ordering::Relaxed);
            chunk.map_err(BodyError::from)
        });
        intake.take(head, content).await?;
    }
    if intake.taken().is_empty() {
        return Err(ApiError::new(Kind::EmptyDocument, "The form has no file."));
    }
    Ok(())
}

/// The value of a text field.
async fn text(mut part: Field<'static>) -> Result<String, ApiError> {
    let mut value = Vec::new();
    while let Some(chunk) = part.chunk().await.map_err(BodyError::from)? {
        if value.len() + chunk.len() > METADATA_BYTES_MAX {
            let detail = format!("A text field must have at most {METADATA_BYTES_MAX} bytes.");
            return Err(ApiError::new(Kind::InvalidField, detail));
        }
        value.extend_from_slice(&chunk);
    }
    String::from_utf8(value).map_err(|_| ApiError::new(Kind::InvalidField, "A text field is not UTF-8."))
}

/// Hands out one chunk at a time, and no more than a bound without progress: the parser reads whatever it is given into
/// its memory before it looks at it.
fn paced(mut chunks: Chunks, between: Arc<AtomicU64>) -> Chunks {
    let mut pause = false;
    futures::stream::poll_fn(move |context| {
        pause = !pause;
        if !pause {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let next = std::task::ready!(chunks.poll_next_unpin(context));
        let Some(Ok(chunk)) = &next else {
            return Poll::Ready(next);
        };
        let passed = between.fetch_add(chunk.len() as u64, Ordering::Relaxed) + chunk.len() as u64;
        Poll::Ready(if passed > BETWEEN_BYTES_MAX {
            Some(Err(BodyError::PartHeaders))
        } else {
            next
        })
    })
    .boxed()
}
