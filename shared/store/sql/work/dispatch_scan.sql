-- shard: work/dispatch_scan
-- Looks at the clients that have waiting jobs of one model and priority, and at the first due jobs of each. Locks
-- nothing. A loose index scan: one probe of the index dispatch_waiting for each client, never a walk over the backlog
-- (PostgreSQL wiki, "Loose indexscan"). It goes round: from the name after `$2` to the last name, then from the first
-- name to `$2`.
--
-- $1 model, text
-- $2 after, text: the scan begins behind this client
-- $3 rows_max, bigint: due jobs of one client that are returned at most
-- $4 clients_max, integer: clients that are visited at most
-- $5 priority, text
-- $6 in_flight_max, integer: jobs in flight of a client on which no operator decided
-- $7 weight, real: weight of such a client

with recursive
-- The visited clients, numbered in their order. Names up to `$2` come second, which the comparison of rows says. `limit
-- 1` makes PostgreSQL look for each next name only once.
clients(client_id, n) as (
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
select c.client_id, coalesce(k.weight, $7) as weight, coalesce(k.in_flight_max, $6) as in_flight_max,
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
order by c.n
