//! Where a shard's open work stands, for the metrics: what the broker and the workers have, and how old the oldest is.

use sqlx::FromRow;

use super::{Database, StoreError};

/// Where a shard's work of one model stands.
#[derive(Debug, Clone, Default, PartialEq, FromRow)]
pub struct Standing {
    /// The model.
    pub model: String,
    /// Jobs whose messages the broker has.
    pub queued: i64,
    /// Jobs that workers have.
    pub running: i64,
    /// How long ago the oldest of the others became due, in seconds; of those that are interactive and not paused, and 0 when
    /// none is due.
    pub oldest_interactive_seconds: f64,
    /// The same of those in bulk.
    pub oldest_bulk_seconds: f64,
    /// How long ago the oldest of those in the broker was published, in seconds.
    pub oldest_queued_seconds: f64,
}

// A loose index scan as the dispatcher's: one probe a client that waits, never a walk over the backlog. What is queued and
// running is little, and has indexes of its own.
const STANDING: &str = "
with recursive firsts(model, priority, client_id, due_at) as (
    (select model, priority, client_id, due_at from dispatch where state = 'waiting'
     order by model, priority, client_id, due_at limit 1)
    union all
    select next.* from firsts f cross join lateral (
        select d.model, d.priority, d.client_id, d.due_at from dispatch d
        where d.state = 'waiting' and (d.model, d.priority, d.client_id) > (f.model, f.priority, f.client_id)
        order by d.model, d.priority, d.client_id, d.due_at limit 1) next
), waiting as (
    select f.model, min(f.due_at) filter (where f.priority = 'interactive') as interactive,
           min(f.due_at) filter (where f.priority = 'bulk') as bulk
    from firsts f
    where not exists (select 1 from client_controls k where k.client_id = f.client_id and k.paused)
      and not exists (select 1 from paused_models p where p.model = f.model)
    group by f.model
), queued as (
    select model, count(*) as jobs, min(published_at) as oldest from dispatch where state = 'queued' group by model
), running as (
    select model, count(*) as jobs from dispatch where state = 'running' group by model
)
select model, coalesce(q.jobs, 0) as queued, coalesce(r.jobs, 0) as running,
       greatest(coalesce(extract(epoch from now() - w.interactive), 0), 0)::double precision as oldest_interactive_seconds,
       greatest(coalesce(extract(epoch from now() - w.bulk), 0), 0)::double precision as oldest_bulk_seconds,
       greatest(coalesce(extract(epoch from now() - q.oldest), 0), 0)::double precision as oldest_queued_seconds
from (select distinct model from firsts) m
full join waiting w using (model) full join queued q using (model) full join running r using (model)";

/// Of each model that has open jobs.
pub async fn standing(shard: &Database) -> Result<Vec<Standing>, StoreError> {
    let mut tx = shard.begin().await?;
    let rows = tx.query_as::<Standing>(STANDING).fetch_all(tx.connection()).await;
    rows.map_err(|error| tx.failed(error))
}
