-- shard: work/dispatch_lease
-- Leases those of the jobs that wait, are due and are free, and returns what their messages hold. Rows that somebody
-- has locked are passed over.
--
-- $1 buckets, smallint[]: one for each job
-- $2 jobs, uuid[]
-- $3 lease, uuid: token of the lease
-- $4 seconds, double precision: how long the lease holds

update dispatch d set lease_token = $3, lease_until = now() + make_interval(secs => $4)
from (select bucket, job_id from dispatch
      where (bucket, job_id) in (select * from unnest($1::smallint[], $2::uuid[]))
        and state = 'waiting' and due_at <= now() and (lease_until is null or lease_until < now())
      order by bucket, job_id for update skip locked) free
where d.bucket = free.bucket and d.job_id = free.job_id
returning d.bucket, d.job_id, d.client_id, d.model, d.trace_parent
