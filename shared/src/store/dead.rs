//! Failed and expired jobs: the dead letters, for operators. Nothing leaves them by itself.

use std::time::Duration;

use uuid::Uuid;

use super::dispatch::{buckets_of, columns};
use super::{Database, StoreError, seconds};
use crate::ids::{JobId, JobKey};
use crate::state::Event;

/// When redriven jobs are due: all at once would be a second launch day.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pace {
    /// When the first one is due, from now.
    pub first: Duration,
    /// How long after each one the next is.
    pub each: Duration,
}

// The attempts go on counting, errors and crashes begin anew, and so does the age. A deadline that has passed is gone.
const REDRIVE: &str = "
with chosen as (
    select j.bucket, j.id, j.attempts, j.history, j.deadline, k.place
    from jobs j join unnest($1::smallint[], $2::uuid[]) with ordinality as k(bucket, id, place)
        on k.bucket = j.bucket and k.id = j.id
    where j.state in ('failed', 'expired') order by j.bucket, j.id for update of j
), opened as (
    update jobs j set state = 'open', error_kind = null, error_detail = null, started_at = null, ended_at = null,
        purged_at = null, deadline = case when j.deadline > now() then j.deadline end
    from chosen c where j.bucket = c.bucket and j.id = c.id
    returning j.bucket, j.id, j.document_id, j.client_id, j.model, j.priority, j.deadline, j.trace_parent
)
insert into dispatch (bucket, job_id, client_id, model, priority, size_bytes, due_at, deadline, attempt, history, trace_parent)
select o.bucket, o.id, o.client_id, o.model, o.priority, d.size_bytes,
       now() + make_interval(secs => $3 + $4 * (c.place - 1)), o.deadline, c.attempts,
       docket_history(c.history, $5 || jsonb_build_object('at', now())), o.trace_parent
from opened o join chosen c on c.bucket = o.bucket and c.id = o.id
join documents d on d.bucket = o.bucket and d.id = o.document_id
returning job_id";

/// Sets dead jobs waiting again, in their order and at this pace; those that are dead no longer are left out. At most
/// [`super::fence::FENCE_BUCKETS_MAX`] buckets at a time.
pub async fn redrive(shard: &Database, keys: &[JobKey], pace: Pace, by: &str) -> Result<Vec<JobId>, StoreError> {
    let (mut tx, owned) = shard.begin_owned(&buckets_of(keys)).await?;
    let (buckets, jobs) = columns(keys, &owned);
    let query = tx.query_scalar::<Uuid>(REDRIVE).bind(buckets).bind(jobs);
    let query = query
        .bind(seconds(pace.first))
        .bind(seconds(pace.each))
        .bind(Event::Redriven.entry(None, Some(by)));
    let redriven = query.fetch_all(tx.connection()).await;
    let redriven = redriven.map_err(|error| tx.failed(error))?;
    tx.commit().await?;
    Ok(redriven.into_iter().map(JobId).collect())
}
