//! What operators decide on clients and models: weights, caps, pauses. It stands in the shards, beside the work it is about,
//! so that a claim sees it in the statement that grants the job.

use super::{Database, Shards, StoreError};
use crate::ids::{ClientId, ModelName};
use crate::sharding;

/// What is decided on a client.
#[derive(Debug, Clone, PartialEq)]
pub struct Controls {
    /// Its part of the room, beside those of others; 1 by default.
    pub weight: f32,
    /// About the most jobs that are with the broker or a worker at a time; as many as there is room for by default.
    pub in_flight_max: Option<i32>,
    /// Whether its waiting work stays where it is.
    pub paused: bool,
}

impl Default for Controls {
    fn default() -> Self {
        Self {
            weight: 1.0,
            in_flight_max: None,
            paused: false,
        }
    }
}

/// Weights that a client may have; the table has the same bounds.
pub const WEIGHTS: std::ops::RangeInclusive<f32> = 0.01..=100.0;

/// What is decided on a client.
pub async fn of_client(shards: &Shards, client: &ClientId) -> Result<Controls, StoreError> {
    let bucket = sharding::bucket_of(client);
    let mut tx = shards.begin(bucket).await?;
    let query = tx.query_as::<(f32, Option<i32>, bool)>(
        "select weight, in_flight_max, paused from client_controls where bucket = $1 and client_id = $2",
    );
    let query = query.bind(bucket.number()).bind(client.to_string());
    let row = query.fetch_optional(tx.connection()).await;
    let row = row.map_err(|error| tx.failed(error))?;
    Ok(
        row.map_or_else(Controls::default, |(weight, in_flight_max, paused)| Controls {
            weight,
            in_flight_max,
            paused,
        }),
    )
}

/// A decision; what it does not name stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Change {
    /// Within [`WEIGHTS`].
    pub weight: Option<f32>,
    /// 0 takes the cap away.
    pub in_flight_max: Option<i32>,
    /// Whether its waiting work stays where it is.
    pub paused: Option<bool>,
}

/// Decides on a client. What runs goes on; what is published comes back when it is claimed.
pub async fn set_client(shards: &Shards, client: &ClientId, change: Change) -> Result<(), StoreError> {
    let bucket = sharding::bucket_of(client);
    let mut tx = shards.begin(bucket).await?;
    let query = tx.query(
        "insert into client_controls as c (bucket, client_id, weight, in_flight_max, paused)
         values ($1, $2, coalesce($3, 1), nullif($4, 0), coalesce($5, false))
         on conflict (bucket, client_id) do update set weight = coalesce($3, c.weight),
             in_flight_max = nullif(coalesce($4, c.in_flight_max), 0), paused = coalesce($5, c.paused), changed_at = now()",
    );
    let query = query.bind(bucket.number()).bind(client.to_string()).bind(change.weight);
    let query = query.bind(change.in_flight_max).bind(change.paused);
    query.execute(tx.connection()).await.map_err(|error| tx.failed(error))?;
    tx.commit().await
}

/// Whether a client is known: it has a document, or something is decided on it.
pub async fn knows_client(shards: &Shards, client: &ClientId) -> Result<bool, StoreError> {
    let bucket = sharding::bucket_of(client);
    let mut tx = shards.begin(bucket).await?;
    let query = tx.query_scalar::<bool>(
        "select exists (select 1 from documents where bucket = $1 and client_id = $2)
             or exists (select 1 from client_controls where bucket = $1 and client_id = $2)",
    );
    let query = query.bind(bucket.number()).bind(client.to_string());
    query.fetch_one(tx.connection()).await.map_err(|error| tx.failed(error))
}

/// Whether a shard has open jobs for a model, or holds them back. Each state has an index that begins with the model.
pub async fn knows_model(shard: &Database, model: &ModelName) -> Result<bool, StoreError> {
    let mut tx = shard.begin().await?;
    let query = tx.query_scalar::<bool>(
        "select exists (select 1 from paused_models where model = $1)
             or exists (select 1 from dispatch where model = $1 and state = 'waiting')
             or exists (select 1 from dispatch where model = $1 and state = 'queued')
             or exists (select 1 from dispatch where model = $1 and state = 'running')",
    );
    let query = query.bind(model.to_string());
    query.fetch_one(tx.connection()).await.map_err(|error| tx.failed(error))
}

/// Pauses or resumes a model on one shard; to be asked of all of them.
pub async fn set_model(shard: &Database, model: &ModelName, paused: bool) -> Result<(), StoreError> {
    let mut tx = shard.begin().await?;
    let query = tx.query(if paused {
        "insert into paused_models (model) values ($1) on conflict do nothing"
    } else {
        "delete from paused_models where model = $1"
    });
    let query = query.bind(model.to_string());
    query.execute(tx.connection()).await.map_err(|error| tx.failed(error))?;
    tx.commit().await
}

/// Models that are paused on a shard, by name.
pub async fn paused_models(shard: &Database) -> Result<Vec<String>, StoreError> {
    let mut tx = shard.begin().await?;
    let query = tx.query_scalar("select model from paused_models order by model");
    query.fetch_all(tx.connection()).await.map_err(|error| tx.failed(error))
}
