//! Pauses, weights and caps.

use axum::Json;
use axum::extract::State;
use docket_shared::ids::{ClientId, ModelName};
use docket_shared::store::controls::{Change, WEIGHTS};
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::AppState;
use super::super::error::{ApiError, Kind};
use super::super::extract::{Body, Name};
use super::super::openapi::{OperatorActionProblems, OperatorNamedProblems};
use super::done;
use crate::operate::controls::{ClientControls, Told};
use crate::operate::{Operations, names};

/// A client's controls
///
/// Its weight, its cap, and whether it is paused; the defaults when nobody decided anything. A client is known that has a
/// document, or on which something is decided.
#[utoipa::path(
    get,
    path = "/v1/operator/clients/{client_id}/controls",
    operation_id = "get_client_controls",
    tag = "controls",
    params(("client_id" = String, Path, description = "The client.")),
    responses((status = 200, description = "What holds.", body = ClientControls), OperatorNamedProblems)
)]
pub async fn client(operations: Operations, Name(client): Name<ClientId>) -> Result<Json<ClientControls>, ApiError> {
    Ok(Json(operations.client(&client).await?))
}

/// What is to hold for a client: all of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewControls {
    /// Its part of the room, beside those of others.
    #[schema(minimum = 0.01, maximum = 100)]
    weight: f32,
    /// About the most jobs that are with the broker or a worker at a time; null or absent for no such cap. What is accepted at
    /// the same moment may come on top.
    #[schema(minimum = 1, maximum = 2147483647)]
    in_flight_max: Option<i32>,
    /// Whether its waiting work stays where it is.
    paused: bool,
    /// Whether the client may be one that has no document yet; without it a client that is not known is not found.
    #[serde(default)]
    new: bool,
}

impl NewControls {
    fn change(&self) -> Result<Change, ApiError> {
        if !WEIGHTS.contains(&self.weight) {
            let detail = format!("weight must be from {} to {}.", WEIGHTS.start(), WEIGHTS.end());
            return Err(ApiError::new(Kind::InvalidField, detail));
        }
        if self.in_flight_max.is_some_and(|most| most < 1) {
            let detail = "in_flight_max must be at least 1, or null for no cap.";
            return Err(ApiError::new(Kind::InvalidField, detail));
        }
        Ok(Change {
            weight: Some(self.weight),
            // 0 takes the cap away.
            in_flight_max: Some(self.in_flight_max.unwrap_or(0)),
            paused: Some(self.paused),
        })
    }
}

/// Set a client's controls
///
/// What runs goes on; what waits is dispatched by what holds now.
#[utoipa::path(
    put,
    path = "/v1/operator/clients/{client_id}/controls",
    operation_id = "set_client_controls",
    tag = "controls",
    params(("client_id" = String, Path, description = "The client.")),
    request_body(content = NewControls, description = "What is to hold."),
    responses((status = 200, description = "What holds now.", body = ClientControls), OperatorActionProblems)
)]
pub async fn set_client(
    operations: Operations,
    Name(client): Name<ClientId>,
    State(state): State<AppState>,
    Body(controls): Body<NewControls>,
) -> Result<Json<ClientControls>, ApiError> {
    let (change, new) = (controls.change()?, controls.new);
    let act = async move {
        if new {
            operations.set_new_client(&client, change).await
        } else {
            operations.set_client(&client, change).await
        }
    };
    done(&state, act).await
}

/// Pause a client
///
/// Its waiting work stays where it is until it is resumed; uploads are accepted, and what runs goes on.
#[utoipa::path(
    post,
    path = "/v1/operator/clients/{client_id}/pause",
    operation_id = "pause_client",
    tag = "controls",
    params(("client_id" = String, Path, description = "The client.")),
    responses((status = 200, description = "What holds now.", body = ClientControls), OperatorNamedProblems)
)]
pub async fn pause_client(
    operations: Operations,
    Name(client): Name<ClientId>,
    State(state): State<AppState>,
) -> Result<Json<ClientControls>, ApiError> {
    pause(operations, client, &state, true).await
}

/// Resume a client
///
/// Its waiting work goes on.
#[utoipa::path(
    post,
    path = "/v1/operator/clients/{client_id}/resume",
    operation_id = "resume_client",
    tag = "controls",
    params(("client_id" = String, Path, description = "The client.")),
    responses((status = 200, description = "What holds now.", body = ClientControls), OperatorNamedProblems)
)]
pub async fn resume_client(
    operations: Operations,
    Name(client): Name<ClientId>,
    State(state): State<AppState>,
) -> Result<Json<ClientControls>, ApiError> {
    pause(operations, client, &state, false).await
}

async fn pause(
    operations: Operations,
    client: ClientId,
    state: &AppState,
    paused: bool,
) -> Result<Json<ClientControls>, ApiError> {
    let change = Change {
        paused: Some(paused),
        ..Change::default()
    };
    done(state, async move { operations.set_client(&client, change).await }).await
}

/// Pause a model
///
/// On every shard: work for it stays where it is until it is resumed. Shards that do not answer are named in a 503, and have to
/// be told again.
#[utoipa::path(
    post,
    path = "/v1/operator/models/{model}/pause",
    operation_id = "pause_model",
    tag = "controls",
    params(("model" = String, Path, description = "The model, without a version.")),
    responses((status = 200, description = "Every shard knows.", body = Told), OperatorNamedProblems)
)]
pub async fn pause_model(
    operations: Operations,
    Name(model): Name<ModelName>,
    State(state): State<AppState>,
) -> Result<Json<Told>, ApiError> {
    tell(operations, model, &state, true).await
}

/// Resume a model
///
/// On every shard: work for it goes on. Shards that do not answer are named in a 503, and have to be told again.
#[utoipa::path(
    post,
    path = "/v1/operator/models/{model}/resume",
    operation_id = "resume_model",
    tag = "controls",
    params(("model" = String, Path, description = "The model, without a version.")),
    responses((status = 200, description = "Every shard knows.", body = Told), OperatorNamedProblems)
)]
pub async fn resume_model(
    operations: Operations,
    Name(model): Name<ModelName>,
    State(state): State<AppState>,
) -> Result<Json<Told>, ApiError> {
    tell(operations, model, &state, false).await
}

async fn tell(
    operations: Operations,
    model: ModelName,
    state: &AppState,
    paused: bool,
) -> Result<Json<Told>, ApiError> {
    let told = done(state, async move { operations.set_model(&model, paused).await }).await?;
    if told.unreached.is_empty() {
        return Ok(told);
    }
    let detail = format!(
        "These shards could not be told: {}. The others were; ask again.",
        names(&told.unreached)
    );
    Err(ApiError::new(Kind::Unavailable, detail))
}
