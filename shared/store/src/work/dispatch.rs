//! Waiting work: whose turn it is, and a job's way to the broker. The job's row is leased, its message is published, and
//! the row is marked as published. No row is locked while the broker is waited for.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::FromRow;
use uuid::Uuid;

use crate::operate::controls::WEIGHT_DEFAULT;
use crate::rows::seconds;
use crate::shards::keys::{buckets_of, columns};
use crate::sql::{Statement, sql};
use crate::work::granted_claim::TAKEOVER_AFTER;
use crate::{Database, FencedTx, Shards, StoreError};
use docket_contract::ids::{ClientId, JobId, JobKey, ModelName};
use docket_contract::job::{AnalyzeDocument, Priority};
use docket_contract::sharding;
use docket_contract::state::Event;
use docket_process::metrics;

/// Clients that one scan visits: so a tick stays short however many clients wait. The next scan goes on where this one
/// ended.
pub const CLIENTS_MAX: i32 = 256;
/// How long a job stays leased to whoever publishes it: longer than the deadline of the broker's confirm, and short
/// enough that a dead dispatcher delays nothing noticeably.
pub(crate) const PUBLISH_LEASE: Duration = Duration::from_secs(30);
/// For how long after its publication a queued job counts as fresh: longer than its message takes from the queue to a
/// claim.
const FRESH_FOR: Duration = Duration::from_secs(1);
/// Messages of a model that the dispatcher keeps ready while no worker consumes: a first worker finds something at
/// once.
pub const READY_WITHOUT_CONSUMERS: u32 = 16;

/// A due row that may be published.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The job.
    pub key: JobKey,
    /// The job's client.
    pub client: ClientId,
    /// Jobs of the client, of any model, that are with the broker or a worker now. Jobs that are just being handed over
    /// are not counted; their rows are leased for some milliseconds, and looking for them would be a walk over the
    /// backlog.
    pub in_flight: i64,
    /// How many of them there may be.
    pub in_flight_max: i64,
    /// Those of the jobs in flight that are of the scanned model and priority.
    pub alike: i64,
    /// The client's weight: its part of the room is in proportion to it.
    pub weight: f32,
    /// Size of the document in bytes.
    pub size_bytes: i64,
}

/// What a scan saw.
#[derive(Debug, Default)]
pub struct Scan {
    /// Due jobs, at most `each` of a client, in the order in which the clients were visited, and of one client the
    /// oldest first.
    pub candidates: Vec<Candidate>,
    /// Visited clients. Each has waiting jobs, due or not.
    pub clients: usize,
    /// What the metrics say of these clients together.
    pub seen: metrics::Waiting,
    /// Sum of their weights.
    pub weight: f64,
    /// The client that was visited last; `None` when no client has waiting jobs.
    pub last: Option<String>,
    /// Whether there may be clients that were not visited.
    pub full: bool,
}

/// Jobs of one client that may be with the broker or a worker at a time, unless an operator decides otherwise: more
/// than a large fleet holds, and few enough that counting them is quick.
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

/// Looks at up to [`CLIENTS_MAX`] clients with waiting jobs of one model and priority, and at most `each` due jobs of
/// each client. Begins with the client after `after`, and goes round to it. Locks nothing.
pub async fn scan(
    shard: &Database,
    (model, priority): (&ModelName, Priority),
    after: &str,
    each: i64,
) -> Result<Scan, StoreError> {
    let query = sql!("work/dispatch_scan")
        .bind(model.as_str())
        .bind(after)
        .bind(each)
        .bind(CLIENTS_MAX)
        .bind(priority.as_str())
        .bind(IN_FLIGHT_MAX)
        .bind(WEIGHT_DEFAULT);
    let rows: Vec<ScanRow> = shard.begin().await?.all(query).await?;
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
    /// The model.
    pub model: ModelName,
    /// The priority.
    pub priority: Priority,
    /// Jobs of the model and this shard that run under claims that are alive.
    pub running: i64,
    /// Jobs of the model that were published in the last second and are not claimed yet: they are in the queue, or on
    /// their way out of it.
    pub fresh: i64,
    /// Jobs of the model that are in the queue or run, whoever published them.
    pub in_flight: InFlight,
}

/// Jobs in flight by their priority.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InFlight {
    /// Interactive jobs.
    pub interactive: i64,
    /// Bulk jobs.
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

/// Every model and priority that has waiting jobs on this shard, due or not, without paused models.
pub async fn waiting(shard: &Database) -> Result<Vec<Waiting>, StoreError> {
    let query = sql!("work/dispatch_waiting")
        .bind(seconds(TAKEOVER_AFTER))
        .bind(seconds(FRESH_FOR));
    let rows: Vec<WaitingRow> = shard.begin().await?.all(query).await?;
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

/// Leases those of the candidates that still are due and free, for 30 s (`PUBLISH_LEASE`). Takes as many as fit into
/// one fence.
pub async fn lease(
    shard: &Database,
    keys: &[JobKey],
    lease: Uuid,
) -> Result<Vec<(JobKey, AnalyzeDocument)>, StoreError> {
    let (mut tx, owned) = shard.begin_owned(&buckets_of(keys)).await?;
    let (buckets, jobs) = columns(keys, &owned);
    let query = sql!("work/dispatch_lease")
        .bind(buckets)
        .bind(jobs)
        .bind(lease)
        .bind(seconds(PUBLISH_LEASE));
    let rows: Vec<LeasedRow> = tx.all(query).await?;
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

/// Marks jobs as published, where the lease still holds: a claim may have come first and cleared it.
pub async fn mark_published(shard: &Database, keys: &[JobKey], lease: Uuid) -> Result<(), StoreError> {
    let (mut tx, query) = leased(shard, keys, lease, sql!("work/dispatch_mark_published")).await?;
    let marked = tx.all(query.bind(Event::Published.entry(None, None))).await?;
    tx.commit().await?;
    for MarkedRow { priority, lag } in marked {
        if let Some(priority) = Priority::parse(&priority) {
            metrics::dispatched(priority.as_str(), Duration::from_secs_f64(lag));
        }
    }
    Ok(())
}

/// Gives up the lease of jobs that could not be published. They wait on, and may be leased at once.
pub async fn release(shard: &Database, keys: &[JobKey], lease: Uuid) -> Result<(), StoreError> {
    let (mut tx, query) = leased(shard, keys, lease, sql!("work/dispatch_release")).await?;
    tx.execute(query).await?;
    tx.commit().await
}

/// A transaction on the keys' buckets, and a statement on those of the keys that are here and under the lease.
async fn leased(
    shard: &Database,
    keys: &[JobKey],
    lease: Uuid,
    statement: Statement,
) -> Result<(FencedTx, Statement), StoreError> {
    let (tx, owned) = shard.begin_owned(&buckets_of(keys)).await?;
    let (buckets, jobs) = columns(keys, &owned);
    Ok((tx, statement.bind(buckets).bind(jobs).bind(lease)))
}

/// Sets a job waiting again that is published and not claimed: the broker gave its message up. Returns whether the job
/// exists at all.
pub async fn wait_again(shards: &Shards, key: JobKey) -> Result<bool, StoreError> {
    let query = sql!("work/dispatch_wait_again")
        .bind(key.bucket.number())
        .bind(key.job.0)
        .bind(Event::Requeued.entry(None, Some("dead-lettered by the broker")));
    let mut tx = shards.begin(key.bucket).await?;
    let known = tx.scalar(query).await?;
    tx.commit().await?;
    Ok(known)
}
