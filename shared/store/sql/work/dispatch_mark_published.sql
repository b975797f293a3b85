-- shard: work/dispatch_mark_published
-- Marks jobs as published, where the lease still is the caller's: a claim may have come first and cleared it. Returns
-- each job's priority and the seconds from when it was due.
--
-- $1 buckets, smallint[]: one for each job
-- $2 jobs, uuid[]
-- $3 lease, uuid: token of the lease
-- $4 entry, jsonb: entry of the history

update dispatch set state = 'queued', published_at = clock_timestamp(), lease_token = null, lease_until = null,
    history = docket_history(history, $4 || jsonb_build_object('at', clock_timestamp()))
from (select bucket, job_id from dispatch where (bucket, job_id) in (select * from unnest($1::smallint[], $2::uuid[]))
      and lease_token = $3 and state = 'waiting' order by bucket, job_id for update) mine
where dispatch.bucket = mine.bucket and dispatch.job_id = mine.job_id
returning priority, greatest(extract(epoch from now() - due_at), 0)::double precision as lag
