-- shard: operate/open_work
-- What the broker and the workers have of each model that has open jobs, and how old the oldest job of each kind is.
-- Paused work does not age. A loose index scan, as the dispatcher's: one probe of the index dispatch_waiting for each
-- client that waits, never a walk over the backlog. Few rows are queued or running, and each of these states has an
-- index of its own.

with recursive
-- The waiting job that is due first, of each model, priority and client.
firsts(model, priority, client_id, due_at) as (
    (select model, priority, client_id, due_at from dispatch where state = 'waiting'
     order by model, priority, client_id, due_at limit 1)
    union all
    select next.* from firsts f cross join lateral (
        select d.model, d.priority, d.client_id, d.due_at from dispatch d
        where d.state = 'waiting' and (d.model, d.priority, d.client_id) > (f.model, f.priority, f.client_id)
        order by d.model, d.priority, d.client_id, d.due_at limit 1) next
),
-- When the first of them was due, by model, without what is paused.
waiting as (
    select f.model, min(f.due_at) filter (where f.priority = 'interactive') as interactive,
           min(f.due_at) filter (where f.priority = 'bulk') as bulk
    from firsts f
    where not exists (select 1 from client_controls k where k.client_id = f.client_id and k.paused)
      and not exists (select 1 from paused_models p where p.model = f.model)
    group by f.model
),
-- What the broker has, by model.
queued as (
    select model, count(*) as jobs, min(published_at) as oldest from dispatch where state = 'queued' group by model
),
-- What the workers have, by model.
running as (
    select model, count(*) as jobs from dispatch where state = 'running' group by model
)
select model, coalesce(q.jobs, 0) as queued, coalesce(r.jobs, 0) as running,
       greatest(coalesce(extract(epoch from now() - w.interactive), 0), 0)::double precision as oldest_interactive_seconds,
       greatest(coalesce(extract(epoch from now() - w.bulk), 0), 0)::double precision as oldest_bulk_seconds,
       greatest(coalesce(extract(epoch from now() - q.oldest), 0), 0)::double precision as oldest_queued_seconds
from (select distinct model from firsts) m
full join waiting w using (model) full join queued q using (model) full join running r using (model)
