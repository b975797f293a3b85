//! How much waits and runs: counted by whoever acts for a shard, read by whoever accepts for it.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use sqlx::FromRow;

use super::dispatch::IN_FLIGHT_MAX;
use super::{Database, FencedTx, StoreError};
use crate::ids::{Bucket, ClientId};

/// What a shard has of one model, from accepted to not yet ended.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Backlog {
    /// The model.
    pub model: String,
    /// Jobs.
    pub jobs: i64,
    /// Bytes of their documents.
    pub bytes: i64,
    /// How long ago the oldest of them became due, in seconds; 0 when none is due.
    pub oldest_seconds: f64,
    /// How long one worker would take for those that can be done now; see [`Pace`].
    pub work_seconds: f64,
}

/// How fast work is done: what makes seconds of bytes.
#[derive(Debug, Clone)]
pub struct Pace {
    /// Bytes of documents that one worker reads in a second, by model.
    pub bytes_per_second: HashMap<String, f64>,
    /// The same for every other model.
    pub otherwise: f64,
    /// What one document counts, at least and at most, in seconds.
    pub document_seconds: RangeInclusive<f64>,
}

// Work that can be done now is what runs, and what is due and not paused; of a client no more than as many documents as it
// may have in flight.
const COUNT: &str = "
with pace as (
    select * from unnest($1::text[], $2::double precision[]) as p(model, bytes_per_second)
), of_clients as (
    select d.model, d.client_id, count(*) as jobs, sum(d.size_bytes) as bytes, min(d.due_at) as oldest,
           coalesce(sum(w.seconds) filter (where d.state = 'running'), 0) as running,
           coalesce(sum(w.seconds) filter (where d.state <> 'running' and d.due_at <= now()), 0) as due
    from dispatch d left join pace p on p.model = d.model
    cross join lateral (
        select least(greatest(d.size_bytes / coalesce(p.bytes_per_second, $3), $4), $5) as seconds) w
    group by d.model, d.client_id
), counted as (
    select c.model, sum(c.jobs)::bigint as jobs, sum(c.bytes)::bigint as bytes,
           greatest(extract(epoch from now() - min(c.oldest)), 0)::double precision as oldest_seconds,
           sum(least(c.running + case when k.paused or m.model is not null then 0 else c.due end,
                     coalesce(k.in_flight_max, $6) * $5)) as work_seconds
    from of_clients c
    left join client_controls k on k.client_id = c.client_id
    left join paused_models m on m.model = c.model
    group by c.model
), gone as (
    delete from backlogs where model not in (select model from counted)
), kept as (
    insert into backlogs (model, jobs, bytes) select model, jobs, bytes from counted
    on conflict (model) do update set jobs = excluded.jobs, bytes = excluded.bytes, counted_at = now()
)
select * from counted";

/// Counts a shard's whole backlog and keeps the count in it. Reads every dispatch row: for the acting dispatcher alone,
/// every now and then.
pub async fn count(shard: &Database, pace: &Pace) -> Result<Vec<Backlog>, StoreError> {
    let mut tx = shard.begin().await?;
    let (models, speeds): (Vec<String>, Vec<f64>) = pace.bytes_per_second.clone().into_iter().unzip();
    let query = tx
        .query_as::<Backlog>(COUNT)
        .bind(models)
        .bind(speeds)
        .bind(pace.otherwise);
    let query = query
        .bind(*pace.document_seconds.start())
        .bind(*pace.document_seconds.end());
    let counted = query.bind(IN_FLIGHT_MAX).fetch_all(tx.connection()).await;
    let counted = counted.map_err(|error| tx.failed(error))?;
    tx.commit().await?;
    Ok(counted)
}

/// The same count without seconds of work, kept nowhere: for operators.
pub async fn look(shard: &Database) -> Result<Vec<Backlog>, StoreError> {
    let mut tx = shard.begin().await?;
    let query = tx.query_as::<Backlog>(
        "select model, count(*) as jobs, sum(size_bytes)::bigint as bytes,
                greatest(extract(epoch from now() - min(due_at)), 0)::double precision as oldest_seconds,
                0::double precision as work_seconds
         from dispatch group by model order by model",
    );
    let counted = query.fetch_all(tx.connection()).await;
    counted.map_err(|error| tx.failed(error))
}

/// Jobs of a client that have not ended, counted up to `most`.
pub async fn of_client(tx: &mut FencedTx, bucket: Bucket, client: &ClientId, most: i64) -> Result<i64, StoreError> {
    let query = tx.query_scalar(
        "select count(*) from (select 1 from dispatch where bucket = $1 and client_id = $2 limit $3) counted",
    );
    let query = query.bind(bucket.number()).bind(client.to_string()).bind(most);
    query.fetch_one(tx.connection()).await.map_err(|error| tx.failed(error))
}

/// Jobs of the whole shard that had not ended at the last count; 0 before the first one. It holds however old it is: while
/// counting takes long the backlog is large, and while nobody counts nobody dispatches either.
pub async fn of_shard(tx: &mut FencedTx) -> Result<i64, StoreError> {
    let query = tx.query_scalar("select coalesce(sum(jobs), 0)::bigint from backlogs");
    query.fetch_one(tx.connection()).await.map_err(|error| tx.failed(error))
}
