//! What operators do over HTTP: each route reads what is asked and hands it to `operate/`. An operator's token opens these
//! routes and no others.

mod audit;
mod controls;
mod dead;
mod parked;

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

use super::AppState;
use super::error::{ApiError, Kind};
use super::page;
use crate::operate::OperateError;
use crate::operate::dead::IDS_MAX;

/// How long an answer may take: 10,000 jobs of as many clients are 160 transactions a shard. The action goes on without its
/// caller.
const ANSWER_MAX: Duration = Duration::from_secs(60);
/// Entries on a page: more would make one answer a megabyte.
const ENTRIES_MAX: u32 = 200;
/// Entries on a page that asks for no number.
const ENTRIES_DEFAULT: u32 = 50;
/// Jobs or messages that one request with a filter may change: what is done well within the time of an answer.
const CHANGES_MAX: u32 = 10_000;

/// The operators' routes.
pub fn routes() -> OpenApiRouter<AppState> {
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

/// What an action is about, as a body says it.
enum Chosen<Filter> {
    These(Vec<Uuid>),
    Matching(Filter, u64),
}

/// Ids, or a filter and a limit: one of them, so that no body means everything by what it leaves out.
fn chosen<Filter>(
    ids: Option<Vec<Uuid>>,
    filter: Option<Filter>,
    limit: Option<u32>,
    name: &str,
) -> Result<Chosen<Filter>, ApiError> {
    let invalid = |detail: String| ApiError::new(Kind::InvalidField, detail);
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

/// Does it in a task of its own, which a caller that leaves does not end: so its outcome gets into the audit.
async fn done<T: Send + 'static>(
    state: &AppState,
    act: impl Future<Output = Result<T, OperateError>> + Send + 'static,
) -> Result<Json<T>, ApiError> {
    let acted = state.shutdown.spawn(act.in_current_span()).await;
    Ok(Json(acted.map_err(ApiError::from)??))
}
