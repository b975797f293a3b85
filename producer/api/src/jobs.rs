//! Analyses: the list of a document's, one with its history, and cancelling one.

use crate::kinds;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use docket_contract::ids::{DocumentId, JobId, JobKey};
use docket_store::read::{documents, reading};
use docket_store::work::jobs::{self, Cancellation, JobPage};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::problems::{CancelProblems, ReadProblems};
use crate::state::ApiState;
use crate::views::{Happened, Job, JobWithHistory, Jobs};
use docket_http::caller::Caller;
use docket_http::conditional;
use docket_http::extract::{Id, Params};
use docket_http::page;
use docket_http::problem::ApiError;

/// Jobs on a page: more would make one answer a megabyte.
const JOBS_MAX: u32 = 200;
/// Jobs on a page that asks for no number.
const JOBS_DEFAULT: u32 = 50;

/// Which jobs are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct JobsQuery {
    /// At most this many on the page; 50 by default.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// Where the page begins: `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Jobs of a document
///
/// Every analysis of a document, newest first, a page at a time.
#[utoipa::path(
    get,
    path = "/v1/documents/{document_id}/jobs",
    operation_id = "list_jobs",
    tag = "jobs",
    params(
        ("document_id" = Uuid, Path, description = "The document."),
        JobsQuery,
        ("if-none-match" = Option<String>, Header, description = "Entity tag of what the caller has."),
    ),
    responses(
        (status = 200, description = "A page of jobs.", body = Jobs, headers(("etag", description = "Its entity tag."))),
        (status = 304, description = "The caller has it."),
        ReadProblems,
    )
)]
pub async fn of_document(
    caller: Caller,
    Id(id): Id,
    Params(query): Params<JobsQuery>,
    State(state): State<ApiState>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let limit = page::limit(query.limit, JOBS_DEFAULT, 1..=JOBS_MAX)?;
    let document = DocumentId(id);
    let wanted = JobPage {
        document,
        before: query.cursor.as_deref().map(page::at).transpose()?.map(JobId),
        limit: limit as i64 + 1,
    };
    let mut tx = reading::begin(&state.shards, caller.bucket).await?;
    let mut found = jobs::list(&mut tx, caller.bucket, &caller.client, wanted).await?;
    if found.is_empty() {
        let known = documents::find(&mut tx, caller.bucket, document, &caller.client).await?;
        known.ok_or_else(ApiError::not_found)?;
    }
    drop(tx);
    let next_cursor = page::cut(&mut found, limit).map(|last| page::after(last.id.0));
    let jobs = found.iter().map(Job::from).collect();
    conditional::json(&headers, &Jobs { jobs, next_cursor })
}

/// A job
///
/// One analysis of one document, with its timings and its history.
#[utoipa::path(
    get,
    path = "/v1/jobs/{job_id}",
    operation_id = "get_job",
    tag = "jobs",
    params(
        ("job_id" = Uuid, Path, description = "The job."),
        ("if-none-match" = Option<String>, Header, description = "Entity tag of what the caller has."),
    ),
    responses(
        (status = 200, description = "The job.", body = JobWithHistory, headers(("etag", description = "Its entity tag."))),
        (status = 304, description = "The caller has it."),
        ReadProblems,
    )
)]
pub async fn one(
    caller: Caller,
    Id(id): Id,
    State(state): State<ApiState>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let mut tx = reading::begin(&state.shards, caller.bucket).await?;
    let job = jobs::find(
        &mut tx,
        JobKey {
            bucket: caller.bucket,
            job: JobId(id),
        },
        &caller.client,
    )
    .await?;
    drop(tx); // The connection is free before the answer is written.
    let job = job.ok_or_else(ApiError::not_found)?;
    let history: Vec<Happened> = serde_json::from_value(job.history.clone()).map_err(ApiError::internal)?;
    conditional::json(
        &headers,
        &JobWithHistory {
            job: Job::from(&job),
            history,
        },
    )
}

/// Cancel
///
/// Ends a job that is not wanted any more, whatever it is doing; a worker that is at it stops within seconds. Cancelling
/// it again is answered the same.
#[utoipa::path(
    delete,
    path = "/v1/jobs/{job_id}",
    operation_id = "cancel_job",
    tag = "jobs",
    params(("job_id" = Uuid, Path, description = "The job.")),
    responses((status = 200, description = "The job, cancelled.", body = Job), CancelProblems)
)]
pub async fn cancel(caller: Caller, Id(id): Id, State(state): State<ApiState>) -> Result<Json<Job>, ApiError> {
    let key = JobKey {
        bucket: caller.bucket,
        job: JobId(id),
    };
    let mut tx = state.shards.begin(caller.bucket).await?;
    match jobs::cancel(&mut tx, key, &caller.client).await? {
        Cancellation::Cancelled(job) => {
            tx.commit().await?;
            Ok(Json(Job::from(&*job)))
        }
        Cancellation::Ended(ended) => {
            let detail = format!("The job has {} already.", ended.as_str());
            Err(ApiError::new(kinds::ALREADY_ENDED, detail))
        }
        Cancellation::NoJob => Err(ApiError::not_found()),
    }
}
