-- shard: work/expire
-- Ends those of the jobs whose deadline passed, whatever they are doing. A statement beside work/end, since with arrays
-- of keys PostgreSQL plans that one anew for each job, which takes longer than ending the job.
--
-- $1 buckets, smallint[]: one for each job
-- $2 jobs, uuid[]
-- $3 state, text: the state that the jobs are left in
-- $4 entry, jsonb: entry of the history
-- $5 error_kind, text
-- $6 error_detail, text

with
-- The dispatch rows that are late, locked in the order of their keys.
late as (
    select bucket, job_id from dispatch
    where (bucket, job_id) in (select * from unnest($1::smallint[], $2::uuid[])) and deadline <= now()
    order by bucket, job_id for update
),
-- Those rows, deleted.
ended as (
    delete from dispatch d using late l where d.bucket = l.bucket and d.job_id = l.job_id
    returning d.bucket, d.job_id, d.attempt, d.claimed_at, d.worker, d.history
)
update jobs j set state = $3, attempts = e.attempt, started_at = e.claimed_at,
    ended_at = greatest(clock_timestamp(), e.claimed_at),
    history = docket_history(e.history, $4 || jsonb_build_object(
        'at', clock_timestamp(), 'worker', e.worker, 'model', j.model || coalesce('@' || j.model_version, ''))),
    error_kind = $5, error_detail = $6
from ended e where j.bucket = e.bucket and j.id = e.job_id
