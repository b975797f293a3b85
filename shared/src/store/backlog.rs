//! How much waits and runs: counted by whoever acts for a shard, read by whoever accepts for it.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use sqlx::FromRow;

use super::dispatch::IN_FLIGHT_MAX;
use super::{Database, FencedTx, StoreError, seconds};
use crate::ids::{Bucket, ClientId};

/// A job that is not due for longer than this is deferred: its caller wished so, since no retry waits longer than 5 min.
pub const DEFERRED_AFTER: Duration = Duration::from_secs(600);

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
           count(*) filter (where d.state = 'waiting' and d.due_at > now() + make_interval(secs => $7)) as deferred,
           coalesce(sum(w.seconds) filter (where d.state = 'running'), 0) as running,
           coalesce(sum(w.seconds) filter (where d.state <> 'running' and d.due_at <= now()), 0) as due
    from dispatch d left join pace p on p.model = d.model
    cross join lateral (
        select least(greatest(d.size_bytes / coalesce(p.bytes_per_second, $3), $4), $5) as seconds) w
    group by d.model, d.client_id
), counted as (
    select c.model, sum(c.jobs)::bigint as jobs, sum(c.bytes)::bigint as bytes, sum(c.deferred)::bigint as deferred,
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
    insert into backlogs (model, jobs, bytes, deferred) select model, jobs, bytes, deferred from counted
    on conflict (model) do update
    set jobs = excluded.jobs, bytes = excluded.bytes, deferred = excluded.deferred, counted_at = now()
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
    let query = query.bind(IN_FLIGHT_MAX).bind(seconds(DEFERRED_AFTER));
    let counted = query.fetch_all(tx.connection()).await;
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

/// Open jobs: of one client, or of a whole shard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow)]
pub struct Open {
    /// All that have not ended, deferred ones among them.
    pub jobs: i64,
    /// Those that are not due for longer than [`DEFERRED_AFTER`].
    pub deferred: i64,
}

// Open jobs by the index of jobs by state; deferred ones by the index of what waits, once a model and priority that anybody
// has waiting. Neither walks over another client's rows.
const OF_CLIENT: &str = "
with recursive kinds as (
    (select model, priority from dispatch where state = 'waiting' order by model, priority limit 1)
    union all
    select next.model, next.priority from kinds k cross join lateral (
        select d.model, d.priority from dispatch d
        where d.state = 'waiting' and (d.model, d.priority) > (k.model, k.priority)
        order by d.model, d.priority limit 1) next
)
select (select count(*) from (select 1 from jobs where bucket = $1 and client_id = $2 and state = 'open' limit $3) o) as jobs,
       (select count(*) from (
            select 1 from kinds k join dispatch d
              on d.state = 'waiting' and d.model = k.model and d.priority = k.priority and d.client_id = $2
             and d.due_at > now() + make_interval(secs => $5)
            limit $4) l) as deferred";

/// Open jobs of a client, counted up to `most` of each.
pub async fn of_client(
    tx: &mut FencedTx,
    (bucket, client): (Bucket, &ClientId),
    most: Open,
) -> Result<Open, StoreError> {
    let query = tx
        .query_as::<Open>(OF_CLIENT)
        .bind(bucket.number())
        .bind(client.to_string());
    let query = query.bind(most.jobs).bind(most.deferred).bind(seconds(DEFERRED_AFTER));
    query.fetch_one(tx.connection()).await.map_err(|error| tx.failed(error))
}

/// Open jobs of the whole shard at the last count; none before the first one. It holds however old it is: while counting
/// takes long the backlog is large, and while nobody counts nobody dispatches either.
pub async fn of_shard(tx: &mut FencedTx) -> Result<Open, StoreError> {
    let query = tx.query_as::<Open>(
        "select coalesce(sum(jobs), 0)::bigint as jobs, coalesce(sum(deferred), 0)::bigint as deferred from backlogs",
    );
    query.fetch_one(tx.connection()).await.map_err(|error| tx.failed(error))
}
