-- shard: work/sweep_requeue
-- Sets those of the jobs waiting that are published and not claimed.
--
-- $1 buckets, smallint[]: one for each job
-- $2 jobs, uuid[]
-- $3 entry, jsonb: entry of the history

update dispatch d set state = 'waiting', published_at = null,
    history = docket_history(d.history, $3 || jsonb_build_object('at', clock_timestamp()))
from (select bucket, job_id from dispatch
      where (bucket, job_id) in (select * from unnest($1::smallint[], $2::uuid[])) and state = 'queued'
      order by bucket, job_id for update) lost
where d.bucket = lost.bucket and d.job_id = lost.job_id
