//! `multipart/form-data` (RFC 7578): several files, and text fields that hold for the files after them.
//!
//! The parser searches all bytes that it holds whenever it gets more. So it gets pieces of one size (`pieces.rs`): a head sent in
//! one-byte chunks costs no more than a head sent at once.

use crate::kinds;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use futures::stream::StreamExt;
use multer::{Field, Multipart};

use crate::upload::body::{BodyError, HEAD_BYTES_MAX};
use crate::upload::fields::{self, Fields, Head, METADATA_BYTES_MAX};
use crate::upload::intake::Intake;
use crate::upload::pieces::{Chunks, pieces};
use docket_http::problem::{ApiError, Kind};

/// Documents in one form: all of them are accepted in one transaction.
const DOCUMENTS_MAX: usize = 20;
/// Parts of a form: three fields before each document.
const PARTS_MAX: usize = 4 * DOCUMENTS_MAX;

/// Reads a form to its end. `fields` hold until the form sets others.
pub async fn read(chunks: Chunks, boundary: &str, mut fields: Fields, intake: &mut Intake) -> Result<(), ApiError> {
    let between = Arc::new(AtomicU64::new(0));
    let mut form = Multipart::new(paced(pieces(chunks), between.clone()), boundary);
    let mut parts = 0;
    let mut last_field = None;
    while let Some(part) = form.next_field().await.map_err(BodyError::from)? {
        parts += 1;
        if parts > PARTS_MAX {
            return Err(ApiError::new(
                kinds::TOO_MANY_DOCUMENTS,
                format!("A form must have at most {PARTS_MAX} parts."),
            ));
        }
        between.store(0, Ordering::Relaxed);
        let name = part.name().unwrap_or_default().to_owned();
        if !fields::has_file_name(part.headers())? {
            let known = fields.set(&name, text(part).await?)?;
            if !known {
                let detail = format!(
                    "A part must be a file with a name, or one of {}.",
                    fields::NAMES.join(", ")
                );
                return Err(ApiError::new(Kind::INVALID_FIELD, detail));
            }
            last_field = Some(name);
            continue;
        }
        if intake.taken().len() == DOCUMENTS_MAX {
            let detail = format!("A form must have at most {DOCUMENTS_MAX} documents.");
            return Err(ApiError::new(kinds::TOO_MANY_DOCUMENTS, detail));
        }
        last_field = None;
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
        return Err(ApiError::new(kinds::EMPTY_DOCUMENT, "The form has no file."));
    }
    match last_field {
        None => Ok(()),
        Some(name) => Err(after_all_files(&name)),
    }
}

fn after_all_files(field: &str) -> ApiError {
    let detail = format!(
        "The field {field} comes after the last file, so it would hold for none: fields hold for the files after them, and \
         belong before these."
    );
    ApiError::new(Kind::INVALID_FIELD, detail)
}

/// The value of a text field.
async fn text(mut part: Field<'static>) -> Result<String, ApiError> {
    let mut value = Vec::new();
    while let Some(chunk) = part.chunk().await.map_err(BodyError::from)? {
        if value.len() + chunk.len() > METADATA_BYTES_MAX {
            let detail = format!("A text field must have at most {METADATA_BYTES_MAX} bytes.");
            return Err(ApiError::new(Kind::INVALID_FIELD, detail));
        }
        value.extend_from_slice(&chunk);
    }
    String::from_utf8(value).map_err(|_| ApiError::new(Kind::INVALID_FIELD, "A text field is not UTF-8."))
}

/// Hands out one piece at a time, and at most [`HEAD_BYTES_MAX`] without progress: the parser reads whatever it gets into memory
/// before it searches it.
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
        Poll::Ready(if passed > HEAD_BYTES_MAX {
            Some(Err(BodyError::PartHeaders))
        } else {
            next
        })
    })
    .boxed()
}
