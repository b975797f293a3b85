-- shard: work/backlog_of_client
-- Counts a client's open jobs up to a limit, and its deferred jobs up to another. Open jobs are read from the index of
-- jobs by state, deferred ones from the index of waiting rows, so that no other client's rows are read.
--
-- $1 bucket, smallint: the client's
-- $2 client, text
-- $3 open_max, bigint: open jobs are counted up to this many
-- $4 deferred_max, bigint: deferred jobs are counted up to this many
-- $5 deferred_after, double precision: seconds; a waiting job that is not due for longer than this is deferred

select (select count(*) from (select 1 from jobs where bucket = $1 and client_id = $2 and state = 'open' limit $3) o) as jobs,
       (select count(*) from (
            select 1 from waiting_kinds k join dispatch d
              on d.state = 'waiting' and d.model = k.model and d.priority = k.priority and d.client_id = $2
             and d.due_at > now() + make_interval(secs => $5)
            limit $4) l) as deferred
