//! Reads what an export needs, piece by piece: entities from the shard, text, pages and the upload from S3.
//!
//! Nothing is kept open between two pieces: no transaction, and no request to S3. So a caller that reads slowly holds only its
//! memory: some 2,000 entities, a piece of the text or a page, and the bytes that are ready.

use std::collections::VecDeque;

use axum::body::Bytes;
use docket_contract::entity::Entity;
use docket_contract::ids::JobKey;
use docket_contract::object_key::BlobKey;
use docket_contract::text_map::{Index, Page};
use docket_export::{Document, Export, ExportError, Format, Found, Part, Want};
use docket_store::read::documents::{self, DocumentSource, ENTITIES_WALK_MAX, EntityPage};
use docket_store::read::reading;
use docket_store::work::jobs::{self, JobView};

use crate::kinds;
use crate::pages;
use crate::results::offsets_not_counted;
use crate::state::ApiState;
use crate::views;
use docket_http::caller::Caller;
use docket_http::problem::ApiError;

/// Entities read in one transaction: a few milliseconds, and about a megabyte.
pub const ENTITIES_READ: i64 = 2_000;
/// Bytes read of an object at a time: a large text takes few requests, and 32 exports stay small.
const PIECE_BYTES: u64 = 256 * 1024;
/// Bytes that are ready before they go out.
const READY_BYTES: usize = 64 * 1024;
/// Largest text of a page that is exported with its words, in bytes: its boxes take eight times as much memory. A page of a book
/// has 3 kB.
const PAGE_BYTES_MAX: usize = 256 * 1024;
/// What a PDF is by its content.
const PDF: &str = "application/pdf";

/// An export, and where it reads from.
pub struct Feed {
    state: ApiState,
    caller: Caller,
    job: JobView,
    export: Export,
    text: Object,
    original: Object,
    index: Option<(Index, BlobKey)>,
    entities: VecDeque<(i32, Entity)>,
    /// The page of entities to read next, until all were read.
    unread: Option<EntityPage>,
}

/// An object, and how far it was read.
struct Object {
    key: BlobKey,
    bytes: u64,
    at: u64,
}

impl Feed {
    /// Looks what is there, and reads the first entities.
    pub async fn open(
        state: ApiState,
        caller: Caller,
        (job, source): (JobView, DocumentSource),
        (format, wanted): (Format, EntityPage),
    ) -> Result<Self, ApiError> {
        let text = job.text_key.clone();
        let text = text.ok_or_else(|| ApiError::internal(format!("job {} succeeded without a text", job.id)))?;
        let text = Object::find(&state, text).await?;
        let index = match format {
            Format::OpenContracts => pdf_pages(&state, &job).await?,
            _ => None,
        };
        let document = Document {
            id: job.document_id,
            job: job.id,
            model: views::model_of(&job),
            file_name: source.file_name,
            pdf_pages: index.as_ref().map(|(index, _)| index.pages.clone()).unwrap_or_default(),
        };
        let original = Object {
            key: source.key,
            bytes: source.size_bytes.unsigned_abs(),
            at: 0,
        };
        let mut feed = Self {
            state,
            caller,
            job,
            export: Export::new(format, document),
            text,
            original,
            index,
            entities: VecDeque::new(),
            unread: Some(wanted),
        };
        feed.read_entities().await?;
        let counts = |(_, entity): &(i32, Entity)| entity.span.start_utf16.is_some();
        if format == Format::OpenContracts && feed.index.is_none() && !feed.entities.front().is_none_or(counts) {
            return Err(offsets_not_counted());
        }
        Ok(feed)
    }

    /// The next bytes; `None` when the export is complete.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        while self.export.ready() < READY_BYTES {
            match self.export.wants() {
                Want::Text => self.give_text().await?,
                Want::Entity => self.give_entity().await?,
                Want::Page(place) => self.give_page(place).await?,
                Want::Original => self.give_original().await?,
                Want::Nothing => break,
            }
        }
        let ready = self.export.hand_out();
        Ok((!ready.is_empty()).then(|| ready.into()))
    }

    async fn give_text(&mut self) -> Result<(), ApiError> {
        let Some(read) = self.text.read(&self.state).await? else {
            self.text.at = 0;
            return self.export.take(Part::TextEnd).map_err(broken);
        };
        let piece = match std::str::from_utf8(&read) {
            Ok(piece) => piece,
            Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => {
                // The piece ends within a character, which the next piece begins with.
                let whole = error.valid_up_to();
                self.text.at -= (read.len() - whole) as u64;
                std::str::from_utf8(&read[..whole]).map_err(ApiError::internal)?
            }
            Err(error) => return Err(ApiError::internal(error)),
        };
        self.export.take(Part::Text(piece)).map_err(broken)
    }

    async fn give_original(&mut self) -> Result<(), ApiError> {
        let read = self.original.read(&self.state).await?;
        let part = read.as_deref().map_or(Part::OriginalEnd, Part::Original);
        self.export.take(part).map_err(broken)
    }

    async fn give_page(&mut self, place: usize) -> Result<(), ApiError> {
        let (index, map) = self.index.as_ref().ok_or_else(|| broken(ExportError::NotWanted))?;
        let (page, _) = pages::opened(&self.state, (index, map), place).await?;
        let text = pages::text_of(&self.state, &self.text.key, &page).await?;
        self.export.take(Part::Page(&page, &text)).map_err(broken)
    }

    async fn give_entity(&mut self) -> Result<(), ApiError> {
        while self.entities.is_empty() && self.unread.is_some() {
            self.read_entities().await?;
        }
        let found = self.entities.pop_front();
        let found = found.map(|(ordinal, entity)| Found { ordinal, entity });
        self.export
            .take(found.map_or(Part::EntityEnd, Part::Entity))
            .map_err(broken)
    }

    /// Reads the next entities, and checks that the result is still there: without it, there would seem to be no more.
    async fn read_entities(&mut self) -> Result<(), ApiError> {
        let Some(page) = self.unread.take() else {
            return Ok(());
        };
        let key = JobKey {
            bucket: self.caller.bucket,
            job: self.job.id,
        };
        let mut tx = reading::begin(&self.state.shards, self.caller.bucket).await?;
        let found = documents::entities(&mut tx, key, page.clone()).await?;
        let still = jobs::find(&mut tx, key, &self.caller.client).await?;
        drop(tx);
        if still.is_none() {
            let detail = format!("the result of job {} was removed while it was exported", self.job.id);
            return Err(ApiError::internal(detail));
        }
        let full = found.len() as i64 == page.limit;
        let last = found.last().map(|(ordinal, _)| *ordinal).filter(|_| full);
        let after = last.unwrap_or(page.after.saturating_add(ENTITIES_WALK_MAX));
        if self.job.entities.is_some_and(|entities| entities > after) {
            self.unread = Some(EntityPage { after, ..page });
        }
        self.entities.extend(found);
        Ok(())
    }
}

impl Object {
    async fn find(state: &ApiState, key: BlobKey) -> Result<Self, ApiError> {
        let bytes = state.blobs.size(&key).await?;
        Ok(Self { key, bytes, at: 0 })
    }

    /// The next bytes; `None` at the object's end.
    async fn read(&mut self, state: &ApiState) -> Result<Option<Bytes>, ApiError> {
        if self.at >= self.bytes {
            return Ok(None);
        }
        let end = self.bytes.min(self.at + PIECE_BYTES);
        let read = state.blobs.range(&self.key, self.at..end).await?;
        if read.len() as u64 != end - self.at {
            let detail = format!("object {} ended after {} of {} bytes", self.key, self.at, self.bytes);
            return Err(ApiError::unavailable(detail));
        }
        self.at = end;
        Ok(Some(read))
    }
}

/// The pages of a PDF that was read by its pages; `None` for every other document.
async fn pdf_pages(state: &ApiState, job: &JobView) -> Result<Option<(Index, BlobKey)>, ApiError> {
    let coverage = job.coverage.as_ref();
    let is_pdf = coverage.is_some_and(|coverage| coverage.media_type == PDF && coverage.pages.is_some());
    let Some(map) = job.map_key.clone().filter(|_| is_pdf) else {
        return Ok(None);
    };
    let index = pages::index_of(state, &map).await?;
    let too_large = |page: &&Page| page.bytes.len() > PAGE_BYTES_MAX;
    if let Some(page) = index.pages.iter().find(too_large) {
        let detail = format!(
            "Page {} has {} bytes of text, and at most {PAGE_BYTES_MAX} are exported with the places of their words; choose \
             another format.",
            page.number,
            page.bytes.len()
        );
        return Err(ApiError::new(kinds::PAGE_TOO_LARGE, detail));
    }
    Ok(Some((index, map)))
}

fn broken(error: ExportError) -> ApiError {
    match error {
        ExportError::NotCounted { .. } => offsets_not_counted(),
        ExportError::Misplaced { .. }
        | ExportError::NotWanted
        | ExportError::Archive(_)
        | ExportError::ArchivedFile(_) => ApiError::internal(error),
    }
}
