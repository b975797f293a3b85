//! Waiting work: who is next, leased, published, marked. Rows are leased, never locked while the broker is waited for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sqlx::FromRow;
use uuid::Uuid;

use super::claims::TAKEOVER_AFTER;
use super::fence::FENCE_BUCKETS_MAX;
use super::{Database, StoreError, seconds};
use crate::ids::{Bucket, ClientId, JobId, JobKey, ModelName};
use crate::job::{AnalyzeDocument, Priority};
use crate::metrics;
use crate::sharding;
use crate::state::Event;

/// Clients visited in one scan: a tick stays short however many clients wait; the cursor gets to all of them.
pub const CLIENTS_MAX: i32 = 256;

/// A due row that may be published.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Where it is.
    pub key: JobKey,
    /// Whose it is.
    pub client: ClientId,
    /// Jobs of this client, of whatever model, that are with the broker or a worker now; without those that are just being
    /// handed over, whose rows are leased for some milliseconds: looking for them would be a walk over the backlog.
    pub in_flight: i64,
    /// Most that may be.
    pub in_flight_max: i64,
    /// Those of them that are of this model and priority.
    pub alike: i64,
    /// The client's part of the room, beside those of others.
    pub weight: f32,
    /// Size of the document in bytes.
    pub size_bytes: i64,
}

/// What a scan saw.
#[derive(Debug, Default)]
pub struct Scan {
    /// Due rows, at most `each` a client, in the order in which clients were visited and within a client by age.
    pub candidates: Vec<Candidate>,
    /// Clients with waiting rows, due or not, that were visited.
    pub clients: usize,
    /// What is of interest of them altogether.
    pub seen: metrics::Waiting,
    /// Their weights, summed.
    pub weight: f64,
    /// The last client visited; `None` when nobody waits.
    pub last: Option<String>,
    /// Whether clients may be left that were not visited.
    pub full: bool,
}

// A loose index scan: one probe of the index a client, never a walk over the backlog
// (PostgreSQL wiki, "Loose indexscan"). It goes round: from the name after `$2` to the last one, then from the first one to
// `$2`; the comparison of rows says that names up to `$2` come second. `limit 1` has the next name computed once.
const SCAN: &str = "
with recursive clients(client_id, n) as (
    select $2::text, 0
    union all
    select next.client_id, c.n + 1
    from clients c
    cross join lateral (
        select coalesce(
            (select d.client_id from dispatch d
             where d.state = 'waiting' and d.model = $1 and d.priority = $5 and d.client_id > c.client_id
             order by d.client_id limit 1),
            (select d.client_id from dispatch d where d.state = 'waiting' and d.model = $1 and d.priority = $5
             order by d.client_id limit 1)) as client_id
        limit 1
    ) next
    where c.n < $4
      and (next.client_id <= $2, next.client_id) > (c.n > 0 and c.client_id <= $2, c.client_id)
)
select c.client_id, coalesce(k.weight, 1) as weight, coalesce(k.in_flight_max, $6) as in_flight_max,
       coalesce(k.paused, false) as paused, b.in_flight, b.alike, d.bucket, d.job_id, d.size_bytes
from clients c
left join client_controls k on k.client_id = c.client_id
cross join lateral (
    select count(*) as in_flight, count(*) filter (where q.model = $1 and q.priority = $5) as alike from (
        select q.model, q.priority from dispatch q where q.state in ('queued', 'running') and q.client_id = c.client_id
        limit coalesce(k.in_flight_max, $6)) q
) b
left join lateral (
    select w.bucket, w.job_id, w.size_bytes from dispatch w
    where w.state = 'waiting' and w.model = $1 and w.priority = $5 and w.client_id = c.client_id and w.due_at <= now()
      and (w.lease_until is null or w.lease_until < now()) and not coalesce(k.paused, false)
    order by w.due_at, w.job_id limit $3
) d on true
where c.n > 0
order by c.n";

/// Jobs of one client that are with the broker or a worker at a time, unless its operator says otherwise: above what a
/// large fleet holds, low enough that counting them is quick.
pub const IN_FLIGHT_MAX: i32 = 4_096;

#[derive(FromRow)]
struct ScanRow {
    client_id: String,
    weight: f32,
    in_flight_max: i32,
    paused: bool,
    in_flight: i64,
    alike: i64,
    bucket: Option<i16>,
    job_id: Option<Uuid>,
    size_bytes: Option<i64>,
}

/// Looks at up to [`CLIENTS_MAX`] clients, from the one after `after` on and round to it, at most `each` due rows of each,
/// all of one priority. Nothing is locked.
pub async fn scan(
    shard: &Database,
    (model, priority): (&ModelName, Priority),
    after: &str,
    each: i64,
) -> Result<Scan, StoreError> {
    let mut tx = shard.begin().await?;
    let query = tx
        .query_as::<ScanRow>(SCAN)
        .bind(model.to_string())
        .bind(after.to_owned())
        .bind(each)
        .bind(CLIENTS_MAX)
        .bind(priority.as_str())
        .bind(IN_FLIGHT_MAX);
    let rows = query
        .fetch_all(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?;
    let visited: BTreeMap<&str, &ScanRow> = rows.iter().map(|row| (row.client_id.as_str(), row)).collect();
    let last = rows.last().map(|row| row.client_id.clone());
    let (clients, full) = (visited.len(), visited.len() as i32 >= CLIENTS_MAX);
    let weight = visited.values().map(|row| f64::from(row.weight)).sum();
    let mut seen = metrics::Waiting::default();
    visited.values().for_each(|row| seen += row.seen());
    let candidates = rows.into_iter().filter_map(candidate).collect();
    Ok(Scan {
        candidates,
        clients,
        seen,
        weight,
        last,
        full,
    })
}

impl ScanRow {
    fn seen(&self) -> metrics::Waiting {
        metrics::Waiting {
            clients: 1,
            capped: usize::from(self.in_flight >= i64::from(self.in_flight_max)),
            paused: usize::from(self.paused),
            in_flight: self.in_flight,
            largest: self.in_flight,
        }
    }
}

fn candidate(row: ScanRow) -> Option<Candidate> {
    let bucket = sharding::bucket_from_number(row.bucket?)?;
    let client = row.client_id.parse().ok()?;
    let key = JobKey {
        bucket,
        job: JobId(row.job_id?),
    };
    Some(Candidate {
        key,
        client,
        in_flight: row.in_flight,
        in_flight_max: row.in_flight_max.into(),
        alike: row.alike,
        weight: row.weight,
        size_bytes: row.size_bytes?,
    })
}

/// Work of one kind that waits on a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The model that shall read it.
    pub model: ModelName,
    /// Its priority.
    pub priority: Priority,
    /// Jobs of the model that workers are at, of this shard and by claims that are alive.
    pub running: i64,
    /// Those that were published in the last second and not claimed yet: in the queue, or on their way out of it.
    pub fresh: i64,
    /// Jobs of the model in flight, in the queue or running, whoever published them.
    pub in_flight: InFlight,
}

/// Jobs in flight by their priority.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InFlight {
    /// Interactive ones.
    pub interactive: i64,
    /// Bulk ones.
    pub bulk: i64,
}

#[derive(FromRow)]
struct WaitingRow {
    model: String,
    priority: String,
    running: i64,
    fresh: i64,
    queued: i64,
    bulk: i64,
}

/// What waits on this shard by model and priority, due or not; of models that are not paused.
pub async fn waiting(shard: &Database) -> Result<Vec<Waiting>, StoreError> {
    let mut tx = shard.begin().await?;
    let query = tx.query_as::<WaitingRow>(
        "with recursive kinds as (
             (select model, priority from dispatch where state = 'waiting' order by model, priority limit 1)
             union all
             select next.model, next.priority from kinds k cross join lateral (
                 select d.model, d.priority from dispatch d
                 where d.state = 'waiting' and (d.model, d.priority) > (k.model, k.priority)
                 order by d.model, d.priority limit 1) next
         )
         select k.model, k.priority, r.running, q.fresh, q.queued, r.bulk + q.bulk as bulk from kinds k
         cross join lateral (
             select count(*) as running, count(*) filter (where d.priority = 'bulk') as bulk
             from dispatch d where d.state = 'running' and d.model = k.model
                 and d.heartbeat_at > now() - make_interval(secs => $1)) r
         cross join lateral (
             select count(*) as queued, count(*) filter (where d.priority = 'bulk') as bulk,
                    count(*) filter (where d.published_at > now() - interval '1 s') as fresh
             from dispatch d where d.state = 'queued' and d.model = k.model) q
         where not exists (select 1 from paused_models p where p.model = k.model)",
    );
    let rows = query.bind(seconds(TAKEOVER_AFTER)).fetch_all(tx.connection()).await;
    let rows = rows.map_err(|error| tx.failed(error))?;
    let waiting = rows.into_iter().filter_map(|row| {
        Some(Waiting {
            model: row.model.parse().ok()?,
            priority: Priority::parse(&row.priority)?,
            running: row.running,
            fresh: row.fresh,
            in_flight: InFlight {
                interactive: row.running + row.queued - row.bulk,
                bulk: row.bulk,
            },
        })
    });
    Ok(waiting.collect())
}

#[derive(FromRow)]
struct LeasedRow {
    bucket: i16,
    job_id: Uuid,
    client_id: String,
    model: String,
    trace_parent: Option<String>,
}

/// Leases those of the candidates that are still due and free, for 30 s: longer than the deadline of a confirm, short
/// enough that a dead dispatcher delays nothing noticeably. Takes as many as fit into one fence.
pub async fn lease(
    shard: &Database,
    keys: &[JobKey],
    lease: Uuid,
) -> Result<Vec<(JobKey, AnalyzeDocument)>, StoreError> {
    let (mut tx, owned) = shard.begin_owned(&buckets_of(keys)).await?;
    let (buckets, jobs) = columns(keys, &owned);
    let query = tx.query_as::<LeasedRow>(
        "update dispatch d set lease_token = $3, lease_until = now() + interval '30 s'
         from (select bucket, job_id from dispatch
               where (bucket, job_id) in (select * from unnest($1::smallint[], $2::uuid[]))
                 and state = 'waiting' and due_at <= now() and (lease_until is null or lease_until < now())
               order by bucket, job_id for update skip locked) free
         where d.bucket = free.bucket and d.job_id = free.job_id
         returning d.bucket, d.job_id, d.client_id, d.model, d.trace_parent",
    );
    let rows = query
        .bind(buckets)
        .bind(jobs)
        .bind(lease)
        .fetch_all(tx.connection())
        .await;
    let rows = rows.map_err(|error| tx.failed(error))?;
    tx.commit().await?;
    Ok(rows.into_iter().filter_map(message).collect())
}

fn message(row: LeasedRow) -> Option<(JobKey, AnalyzeDocument)> {
    let key = JobKey {
        bucket: sharding::bucket_from_number(row.bucket)?,
        job: JobId(row.job_id),
    };
    let message = AnalyzeDocument {
        bucket: row.bucket,
        job_id: key.job,
        client_id: row.client_id.parse().ok()?,
        model: row.model.parse().ok()?,
        trace_parent: row.trace_parent,
    };
    Some((key, message))
}

#[derive(FromRow)]
struct MarkedRow {
    priority: String,
    lag: f64,
}

/// Marks rows as published, where the lease is still ours; a claim may have come first and cleared it.
pub async fn mark_published(shard: &Database, keys: &[JobKey], lease: Uuid) -> Result<(), StoreError> {
    const MARK: &str = "
        update dispatch set state = 'queued', published_at = clock_timestamp(), lease_token = null, lease_until = null,
            history = docket_history(history, jsonb_build_object('event', 'published', 'at', clock_timestamp()))
        from (select bucket, job_id from dispatch where (bucket, job_id) in (select * from unnest($1::smallint[], $2::uuid[]))
              and lease_token = $3 and state = 'waiting' order by bucket, job_id for update) mine
        where dispatch.bucket = mine.bucket and dispatch.job_id = mine.job_id
        returning priority, greatest(extract(epoch from now() - due_at), 0)::double precision as lag";
    for MarkedRow { priority, lag } in update_leased(shard, keys, lease, MARK).await? {
        if let Some(priority) = Priority::parse(&priority) {
            metrics::dispatched(priority.as_str(), Duration::from_secs_f64(lag));
        }
    }
    Ok(())
}

/// Gives up the lease of rows that could not be published: they stay waiting and are due at once.
pub async fn release(shard: &Database, keys: &[JobKey], lease: Uuid) -> Result<(), StoreError> {
    const RELEASE: &str = "
        update dispatch set lease_token = null, lease_until = null
        from (select bucket, job_id from dispatch where (bucket, job_id) in (select * from unnest($1::smallint[], $2::uuid[]))
              and lease_token = $3 order by bucket, job_id for update) mine
        where dispatch.bucket = mine.bucket and dispatch.job_id = mine.job_id
        returning priority, 0::double precision as lag";
    update_leased(shard, keys, lease, RELEASE).await.map(drop)
}

async fn update_leased(
    shard: &Database,
    keys: &[JobKey],
    lease: Uuid,
    sql: &'static str,
) -> Result<Vec<MarkedRow>, StoreError> {
    let (mut tx, owned) = shard.begin_owned(&buckets_of(keys)).await?;
    let (buckets, jobs) = columns(keys, &owned);
    let query = tx.query_as::<MarkedRow>(sql).bind(buckets).bind(jobs).bind(lease);
    let updated = query
        .fetch_all(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?;
    tx.commit().await?;
    Ok(updated)
}

/// As many of the keys, from the first on, as have at most [`FENCE_BUCKETS_MAX`] buckets.
pub fn fit_fence(keys: &[JobKey]) -> &[JobKey] {
    let mut buckets = BTreeSet::new();
    let fits = keys.iter().take_while(|key| {
        buckets.insert(key.bucket);
        buckets.len() <= FENCE_BUCKETS_MAX
    });
    &keys[..fits.count()]
}

/// Sets a published but unclaimed row waiting again: its message ended in the dead queue. Whether the row exists at all.
pub async fn wait_again(shards: &super::Shards, key: JobKey) -> Result<bool, StoreError> {
    let mut tx = shards.begin(key.bucket).await?;
    let query = tx.query_scalar::<bool>(
        "with again as (
             update dispatch set state = 'waiting', published_at = null, history = docket_history(history,
                 $3 || jsonb_build_object('at', clock_timestamp()))
             where bucket = $1 and job_id = $2 and state = 'queued')
         select exists (select 1 from jobs where bucket = $1 and id = $2)",
    );
    let entry = Event::Requeued.entry(None, Some("dead-lettered by the broker"));
    let query = query.bind(key.bucket.number()).bind(key.job.0).bind(entry);
    let known = query
        .fetch_one(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?;
    tx.commit().await?;
    Ok(known)
}

/// Distinct buckets of the keys, in order.
pub(super) fn buckets_of(keys: &[JobKey]) -> Vec<Bucket> {
    keys.iter()
        .map(|key| key.bucket)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// The keys in owned buckets, as two arrays to unnest.
pub(super) fn columns(keys: &[JobKey], owned: &[Bucket]) -> (Vec<i16>, Vec<Uuid>) {
    let owned = keys.iter().filter(|key| owned.contains(&key.bucket));
    owned.map(|key| (key.bucket.number(), key.job.0)).unzip()
}
