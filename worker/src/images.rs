//! Draws pages that somebody wants to look at. An image can be drawn again at any time: no row tells of it, no error is tried
//! again, and who waits in vain asks again.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use docket_contract::ids::Bucket;
use docket_contract::media_type::Declared;
use docket_contract::object_key::BlobKey;
use docket_contract::outcome::ImageEnd;
use docket_contract::page_image::{DrawPage, ImageMessage};
use docket_extract::{ExtractError, ParserError, Source};
use docket_objects::BlobError;
use docket_process::{metrics, telemetry};
use docket_queue::consume::{Deliveries, Delivery};
use docket_store::StoreError;
use docket_store::read::documents::{self, DocumentSource};
use docket_store::read::reading;

use crate::admit::memory::MemoryError;
use crate::context::Context;
use crate::limits::DOCUMENT_BYTES_MAX;

/// Pages that a worker draws at a time.
pub(crate) const AT_ONCE: u16 = 2;
/// Time for one page. Whoever wants the page asks again every minute at most.
const PAGE_MAX: Duration = Duration::from_secs(60);

/// Why a page was not drawn.
#[derive(Debug, thiserror::Error)]
enum NotDrawn {
    #[error("the document is gone")]
    Gone,
    #[error("the page cannot be drawn")]
    Refused,
    #[error(transparent)]
    Parser(ParserError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error(transparent)]
    Memory(#[from] MemoryError),
    #[error("not drawn within {PAGE_MAX:?}")]
    TooLong,
    #[error("the worker stops")]
    Stopped,
}

impl From<ExtractError<MemoryError>> for NotDrawn {
    fn from(error: ExtractError<MemoryError>) -> Self {
        match error {
            ExtractError::Refused(_) => Self::Refused,
            ExtractError::Parser(error) => Self::Parser(error),
            ExtractError::NoRoom(error) => Self::Memory(error),
        }
    }
}

impl NotDrawn {
    /// Whether the page is at fault, so that asking again is in vain.
    fn is_final(&self) -> bool {
        match self {
            Self::Refused
            | Self::Parser(
                ParserError::TimedOut(_)
                | ParserError::OutOfMemory { .. }
                | ParserError::Crashed(_)
                | ParserError::Forged,
            )
            | Self::Memory(MemoryError::TooLarge { .. }) => true,
            Self::Gone
            | Self::Parser(ParserError::Killed | ParserError::Unavailable(_))
            | Self::Store(_)
            | Self::Blob(_)
            | Self::Memory(MemoryError::NoRoom)
            | Self::TooLong
            | Self::Stopped => false,
        }
    }
}

/// Draws the pages that are asked for. The prefetch bounds how many at a time.
pub(crate) async fn serve(ctx: Arc<Context>, mut deliveries: Deliveries) -> Deliveries {
    while let Some(delivery) = ctx.shutdown.until_soft(deliveries.next()).await {
        ctx.shutdown.spawn(handle(ctx.clone(), delivery));
    }
    deliveries
}

async fn handle(ctx: Arc<Context>, delivery: Delivery) {
    match ImageMessage::decode(&delivery.body) {
        Ok((bucket, wanted)) => {
            let drawing = tokio::time::timeout(PAGE_MAX, draw(&ctx, bucket, &wanted));
            let ended = tokio::select! {
                () = ctx.shutdown.hard() => Err(NotDrawn::Stopped),
                ended = drawing => ended.unwrap_or(Err(NotDrawn::TooLong)),
            };
            metrics::image_ended(said(ended, &wanted));
        }
        Err(error) => tracing::warn!(error = telemetry::chain(&error), "a wish for an image cannot be read"),
    }
    delivery.ack().await;
}

/// How a page's drawing ended, in the log too.
fn said(ended: Result<ImageEnd, NotDrawn>, wanted: &DrawPage) -> ImageEnd {
    let error = match ended {
        Ok(ended) => return ended,
        Err(error) => error,
    };
    let (document, page) = (wanted.document_id, wanted.page);
    tracing::warn!(error = telemetry::chain(&error), document.id = %document, page, "a page was not drawn");
    ImageEnd::PutOff
}

async fn draw(ctx: &Context, bucket: Bucket, wanted: &DrawPage) -> Result<ImageEnd, NotDrawn> {
    let key = BlobKey::page_image(bucket, &wanted.client_id, wanted.document_id, wanted.page);
    match ctx.blobs.open(&key).await {
        Ok(_) => return Ok(ImageEnd::Found),
        Err(BlobError::NotFound { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let mut tx = reading::begin(&ctx.shards, bucket).await?;
    let document = documents::source(&mut tx, bucket, wanted.document_id, &wanted.client_id).await?;
    drop(tx);
    let document = document.ok_or(NotDrawn::Gone)?;
    let image = match image(ctx, &document, wanted.page).await {
        Ok(image) => image,
        Err(error) if error.is_final() => {
            ctx.blobs.put_bytes(&key, Bytes::new()).await?;
            return Ok(ImageEnd::Refused);
        }
        Err(error) => return Err(error),
    };
    ctx.blobs.put_bytes(&key, image).await?;
    Ok(ImageEnd::Drawn)
}

async fn image(ctx: &Context, document: &DocumentSource, page: u32) -> Result<Bytes, NotDrawn> {
    let mut room = ctx.memory.room_of_file(document.size_bytes.unsigned_abs()).await?;
    let bytes = ctx.blobs.get(&document.key, DOCUMENT_BYTES_MAX).await?;
    let source = Source {
        declared: Declared::parse(&document.media_type).unwrap_or(Declared::UNKNOWN),
        file_name: document.file_name.as_deref(),
        pages: None,
        files: false,
    };
    let reserve = async |image_bytes| room.for_text(0, image_bytes).await;
    Ok(ctx.extractor.image(source, bytes, page, reserve).await?)
}
