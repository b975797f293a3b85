-- shard: work/dispatch_waiting
-- Every model and priority that has a waiting job, due or not, with the model's jobs in flight. Paused models are left
-- out.
--
-- $1 takeover_after, double precision: seconds; a claim that is silent for longer is dead and does not count as running
-- $2 fresh_for, double precision: seconds after its publication in which a queued job counts as fresh

select k.model, k.priority, r.running, q.fresh, q.queued, r.bulk + q.bulk as bulk from waiting_kinds k
cross join lateral (
    select count(*) as running, count(*) filter (where d.priority = 'bulk') as bulk
    from dispatch d where d.state = 'running' and d.model = k.model
        and d.heartbeat_at > now() - make_interval(secs => $1)) r
cross join lateral (
    select count(*) as queued, count(*) filter (where d.priority = 'bulk') as bulk,
           count(*) filter (where d.published_at > now() - make_interval(secs => $2)) as fresh
    from dispatch d where d.state = 'queued' and d.model = k.model) q
where not exists (select 1 from paused_models p where p.model = k.model)
