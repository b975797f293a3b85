//! What operators do over HTTP: each route reads the request and hands it to `actions/`. An operator's token opens only these
//! routes.

mod answer;
mod audit;
mod controls;
mod dead;
mod parked;
mod problems;
mod state;

use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use serde::Deserialize;
use tower_http::timeout::TimeoutLayer;
use tracing::Instrument;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::actions::OperateError;
use crate::actions::dead::IDS_MAX;
use docket_http::page;
use docket_http::problem::{ApiError, Kind};

/// How long an answer may take: 10,000 jobs of as many clients are 160 transactions a shard. The action goes on without its
/// caller.
const ANSWER_MAX: Duration = Duration::from_secs(60);
/// Limit of entries on a page: more would make one answer a megabyte.
const ENTRIES_MAX: u32 = 200;
/// Entries on a page when the request names no limit.
const ENTRIES_DEFAULT: u32 = 50;
/// Limit of jobs or messages that one request with a filter may change: done well within the time of an answer.
const CHANGES_MAX: u32 = 10_000;

pub use state::OperatorState;

/// The operators' routes.
pub fn routes(state: OperatorState) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(dead::list))
        .routes(routes!(dead::one))
        .routes(routes!(dead::redrive))
        .routes(routes!(dead::purge))
        .routes(routes!(parked::list))
        .routes(routes!(parked::one))
        .routes(routes!(parked::redrive))
        .routes(routes!(parked::purge))
        .routes(routes!(controls::client, controls::set_client))
        .routes(routes!(controls::pause_client))
        .routes(routes!(controls::resume_client))
        .routes(routes!(controls::pause_model))
        .routes(routes!(controls::resume_model))
        .routes(routes!(audit::list))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            ANSWER_MAX,
        ))
        .with_state(state)
}

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PageQuery {
    /// At most this many on the page; 50 by default.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// Where the page begins: `next_cursor` of the page before.
    cursor: Option<Uuid>,
}

impl PageQuery {
    fn limit(&self) -> Result<usize, ApiError> {
        page::limit(self.limit, ENTRIES_DEFAULT, 1..=ENTRIES_MAX)
    }
}

/// What an action changes, as the body says.
enum Chosen<Filter> {
    These(Vec<Uuid>),
    Matching(Filter, u64),
}

/// Ids, or a filter with a limit: a body must name one of them, so that a missing field never means everything.
fn chosen<Filter>(
    ids: Option<Vec<Uuid>>,
    filter: Option<Filter>,
    limit: Option<u32>,
    name: &str,
) -> Result<Chosen<Filter>, ApiError> {
    let invalid = |detail: String| ApiError::new(Kind::INVALID_FIELD, detail);
    match (ids, filter, limit) {
        (Some(ids), None, None) if (1..=IDS_MAX).contains(&ids.len()) => Ok(Chosen::These(ids)),
        (Some(_), None, None) => Err(invalid(format!("{name} must have 1 to {IDS_MAX} ids."))),
        (None, Some(filter), Some(limit)) if (1..=CHANGES_MAX).contains(&limit) => {
            Ok(Chosen::Matching(filter, limit.into()))
        }
        (None, Some(_), _) => Err(invalid(format!("A filter needs a limit, from 1 to {CHANGES_MAX}."))),
        (Some(_), _, _) | (None, None, _) => Err(invalid(format!("Send either {name}, or filter and limit."))),
    }
}

/// Runs an action in a task of its own, which goes on when the caller leaves, so that its outcome gets into the audit.
async fn done<T: Send + 'static>(
    state: &OperatorState,
    act: impl Future<Output = Result<T, OperateError>> + Send + 'static,
) -> Result<Json<T>, ApiError> {
    let acted = state.shutdown.spawn(act.in_current_span()).await;
    Ok(Json(acted.map_err(ApiError::from)??))
}
