//! Messages that named no job.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::actions::Operations;
use crate::actions::parked::{ParkedFilter, ParkedMessageWithBody, ParkedMessages, ParkedProgress, Selection};
use crate::routes::OperatorState;
use crate::routes::problems::{OperatorActionProblems, OperatorListProblems, OperatorNamedProblems};
use crate::routes::{Chosen, PageQuery, chosen, done};
use docket_http::extract::{Body, Id, Params};
use docket_http::problem::ApiError;
use docket_http::times;

/// Which parked messages are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ParkedQuery {
    /// Only messages that were parked before this time.
    #[serde(default, deserialize_with = "times::optional")]
    parked_before: Option<Timestamp>,
    /// Only messages that were parked at this time or later.
    #[serde(default, deserialize_with = "times::optional")]
    parked_after: Option<Timestamp>,
}

/// Parked messages
///
/// Messages that named no job, newest first, a page at a time.
#[utoipa::path(
    get,
    path = "/v1/operator/parked",
    operation_id = "list_parked_messages",
    tag = "parked messages",
    params(ParkedQuery, PageQuery),
    responses((status = 200, description = "A page of messages.", body = ParkedMessages), OperatorListProblems)
)]
pub async fn list(
    operations: Operations,
    Params(query): Params<ParkedQuery>,
    Params(page): Params<PageQuery>,
) -> Result<Json<ParkedMessages>, ApiError> {
    let filter = ParkedFilter {
        parked_before: query.parked_before,
        parked_after: query.parked_after,
    };
    Ok(Json(
        operations.parked_messages(filter, page.cursor, page.limit()?).await?,
    ))
}

/// A parked message
///
/// With its body: as text if it is text, else in hexadecimal; of a large one the first 16 KiB.
#[utoipa::path(
    get,
    path = "/v1/operator/parked/{message_id}",
    operation_id = "get_parked_message",
    tag = "parked messages",
    params(("message_id" = Uuid, Path, description = "The message.")),
    responses((status = 200, description = "The message.", body = ParkedMessageWithBody), OperatorNamedProblems)
)]
pub async fn one(operations: Operations, Id(id): Id) -> Result<Json<ParkedMessageWithBody>, ApiError> {
    let message = operations.parked_message(id).await?;
    message.map(Json).ok_or_else(ApiError::not_found)
}

/// Which parked messages are meant: `message_ids`, or `filter` and `limit`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChosenMessages {
    /// These messages.
    #[schema(min_items = 1, max_items = 1000)]
    message_ids: Option<Vec<Uuid>>,
    /// The messages that match; `{}` matches all.
    filter: Option<ParkedFilter>,
    /// At most this many matching messages, oldest first.
    #[schema(minimum = 1, maximum = 10000)]
    limit: Option<u32>,
}

impl ChosenMessages {
    fn selection(self) -> Result<Selection, ApiError> {
        Ok(
            match chosen(self.message_ids, self.filter, self.limit, "message_ids")? {
                Chosen::These(messages) => Selection::Messages(messages),
                Chosen::Matching(filter, limit) => Selection::Matching(filter, Some(limit)),
            },
        )
    }
}

/// Redrive
///
/// Reads messages again as this release does. Where one names a job, the job waits again if nobody has claimed it, and the
/// message is parked no longer; the others stay, and the answer says why.
#[utoipa::path(
    post,
    path = "/v1/operator/parked/redrive",
    operation_id = "redrive_parked_messages",
    tag = "parked messages",
    request_body(content = ChosenMessages, description = "Which."),
    responses((status = 200, description = "What it came to.", body = ParkedProgress), OperatorActionProblems)
)]
pub async fn redrive(
    operations: Operations,
    State(state): State<OperatorState>,
    Body(asked): Body<ChosenMessages>,
) -> Result<Json<ParkedProgress>, ApiError> {
    let selection = asked.selection()?;
    done(&state, async move { operations.redrive_parked(selection).await }).await
}

/// Purge
///
/// Throws messages away.
#[utoipa::path(
    post,
    path = "/v1/operator/parked/purge",
    operation_id = "purge_parked_messages",
    tag = "parked messages",
    request_body(content = ChosenMessages, description = "Which."),
    responses((status = 200, description = "What it came to.", body = ParkedProgress), OperatorActionProblems)
)]
pub async fn purge(
    operations: Operations,
    State(state): State<OperatorState>,
    Body(asked): Body<ChosenMessages>,
) -> Result<Json<ParkedProgress>, ApiError> {
    let selection = asked.selection()?;
    done(&state, async move { operations.purge_parked(selection).await }).await
}
