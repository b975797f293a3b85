//! Pauses, weights and caps of clients, and pauses of models.

use docket_contract::ids::{ClientId, ModelName};
use docket_contract::sharding;
use docket_store::operate::controls::{self, Change};
use docket_store::within;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::actions::reach::Reach;
use crate::actions::{OperateError, Operations, Unreached};

/// A client's weight, cap and pause, and its shard.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ClientControls {
    /// The client.
    pub client_id: String,
    /// The client's share of the jobs in flight, relative to the weights of other clients; 1 by default.
    pub weight: f32,
    /// Roughly the most jobs with the broker or a worker at a time; null is no cap.
    pub in_flight_max: Option<i32>,
    /// Whether the client's waiting jobs are held back.
    pub paused: bool,
    /// The shard that it is on.
    pub shard: String,
}

/// The shards that were told to pause or resume a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Told {
    /// Shards that know.
    pub told: Vec<String>,
    /// Shards that do not: there the model is as it was.
    pub unreached: Vec<Unreached>,
}

impl Operations {
    /// A client's controls; an error if there is no such client.
    pub async fn client(&self, client: &ClientId) -> Result<ClientControls, OperateError> {
        self.must_know_client(client).await?;
        self.controls(client).await
    }

    async fn controls(&self, client: &ClientId) -> Result<ClientControls, OperateError> {
        let controls = within(controls::of_client(&self.shards, client)).await?;
        Ok(ClientControls {
            client_id: client.to_string(),
            weight: controls.weight,
            in_flight_max: controls.in_flight_max,
            paused: controls.paused,
            shard: self.shards.owner(sharding::bucket_of(client)).to_string(),
        })
    }

    /// Changes the controls of a known client; returns the controls.
    pub async fn set_client(&self, client: &ClientId, change: Change) -> Result<ClientControls, OperateError> {
        self.must_know_client(client).await?;
        self.set_new_client(client, change).await
    }

    /// Changes the controls of a client that may have no document yet; returns the controls.
    pub async fn set_new_client(&self, client: &ClientId, change: Change) -> Result<ClientControls, OperateError> {
        let only_paused = Change {
            paused: change.paused,
            ..Change::default()
        };
        let action = match change.paused {
            Some(true) if change == only_paused => "client.pause",
            Some(false) if change == only_paused => "client.resume",
            Some(_) | None => "client.set",
        };
        let mut target = json!({ "client_id": client });
        for (name, value) in [
            ("weight", change.weight.map(|weight| json!(weight))),
            ("in_flight_max", change.in_flight_max.map(|most| json!(most))),
            ("paused", change.paused.map(|paused| json!(paused))),
        ] {
            if let Some(value) = value {
                target[name] = value;
            }
        }
        let act = async {
            within(controls::set_client(&self.shards, client, change)).await?;
            self.controls(client).await
        };
        self.audited(action, target, act).await
    }

    /// Pauses or resumes a known model on every shard that answers. The other shards must be told again.
    pub async fn set_model(&self, model: &ModelName, paused: bool) -> Result<Told, OperateError> {
        self.must_know_model(model).await?;
        let action = if paused { "model.pause" } else { "model.resume" };
        let act = async {
            let mut reach = Reach::of(&self.shards);
            let told = reach
                .ask(|shard| async move { controls::set_model(&shard, model, paused).await })
                .await;
            Ok(Told {
                told: told.into_iter().map(|(name, ())| name.to_string()).collect(),
                unreached: reach.unreached()?,
            })
        };
        self.audited(action, json!({ "model": model }), act).await
    }
}
