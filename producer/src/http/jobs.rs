//! `GET /v1/jobs/{id}`: one analysis, with everything that happened to it.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use docket_shared::ids::{JobId, JobKey};
use docket_shared::store::jobs;

use super::AppState;
use super::auth::Caller;
use super::conditional;
use super::error::ApiError;
use super::extract::Id;
use super::openapi::ReadProblems;
use super::views::{Happened, Job, JobWithHistory};

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
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let mut tx = state.shards.begin(caller.bucket).await?;
    let job = jobs::find(
        &mut tx,
        JobKey {
            bucket: caller.bucket,
            job: JobId(id),
        },
        &caller.client,
    )
    .await?;
    drop(tx); // The connection goes back before the answer is written.
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
