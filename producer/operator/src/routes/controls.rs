//! Pauses, weights and caps.

use axum::Json;
use axum::extract::State;
use docket_contract::ids::{ClientId, ModelName};
use docket_store::operate::controls::{Change, WEIGHTS};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::actions::controls::{ClientControls, Told};
use crate::actions::{Operations, names};
use crate::routes::OperatorState;
use crate::routes::done;
use crate::routes::problems::{OperatorActionProblems, OperatorNamedProblems};
use docket_http::extract::{Body, Name};
use docket_http::problem::{ApiError, Kind};

/// A client's controls
///
/// The client's weight, cap and pause, or the defaults where nobody set any. A client is known if it has a document or controls.
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

/// All controls of a client; they replace the earlier ones.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewControls {
    /// The client's share of the jobs in flight, relative to the weights of other clients.
    #[schema(minimum = 0.01, maximum = 100)]
    weight: f32,
    /// Roughly the most jobs with the broker or a worker at a time: jobs accepted at the same moment may come on top. Null or
    /// absent is no cap.
    #[schema(minimum = 1, maximum = 2147483647)]
    in_flight_max: Option<i32>,
    /// Whether the client's waiting jobs are held back.
    paused: bool,
    /// Whether the client may have no document yet; otherwise an unknown client is not found.
    #[serde(default)]
    new: bool,
}

impl NewControls {
    fn change(&self) -> Result<Change, ApiError> {
        if !WEIGHTS.contains(&self.weight) {
            let detail = format!("weight must be from {} to {}.", WEIGHTS.start(), WEIGHTS.end());
            return Err(ApiError::new(Kind::INVALID_FIELD, detail));
        }
        if self.in_flight_max.is_some_and(|most| most < 1) {
            let detail = "in_flight_max must be at least 1, or null for no cap.";
            return Err(ApiError::new(Kind::INVALID_FIELD, detail));
        }
        Ok(Change {
            weight: Some(self.weight),
            // 0 removes the cap.
            in_flight_max: Some(self.in_flight_max.unwrap_or(0)),
            paused: Some(self.paused),
        })
    }
}

/// Set a client's controls
///
/// Running jobs go on; waiting jobs are dispatched by the new controls.
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
    State(state): State<OperatorState>,
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
/// The client's waiting jobs are held back until it is resumed. Uploads are accepted, and running jobs go on.
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
    State(state): State<OperatorState>,
) -> Result<Json<ClientControls>, ApiError> {
    pause(operations, client, &state, true).await
}

/// Resume a client
///
/// The client's waiting jobs are dispatched again.
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
    State(state): State<OperatorState>,
) -> Result<Json<ClientControls>, ApiError> {
    pause(operations, client, &state, false).await
}

async fn pause(
    operations: Operations,
    client: ClientId,
    state: &OperatorState,
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
/// Jobs for the model are held back on every shard until it is resumed. A 503 names the shards that do not answer, which must be
/// told again.
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
    State(state): State<OperatorState>,
) -> Result<Json<Told>, ApiError> {
    tell(operations, model, &state, true).await
}

/// Resume a model
///
/// Jobs for the model are dispatched again on every shard. A 503 names the shards that do not answer, which must be told again.
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
    State(state): State<OperatorState>,
) -> Result<Json<Told>, ApiError> {
    tell(operations, model, &state, false).await
}

async fn tell(
    operations: Operations,
    model: ModelName,
    state: &OperatorState,
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
    Err(ApiError::new(Kind::UNAVAILABLE, detail))
}
