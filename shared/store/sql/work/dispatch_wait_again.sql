-- shard: work/dispatch_wait_again
-- Sets a job waiting that is published and not claimed, and returns whether the job exists at all.
--
-- $1 bucket, smallint: the job's
-- $2 job, uuid
-- $3 entry, jsonb: entry of the history

with
-- The job waits again, if it is queued.
again as (
    update dispatch set state = 'waiting', published_at = null, history = docket_history(history,
        $3 || jsonb_build_object('at', clock_timestamp()))
    where bucket = $1 and job_id = $2 and state = 'queued'
)
select exists (select 1 from jobs where bucket = $1 and id = $2)
