-- shard: work/end
-- Ends a live job otherwise than by success.
--
-- $1 bucket, smallint: the job's
-- $2 job, uuid
-- $3 state, text: the state that the job is left in
-- $4 entry, jsonb: entry of the history
-- $5 error_kind, text: null for a job that is cancelled
-- $6 error_detail, text: null for a job that is cancelled
-- $7 token, uuid: the job ends only if it runs under this claim; null ends it whatever it is doing

with
-- The dispatch row, deleted.
ended as (
    delete from dispatch where bucket = $1 and job_id = $2 and ($7::uuid is null or (claim_token = $7 and state = 'running'))
    returning bucket, job_id, attempt, claimed_at, worker, history
)
update jobs j set state = $3, attempts = e.attempt, started_at = e.claimed_at,
    ended_at = greatest(clock_timestamp(), e.claimed_at),
    history = docket_history(e.history, $4 || jsonb_build_object(
        'at', clock_timestamp(), 'worker', e.worker, 'model', j.model || coalesce('@' || j.model_version, ''))),
    error_kind = $5, error_detail = $6
from ended e where j.bucket = e.bucket and j.id = e.job_id
