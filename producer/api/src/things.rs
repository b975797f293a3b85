//! The things that a document names, as callers read them.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use docket_contract::ids::{DocumentId, JobId, JobKey};
use docket_contract::thing::Kind as ThingKind;
use docket_store::read::documents::ENTITIES_WALK_MAX;
use docket_store::read::{reading, things as stored};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::problems::ResultProblems;
use crate::results::analysed;
use crate::state::ApiState;
use crate::views::{NamedThing, NamedThings};
use docket_http::caller::Caller;
use docket_http::conditional;
use docket_http::extract::{Id, Params};
use docket_http::page;
use docket_http::problem::{ApiError, Kind};

/// Things on a page. Each has up to 20 aliases and 100 mentions: more would make one answer megabytes.
const THINGS_MAX: u32 = 500;
/// Things on a page that asks for no number.
const THINGS_DEFAULT: u32 = 100;

/// Which things are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ThingsQuery {
    /// The analysis to read: a job of the document. By default the newest that succeeded; later pages stay with the first page's
    /// analysis.
    job_id: Option<Uuid>,
    /// Only things of this kind.
    kind: Option<String>,
    /// At most this many on the page; 100 by default.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// Where the page begins: `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What a query asks for.
struct Wanted {
    job: Option<JobId>,
    kind: Option<ThingKind>,
    after: i32,
    limit: usize,
}

impl ThingsQuery {
    fn check(self) -> Result<Wanted, ApiError> {
        let limit = page::limit(self.limit, THINGS_DEFAULT, 1..=THINGS_MAX)?;
        let kind = self.kind.as_deref().map(kind).transpose()?;
        let (job, after) = page::of_analysis(self.job_id.map(JobId), self.cursor.as_deref())?;
        Ok(Wanted {
            job,
            kind,
            after,
            limit,
        })
    }
}

fn kind(word: &str) -> Result<ThingKind, ApiError> {
    let known = ThingKind::ALL.iter().find(|kind| kind.as_str() == word);
    known.copied().ok_or_else(|| {
        let known = ThingKind::WORDS.join(", ");
        ApiError::new(Kind::INVALID_REQUEST, format!("kind must be one of {known}."))
    })
}

/// Things
///
/// The parties, persons, courts, acts, places and cases that a document names, in the order of their first mentions, a page at a
/// time. A page may hold fewer than asked for, or none, and still have a `next_cursor`: read on until there is none.
#[utoipa::path(
    get,
    path = "/v1/documents/{document_id}/things",
    operation_id = "list_things",
    tag = "documents",
    params(
        ("document_id" = Uuid, Path, description = "The document."),
        ThingsQuery,
        ("if-none-match" = Option<String>, Header, description = "Entity tag of what the caller has."),
    ),
    responses(
        (status = 200, description = "A page of things.", body = NamedThings, headers(("etag", description = "Its entity tag."))),
        (status = 304, description = "The caller has it."),
        ResultProblems,
    )
)]
pub async fn things(
    caller: Caller,
    Id(id): Id,
    Params(query): Params<ThingsQuery>,
    State(state): State<ApiState>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Wanted {
        job,
        kind,
        after,
        limit,
    } = query.check()?;
    let mut tx = reading::begin(&state.shards, caller.bucket).await?;
    let job = analysed(&mut tx, &caller, DocumentId(id), job).await?;
    let key = JobKey {
        bucket: caller.bucket,
        job: job.id,
    };
    let mut found = stored::things(&mut tx, key, kind, after, limit as i64 + 1).await?;
    drop(tx);
    let walked_to = after.saturating_add(ENTITIES_WALK_MAX);
    let last = page::cut(&mut found, limit).map(|(ordinal, _)| *ordinal);
    let more = job.entities.is_some_and(|entities| entities > walked_to);
    let next_cursor = last.or(more.then_some(walked_to));
    conditional::json(
        &headers,
        &NamedThings {
            document_id: id,
            job_id: job.id.0,
            things: found.into_iter().map(NamedThing::from).collect(),
            next_cursor: next_cursor.map(|ordinal| page::after_entity(job.id, ordinal)),
        },
    )
}
