-- shard: work/backlog_count
-- Counts what each model has that has not ended, stores the count in `backlogs`, and returns it with the seconds that
-- one worker would take for what can be done now. That is what runs, and what is due and not paused; of each client at
-- most as many documents as the client may have in flight. Reads every dispatch row.
--
-- $1 models, text[]: models whose pace is known
-- $2 paces, double precision[]: bytes of documents that one worker reads in a second, for each of $1
-- $3 other_pace, double precision: the same for every other model
-- $4 seconds_min, double precision: seconds that a document counts at least
-- $5 seconds_max, double precision: seconds that a document counts at most
-- $6 in_flight_max, integer: jobs in flight of a client on which no operator decided
-- $7 deferred_after, double precision: seconds; a waiting job that is not due for longer than this is deferred

with
-- The models whose pace is known.
pace as (
    select * from unnest($1::text[], $2::double precision[]) as p(model, bytes_per_second)
),
-- What each client has of each model: all of it, the deferred part, and the seconds of work that run or are due.
of_clients as (
    select d.model, d.client_id, count(*) as jobs, sum(d.size_bytes) as bytes, min(d.due_at) as oldest,
           count(*) filter (where d.state = 'waiting' and d.due_at > now() + make_interval(secs => $7)) as deferred,
           coalesce(sum(w.seconds) filter (where d.state = 'running'), 0) as running,
           coalesce(sum(w.seconds) filter (where d.state <> 'running' and d.due_at <= now()), 0) as due
    from dispatch d left join pace p on p.model = d.model
    cross join lateral (
        select least(greatest(d.size_bytes / coalesce(p.bytes_per_second, $3), $4), $5) as seconds) w
    group by d.model, d.client_id
),
-- What each model has. Of a paused client or model, only what runs is work.
counted as (
    select c.model, sum(c.jobs)::bigint as jobs, sum(c.bytes)::bigint as bytes, sum(c.deferred)::bigint as deferred,
           greatest(extract(epoch from now() - min(c.oldest)), 0)::double precision as oldest_seconds,
           sum(least(c.running + case when k.paused or m.model is not null then 0 else c.due end,
                     coalesce(k.in_flight_max, $6) * $5)) as work_seconds
    from of_clients c
    left join client_controls k on k.client_id = c.client_id
    left join paused_models m on m.model = c.model
    group by c.model
),
-- Models that have nothing any more leave the stored count.
gone as (
    delete from backlogs where model not in (select model from counted)
),
-- The others' counts are stored.
kept as (
    insert into backlogs (model, jobs, bytes, deferred) select model, jobs, bytes, deferred from counted
    on conflict (model) do update
    set jobs = excluded.jobs, bytes = excluded.bytes, deferred = excluded.deferred, counted_at = now()
)
select * from counted
