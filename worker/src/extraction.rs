//! A document's bytes -> its text. Plain text is read by this process, everything else by a parser in a process of its own.

use bytes::Bytes;
use docket_contract::media_type::{Declared, MediaType};
use docket_contract::outcome::{ParserEnd, PictureEnd, SandboxPart, Stage};
use docket_extract::sandbox::Landlock;
use docket_extract::way::{Way, way};
use docket_extract::{ExtractError, ExtractedText, Extractor, File, Reading, Size, Source, plain_text};
use docket_process::metrics;
use docket_store::work::children::DEPTH_MAX;
use docket_store::work::claims::Claim;
use tokio::sync::OwnedSemaphorePermit;

use crate::admit::memory::{MemoryError, Room};
use crate::admit::scans::Busy;
use crate::context::Context;
use crate::disposition::JobError;

/// A text, and the map of a text that has one, as the map is stored.
pub struct Extracted {
    /// The text.
    pub text: ExtractedText,
    /// The bytes of the text's map.
    pub map: Option<Bytes>,
    /// The files within the document.
    pub files: Vec<File>,
}

/// What a claim's caller declared. The producer took no other, and an earlier release took only plain text.
pub fn declared(claim: &Claim) -> Declared {
    Declared::parse(&claim.media_type).unwrap_or(Declared::UNKNOWN)
}

/// Room in memory for a document, before more is known of it than what was declared.
pub async fn room<'a>(ctx: &'a Context, claim: &Claim) -> Result<Room<'a>, MemoryError> {
    let bytes = claim.size_bytes.unsigned_abs();
    match declared(claim).media_type {
        MediaType::Plain | MediaType::Markdown | MediaType::Unknown => ctx.memory.room(bytes).await,
        MediaType::Pdf
        | MediaType::Docx
        | MediaType::Odt
        | MediaType::Rtf
        | MediaType::Html
        | MediaType::Mail
        | MediaType::Zip
        | MediaType::Png
        | MediaType::Jpeg
        | MediaType::Tiff => ctx.memory.room_of_file(bytes).await,
    }
}

/// Reads a document. A document with pages for OCR needs a place among scans, unless it has one already.
pub async fn text(
    ctx: &Context,
    claim: &Claim,
    bytes: Bytes,
    room: &mut Room<'_>,
    place: Option<OwnedSemaphorePermit>,
) -> Result<Extracted, JobError> {
    let source = Source {
        declared: declared(claim),
        file_name: claim.file_name.as_deref(),
        pages: claim.pages.as_ref(),
        files: claim.depth < DEPTH_MAX,
    };
    match way(source.declared, source.file_name, &bytes) {
        Way::Plain(media_type) => {
            // A text that was declared as something else has less room until now.
            room.for_text(bytes.len(), 0).await?;
            let limits = ctx.extractor.limits().clone();
            let reading = move || plain_text(media_type, source.declared, &bytes, &limits);
            let text = ctx.cpu.run(Stage::Extract, reading).await??;
            Ok(Extracted {
                text,
                map: None,
                files: Vec::new(),
            })
        }
        Way::Parsed => {
            let admit = || place.map_or_else(|| ctx.scans.place(&claim.client), Ok);
            parsed(ctx, source, bytes, room, admit).await
        }
    }
}

/// Tells the metrics how documents ended in their parsers, and what keeps the parsers in.
pub fn sample(extractor: &Extractor) {
    let counts = extractor.counts();
    metrics::parsers_started(counts.started());
    for &how in ParserEnd::ALL {
        metrics::parser_ended(how, counts.ended(how));
    }
    if let Some(ocr) = extractor.ocr() {
        for &how in PictureEnd::ALL {
            metrics::picture_ended(how, ocr.ended(how));
        }
    }
    let enforced = extractor.enforced();
    metrics::sandbox(SandboxPart::Landlock, enforced.landlock != Landlock::None);
    metrics::sandbox(SandboxPart::Seccomp, enforced.seccomp);
}

async fn parsed(
    ctx: &Context,
    source: Source<'_>,
    bytes: Bytes,
    room: &mut Room<'_>,
    admit: impl FnOnce() -> Result<OwnedSemaphorePermit, Busy>,
) -> Result<Extracted, JobError> {
    let admit = || admit().map_err(JobError::Scans);
    let reserve = async |size: Size| {
        let room = room.for_text(size.text, size.map.saturating_add(size.files)).await;
        room.map_err(JobError::Memory)
    };
    let parsing = ctx.extractor.parse(source, bytes, admit, reserve);
    let parsed = parsing.await.map_err(|error| match error {
        ExtractError::Refused(refusal) => JobError::Refused(refusal),
        ExtractError::Parser(error) => JobError::Parser(error),
        ExtractError::NoRoom(error) => error,
    })?;
    let limits = ctx.extractor.limits().clone();
    let checked = ctx.cpu.run(Stage::Extract, move || parsed.check(&limits)).await?;
    let Reading { text, map, files } = checked.map_err(JobError::Parser)?;
    Ok(Extracted {
        text,
        map: Some(map),
        files,
    })
}
