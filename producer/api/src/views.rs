//! What callers read: the JSON of the API. These types are separate from the stores' types, so that the stores can change.

use std::borrow::Cow;

use docket_contract::coverage::Coverage;
use docket_contract::entity::Entity;
use docket_contract::job::Priority;
use docket_contract::place::Place;
use docket_contract::reason;
use docket_contract::state::JobState;
use docket_contract::text_map::Rectangle;
use docket_contract::thing::Thing;
use docket_store::read::documents::DocumentView;
use docket_store::work::jobs::JobView;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

/// A document that was accepted.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Accepted {
    /// The document.
    pub document_id: Uuid,
    /// Its analysis.
    pub job_id: Uuid,
    /// Where its job stands.
    pub state: JobState,
    /// Its file name, when it has one.
    pub file_name: Option<String>,
    /// The caller's own id for it, when it has one.
    pub external_id: Option<String>,
}

/// The documents of a form that was accepted, in the form's order.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AcceptedForm {
    /// One entry a document.
    pub documents: Vec<Accepted>,
}

/// Why a job failed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JobError {
    /// A short stable word, for filters.
    #[schema(examples("unreadable_document"))]
    pub kind: String,
    /// One sentence.
    pub detail: String,
}

impl JobError {
    /// Tells the caller what went wrong, without the internal detail, which is for operators.
    fn of(kind: &str, detail: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            detail: reason::told(kind, detail),
        }
    }
}

/// One analysis of a document by one model.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Job {
    /// Its id.
    pub job_id: Uuid,
    /// Its document.
    pub document_id: Uuid,
    /// Where it stands.
    pub state: JobState,
    /// The model, as `name` or `name@version`: with the version that was asked for or that has read the document.
    #[schema(examples("ner-legal@2"))]
    pub model: String,
    /// `interactive` or `bulk`.
    #[schema(value_type = String, examples("interactive"))]
    pub priority: Priority,
    /// When it may be begun next, while it waits.
    pub due_at: Option<Timestamp>,
    /// When it expires, if it does.
    pub deadline: Option<Timestamp>,
    /// How often it was begun.
    pub attempts: i32,
    /// Why it failed, if it did.
    pub error: Option<JobError>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it was begun, the last time.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// From its acceptance to its last beginning, in seconds.
    pub waited_seconds: Option<f64>,
    /// From its last beginning to its end, in seconds.
    pub ran_seconds: Option<f64>,
    /// Characters of the extracted text: all of them were read.
    pub text_chars: Option<i64>,
    /// Windows the text was read in.
    pub windows: Option<i32>,
    /// Tokens of the text, each counted once.
    pub tokens: Option<i64>,
    /// The share of the text that the model has read, 0 to 1: renewed every five seconds while the job runs, null until that is
    /// known, and 1 once the job has succeeded.
    #[schema(examples(0.35))]
    pub progress: Option<f32>,
    /// Entities found.
    pub entities: Option<i32>,
    /// What of the document was read, and how.
    pub coverage: Option<Coverage>,
}

impl From<&JobView> for Job {
    fn from(job: &JobView) -> Self {
        let between =
            |from: Option<Timestamp>, to: Option<Timestamp>| Some(seconds(to?.duration_since(from?)).max(0.0));
        Self {
            job_id: job.id.0,
            document_id: job.document_id.0,
            state: job.state,
            model: model_of(job),
            priority: job.priority,
            due_at: job.due_at,
            deadline: job.deadline,
            attempts: job.attempts,
            error: job.error.as_ref().map(|(kind, detail)| JobError::of(kind, detail)),
            created_at: job.created_at,
            started_at: job.started_at,
            ended_at: job.ended_at,
            waited_seconds: between(Some(job.created_at), job.started_at),
            ran_seconds: between(job.started_at, job.ended_at),
            text_chars: job.text_chars,
            windows: job.windows,
            tokens: job.tokens,
            progress: progress_of(job),
            entities: job.entities,
            coverage: job.coverage.clone(),
        }
    }
}

fn seconds(duration: SignedDuration) -> f64 {
    duration.as_secs_f64()
}

fn progress_of(job: &JobView) -> Option<f32> {
    if job.state == JobState::Succeeded {
        return Some(1.0);
    }
    job.progress
}

/// `name@version`, or the name while no version is known.
pub fn model_of(job: &JobView) -> String {
    match &job.model_version {
        Some(version) => format!("{}@{version}", job.model),
        None => job.model.to_string(),
    }
}

/// One thing that happened to a job.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Happened {
    /// When.
    pub at: Timestamp,
    /// What: `published`, `claimed`, `crashed`, `errored`, `postponed`, `given_back`, `requeued`, `succeeded`, `failed`,
    /// `cancelled`, `expired` or `redriven`.
    pub event: String,
    /// Why, where there is a reason.
    #[serde(default)]
    pub reason: Option<String>,
}

/// A job and what happened to it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JobWithHistory {
    /// The job.
    #[serde(flatten)]
    pub job: Job,
    /// What happened to it, newest last; the newest 50 are kept.
    pub history: Vec<Happened>,
}

/// A page of a document's jobs, newest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Jobs {
    /// The jobs.
    pub jobs: Vec<Job>,
    /// Where the next page begins; null on the last one.
    pub next_cursor: Option<String>,
}

/// A document, where it stands, and its newest analysis.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Document {
    /// Its id.
    pub document_id: Uuid,
    /// Where it stands: `succeeded` once an analysis of it has, whatever a newer one does; until then where its newest job
    /// stands.
    pub state: JobState,
    /// The analysis whose result is read: the newest that succeeded, if one has.
    pub result_job_id: Option<Uuid>,
    /// The document that it was within: a mail or an archive.
    pub parent_id: Option<Uuid>,
    /// The caller's own id for it.
    pub external_id: Option<String>,
    /// Its file name.
    pub file_name: Option<String>,
    /// What it is.
    #[schema(examples("text/plain"))]
    pub media_type: String,
    /// The caller's own data, as they were sent.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Box<RawValue>>,
    /// The pages that are read, where its caller named some.
    #[schema(examples("2-9,12"))]
    pub pages: Option<String>,
    /// Its size in bytes.
    pub size_bytes: i64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// Its newest job, with a state of its own.
    pub job: Job,
}

impl From<DocumentView> for Document {
    fn from(document: DocumentView) -> Self {
        Self {
            document_id: document.id.0,
            state: document.state(),
            result_job_id: document.result_job.map(|job| job.0),
            job: Job::from(&document.job),
            parent_id: document.parent.map(|parent| parent.0),
            external_id: document.external_id,
            file_name: document.file_name,
            media_type: document.media_type,
            pages: document.pages,
            metadata: document.metadata,
            size_bytes: document.size_bytes,
            sha256: document.sha256,
            created_at: document.created_at,
        }
    }
}

/// A page of documents, newest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Documents {
    /// The documents.
    pub documents: Vec<Document>,
    /// Where the next page begins; null on the last one.
    pub next_cursor: Option<String>,
}

/// The unit in which the ends of entities are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Unicode scalar values, as Python and Rust count characters.
    #[default]
    Scalar,
    /// Bytes of UTF-8.
    Byte,
    /// UTF-16 code units, as JavaScript, Java and C# count.
    Utf16,
}

/// Something that was found in a document. The extracted text at its offsets is its `text`, exactly.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FoundEntity {
    /// Its number within the analysis, from 1 in the order of the text.
    pub id: i32,
    /// The model's name for the kind of thing.
    #[schema(examples("COURT"))]
    pub label: String,
    /// The words, as they stand in the text.
    pub text: String,
    /// Where it begins in the extracted text, counted from 0 in the unit that was asked for: by default in characters (Unicode
    /// scalar values).
    pub start: u32,
    /// One past its end, in the same unit.
    pub end: u32,
    /// First byte of the extracted text in UTF-8, counted from 0.
    pub start_byte: u32,
    /// One past the last byte.
    pub end_byte: u32,
    /// Page, counted from 1, in documents that have pages.
    pub page: Option<u32>,
    /// What the text around it is to a reader: `body`, or for instance `header`, `footer`, `footnote`.
    #[schema(examples("body"))]
    pub region: &'static str,
    /// Its line, paragraph or cell, in documents without pages.
    pub place: Option<Place>,
    /// Where it stands on its page, a rectangle for each line, in points (1/72 inch) from the top left of the page as shown.
    pub boxes: Vec<Rectangle>,
    /// How sure the model is, 0 to 1: the probability of the entity as a whole. It is the product of the probabilities that each
    /// of its words has its label, and that the next word does not continue the entity. What only a recogniser found has 1.
    pub score: f32,
    /// What found it: `model`; `recogniser` for what only a recogniser found; `carried` for a name that is sure elsewhere.
    #[schema(examples("model"))]
    pub source: &'static str,
    /// The recogniser that knows its form, also where the model found it too.
    #[schema(examples("money"))]
    pub recogniser: Option<Cow<'static, str>>,
    /// What it means, as far as its form tells: an object with a `kind`, for instance a sum's amount and currency.
    #[schema(value_type = Option<Object>)]
    pub value: Option<Box<RawValue>>,
    /// The thing that it is a mention of: the `id` of the thing's first mention. Null for what is no thing, such as a date.
    pub canonical: Option<u32>,
    /// The `id` of the mention that it was carried from.
    pub carried_from: Option<u32>,
    /// The model that found it, as `name@version`.
    pub model: String,
}

impl FoundEntity {
    /// An entity as its caller reads it, with its ends in a unit; `None` when its release did not count that unit.
    pub fn new((id, entity): (i32, Entity), model: &str, unit: Unit) -> Option<Self> {
        let span = entity.span;
        let (start, end) = match unit {
            Unit::Scalar => (span.start, span.end),
            Unit::Byte => (span.start_byte, span.end_byte),
            Unit::Utf16 => {
                let start = span.start_utf16?;
                let length = entity.text.encode_utf16().count();
                (start, start.saturating_add(u32::try_from(length).ok()?))
            }
        };
        Some(Self {
            id,
            label: entity.label,
            text: entity.text,
            start,
            end,
            start_byte: span.start_byte,
            end_byte: span.end_byte,
            page: entity.page,
            region: entity.region.as_str(),
            place: entity.place,
            boxes: entity.boxes,
            score: entity.score,
            source: entity.source.as_str(),
            recogniser: entity.recogniser,
            value: entity.value.and_then(|value| RawValue::from_string(value.into()).ok()),
            canonical: entity.canonical,
            carried_from: entity.carried_from,
            model: model.to_owned(),
        })
    }
}

/// A thing that a document names, and what its mentions are together.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NamedThing {
    /// The `id` of its first mention. All its mentions have it as `canonical`.
    pub id: i32,
    /// What it is: `organisation`, `person`, `government`, `court`, `place`, `act`, `case` or `statute`.
    #[schema(examples("organisation"))]
    pub kind: &'static str,
    /// Its fullest name in the document.
    #[schema(examples("Acme Corporation"))]
    pub name: String,
    /// Its other names, the most frequent first: at most 20.
    #[schema(examples(json!(["the Company", "Acme"])))]
    pub aliases: Vec<String>,
    /// What it is to the document.
    #[schema(examples(json!(["Licensee"])))]
    pub roles: Vec<String>,
    /// How many mentions it has.
    pub mention_count: u32,
    /// The `id` of each of its first 100 mentions.
    pub mentions: Vec<u32>,
}

impl From<(i32, Thing)> for NamedThing {
    fn from((id, thing): (i32, Thing)) -> Self {
        Self {
            id,
            kind: thing.kind.as_str(),
            name: thing.name,
            aliases: thing.aliases,
            roles: thing.roles,
            mention_count: thing.mention_count,
            mentions: thing.mentions,
        }
    }
}

/// A page of the things that a document names, in the order of their first mentions.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NamedThings {
    /// The document.
    pub document_id: Uuid,
    /// The analysis that found them.
    pub job_id: Uuid,
    /// The things.
    pub things: Vec<NamedThing>,
    /// Where the next page begins; null on the last one.
    pub next_cursor: Option<String>,
}

/// A page of a document as it is shown: its text, its size and its blocks. Offsets count from the start of the whole document's text.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ShownPage {
    /// The document.
    pub document_id: Uuid,
    /// The analysis that read it.
    pub job_id: Uuid,
    /// The page's number, from 1.
    pub page: u32,
    /// Width in points (1/72 inch), as shown.
    pub width: f32,
    /// Height in points, as shown.
    pub height: f32,
    /// How its text was had: `text`, `ocr`; or why there is none: `empty`, `no_text_layer`, `undecodable`, `unreadable`,
    /// `ocr_failed`, `ocr_limit`, `not_asked`.
    #[schema(examples("text"))]
    pub reading: &'static str,
    /// How sure OCR is of the page's average character, in percent; only for a page that OCR read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ocr_confidence: Option<u8>,
    /// First character of the page's text, counted in Unicode scalar values.
    pub start: u32,
    /// One past its last character.
    pub end: u32,
    /// First byte of the page's text in UTF-8.
    pub start_byte: u32,
    /// One past its last byte.
    pub end_byte: u32,
    /// The page's text.
    pub text: String,
    /// The page's blocks, in reading order.
    pub blocks: Vec<ShownBlock>,
}

/// An image that is not there yet.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImageBeingDrawn {
    /// Always `being_drawn`.
    #[schema(examples("being_drawn"))]
    pub state: &'static str,
}

/// A block of a page: a paragraph, a heading, a running header.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ShownBlock {
    /// What it is to a reader: `body`, `header`, `footer`, `page_number` and so on.
    #[schema(examples("body"))]
    pub region: &'static str,
    /// First character, counted in Unicode scalar values from the start of the document's text.
    pub start: u32,
    /// One past the last character.
    pub end: u32,
    /// First byte in UTF-8.
    pub start_byte: u32,
    /// One past the last byte.
    pub end_byte: u32,
    /// Its lines, a rectangle each, at most 32 of them.
    pub boxes: Vec<Rectangle>,
}

/// A page of a document's entities, in the order of the text.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Entities {
    /// The document.
    pub document_id: Uuid,
    /// The analysis that found them.
    pub job_id: Uuid,
    /// The unit of `start` and `end`.
    pub offsets: Unit,
    /// The entities.
    pub entities: Vec<FoundEntity>,
    /// Where the next page begins; null on the last one.
    pub next_cursor: Option<String>,
}
