//! Failed and expired jobs of every client.

use axum::Json;
use axum::extract::State;
use docket_contract::ids::{ClientId, ModelName};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::actions::Operations;
use crate::actions::dead::{
    DeadFilter, DeadJobWithHistory, DeadJobs, DeadState, Progress, RATE_DEFAULT, RATES, Selection, reason_if_any,
};
use crate::routes::OperatorState;
use crate::routes::problems::{OperatorActionProblems, OperatorNamedProblems};
use crate::routes::{Chosen, PageQuery, chosen, done};
use docket_http::extract::{Body, Id, Params};
use docket_http::problem::{ApiError, Kind};
use docket_http::times;

/// Which dead jobs are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeadQuery {
    /// Only jobs of this client.
    #[param(value_type = Option<String>)]
    client_id: Option<ClientId>,
    /// Only jobs that ended in this state.
    #[param(inline)]
    state: Option<DeadState>,
    /// Only jobs with this kind of error.
    #[serde(default, deserialize_with = "reason_if_any")]
    reason: Option<String>,
    /// Only jobs for this model, any version.
    #[param(value_type = Option<String>)]
    model: Option<ModelName>,
    /// Only jobs that ended before this time.
    #[serde(default, deserialize_with = "times::optional")]
    ended_before: Option<Timestamp>,
    /// Only jobs that ended at this time or later.
    #[serde(default, deserialize_with = "times::optional")]
    ended_after: Option<Timestamp>,
}

/// Dead jobs
///
/// Failed and expired jobs of every client, newest first, a page at a time. Shards that do not answer are named: theirs are
/// missing. A reason, client or model that does not exist is not found.
#[utoipa::path(
    get,
    path = "/v1/operator/dead",
    operation_id = "list_dead_jobs",
    tag = "dead jobs",
    params(DeadQuery, PageQuery),
    responses((status = 200, description = "A page of dead jobs.", body = DeadJobs), OperatorNamedProblems)
)]
pub async fn list(
    operations: Operations,
    Params(query): Params<DeadQuery>,
    Params(page): Params<PageQuery>,
) -> Result<Json<DeadJobs>, ApiError> {
    let filter = DeadFilter {
        client_id: query.client_id,
        state: query.state,
        reason: query.reason,
        model: query.model,
        ended_before: query.ended_before,
        ended_after: query.ended_after,
    };
    Ok(Json(operations.dead_jobs(&filter, page.cursor, page.limit()?).await?))
}

/// A dead job
///
/// With everything that happened to it.
#[utoipa::path(
    get,
    path = "/v1/operator/dead/{job_id}",
    operation_id = "get_dead_job",
    tag = "dead jobs",
    params(("job_id" = Uuid, Path, description = "The job.")),
    responses((status = 200, description = "The job.", body = DeadJobWithHistory), OperatorNamedProblems)
)]
pub async fn one(operations: Operations, Id(id): Id) -> Result<Json<DeadJobWithHistory>, ApiError> {
    let job = operations.dead_job(id).await?;
    job.map(Json).ok_or_else(ApiError::not_found)
}

/// Which dead jobs are tried again, and how fast: `job_ids`, or `filter` and `limit`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Redrive {
    /// These jobs.
    #[schema(min_items = 1, max_items = 1000)]
    job_ids: Option<Vec<Uuid>>,
    /// The jobs that match; `{}` matches all.
    filter: Option<DeadFilter>,
    /// At most this many matching jobs, oldest first.
    #[schema(minimum = 1, maximum = 10000)]
    limit: Option<u32>,
    /// Jobs a second; 10 by default.
    #[schema(minimum = 0.1, maximum = 10000)]
    rate: Option<f64>,
}

/// Redrive
///
/// Sets dead jobs waiting again, oldest first, each due a moment after the one before. A repeated request finds the jobs that are
/// still dead; `filter.ended_before` leaves out those that failed again meanwhile.
#[utoipa::path(
    post,
    path = "/v1/operator/dead/redrive",
    operation_id = "redrive_dead_jobs",
    tag = "dead jobs",
    request_body(content = Redrive, description = "Which, and how fast."),
    responses((status = 200, description = "What it came to.", body = Progress), OperatorActionProblems)
)]
pub async fn redrive(
    operations: Operations,
    State(state): State<OperatorState>,
    Body(asked): Body<Redrive>,
) -> Result<Json<Progress>, ApiError> {
    let rate = asked.rate.unwrap_or(RATE_DEFAULT);
    if !RATES.contains(&rate) {
        let detail = format!("rate must be from {} to {} jobs a second.", RATES.start(), RATES.end());
        return Err(ApiError::new(Kind::INVALID_FIELD, detail));
    }
    let selection = selection(asked.job_ids, asked.filter, asked.limit)?;
    done(&state, async move { operations.redrive(selection, rate).await }).await
}

/// Which dead jobs leave the operators' lists: `job_ids`, or `filter` and `limit`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Purge {
    /// These jobs.
    #[schema(min_items = 1, max_items = 1000)]
    job_ids: Option<Vec<Uuid>>,
    /// The jobs that match; `{}` matches all.
    filter: Option<DeadFilter>,
    /// At most this many matching jobs, oldest first.
    #[schema(minimum = 1, maximum = 10000)]
    limit: Option<u32>,
}

/// Purge
///
/// Takes dead jobs out of the operators' lists. For their callers nothing changes: the jobs stay failed, with their documents.
#[utoipa::path(
    post,
    path = "/v1/operator/dead/purge",
    operation_id = "purge_dead_jobs",
    tag = "dead jobs",
    request_body(content = Purge, description = "Which."),
    responses((status = 200, description = "What it came to.", body = Progress), OperatorActionProblems)
)]
pub async fn purge(
    operations: Operations,
    State(state): State<OperatorState>,
    Body(asked): Body<Purge>,
) -> Result<Json<Progress>, ApiError> {
    let selection = selection(asked.job_ids, asked.filter, asked.limit)?;
    done(&state, async move { operations.purge(selection).await }).await
}

fn selection(
    job_ids: Option<Vec<Uuid>>,
    filter: Option<DeadFilter>,
    limit: Option<u32>,
) -> Result<Selection, ApiError> {
    Ok(match chosen(job_ids, filter, limit, "job_ids")? {
        Chosen::These(jobs) => Selection::Jobs(jobs),
        Chosen::Matching(filter, limit) => Selection::Matching(filter, Some(limit)),
    })
}
