//! `multipart/form-data` (RFC 7578): several files, and text fields that hold for the files after them.
//!
//! The parser looks through all that it holds whenever it is given something: what it is given comes in pieces of a size of
//! ours (`pieces.rs`), so that a head of one-byte chunks costs no more than one that comes at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use futures::stream::StreamExt;
use multer::{Field, Multipart};

use super::body::BodyError;
use super::fields::{self, Fields, Head, METADATA_BYTES_MAX};
use super::intake::Intake;
use super::pieces::{Chunks, PIECE_BYTES, pieces};
use crate::http::error::{ApiError, Kind};

/// Documents in one form: all of them are accepted in one transaction.
const DOCUMENTS_MAX: usize = 20;
/// Parts of a form: the three fields anew before each document.
const PARTS_MAX: usize = 4 * DOCUMENTS_MAX;
/// Bytes of a form that may pass before a part begins, or between two chunks of one: what is before its headers, and they.
/// Those of browsers and libraries have a few hundred.
pub const HEAD_BYTES_MAX: u64 = 4 * PIECE_BYTES as u64;

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
                Kind::TooManyDocuments,
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
                return Err(ApiError::new(Kind::InvalidField, detail));
            }
            last_field = Some(name);
            continue;
        }
        if intake.taken().len() == DOCUMENTS_MAX {
            let detail = format!("A form must have at most {DOCUMENTS_MAX} documents.");
            return Err(ApiError::new(Kind::TooManyDocuments, detail));
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
        return Err(ApiError::new(Kind::EmptyDocument, "The form has no file."));
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
    ApiError::new(Kind::InvalidField, detail)
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

/// Hands out one piece at a time, and no more than a bound without progress: the parser reads whatever it is given into
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
        Poll::Ready(if passed > HEAD_BYTES_MAX {
            Some(Err(BodyError::PartHeaders))
        } else {
            next
        })
    })
    .boxed()
}
