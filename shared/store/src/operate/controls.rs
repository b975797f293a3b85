//! What operators decide on clients and models: weights, caps, pauses. A shard stores the decisions beside the work
//! that they are about, so that the statement that grants a job sees them.

use crate::sql::{Statement, sql};
use crate::{Database, FencedTx, Shards, StoreError};
use docket_contract::ids::{ClientId, ModelName};
use docket_contract::sharding;

/// What is decided on a client.
#[derive(Debug, Clone, PartialEq)]
pub struct Controls {
    /// The client's part of the room is in proportion to its weight; [`WEIGHT_DEFAULT`] by default.
    pub weight: f32,
    /// About how many of the client's jobs may be with the broker or a worker at a time. Without a cap: as many as
    /// there is room for.
    pub in_flight_max: Option<i32>,
    /// Whether the client's waiting jobs are held back.
    pub paused: bool,
}

impl Default for Controls {
    fn default() -> Self {
        Self {
            weight: WEIGHT_DEFAULT,
            in_flight_max: None,
            paused: false,
        }
    }
}

/// Weight of a client on which no operator decided; the table has the same default.
pub const WEIGHT_DEFAULT: f32 = 1.0;
/// Weights that a client may have; the table has the same bounds.
pub const WEIGHTS: std::ops::RangeInclusive<f32> = 0.01..=100.0;

/// What is decided on a client.
pub async fn of_client(shards: &Shards, client: &ClientId) -> Result<Controls, StoreError> {
    let (mut tx, query) = of(shards, client, sql!("operate/client_controls")).await?;
    let row: Option<(f32, Option<i32>, bool)> = tx.optional(query).await?;
    Ok(
        row.map_or_else(Controls::default, |(weight, in_flight_max, paused)| Controls {
            weight,
            in_flight_max,
            paused,
        }),
    )
}

/// A transaction on the client's shard, and a statement on the client: `$1` and `$2`.
async fn of(shards: &Shards, client: &ClientId, statement: Statement) -> Result<(FencedTx, Statement), StoreError> {
    let bucket = sharding::bucket_of(client);
    let tx = shards.begin(bucket).await?;
    Ok((tx, statement.bind(bucket.number()).bind(client.as_str())))
}

/// A decision. What is `None` stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Change {
    /// Within [`WEIGHTS`].
    pub weight: Option<f32>,
    /// 0 takes the cap away.
    pub in_flight_max: Option<i32>,
    /// Whether the client's waiting jobs are held back.
    pub paused: Option<bool>,
}

/// Decides on a client. A job that runs goes on; a job that is published comes back when it is claimed.
pub async fn set_client(shards: &Shards, client: &ClientId, change: Change) -> Result<(), StoreError> {
    let (mut tx, query) = of(shards, client, sql!("operate/client_control")).await?;
    let query = query
        .bind(change.weight)
        .bind(change.in_flight_max)
        .bind(change.paused)
        .bind(WEIGHT_DEFAULT);
    tx.execute(query).await?;
    tx.commit().await
}

/// Whether a client is known: it has a document, or something is decided on it.
pub async fn knows_client(shards: &Shards, client: &ClientId) -> Result<bool, StoreError> {
    let (mut tx, query) = of(shards, client, sql!("operate/client_known")).await?;
    tx.scalar(query).await
}

/// Whether a shard has open jobs for a model, or holds them back.
pub async fn knows_model(shard: &Database, model: &ModelName) -> Result<bool, StoreError> {
    let query = sql!("operate/model_known").bind(model.as_str());
    shard.begin().await?.scalar(query).await
}

/// Pauses or resumes a model on one shard. The caller asks every shard.
pub async fn set_model(shard: &Database, model: &ModelName, paused: bool) -> Result<(), StoreError> {
    let query = if paused {
        sql!("operate/model_pause")
    } else {
        sql!("operate/model_resume")
    };
    let mut tx = shard.begin().await?;
    tx.execute(query.bind(model.as_str())).await?;
    tx.commit().await
}

/// Models that are paused on a shard, by name.
pub async fn paused_models(shard: &Database) -> Result<Vec<String>, StoreError> {
    shard.begin().await?.scalars(sql!("operate/models_paused")).await
}
