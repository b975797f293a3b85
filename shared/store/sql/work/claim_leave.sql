-- shard: work/claim_leave
-- Ends a claim without ending its job: the job waits again, or its message goes back to the queue. Changes no row when
-- the claim is no longer the job's.
--
-- $1 bucket, smallint: the job's
-- $2 job, uuid
-- $3 token, uuid: the claim's
-- $4 state, text: 'waiting', or 'queued' when the message goes back to the queue
-- $5 delay, double precision: seconds until the job is due; null leaves that as it is
-- $6 attempts_back, integer: attempts that do not count
-- $7 errors, integer: errors that count
-- $8 entry, jsonb: entry of the history
-- $9 tried, boolean: whether the time in which the job is tried begins, if it has not begun yet

update dispatch set state = $4, due_at = coalesce(now() + make_interval(secs => $5), due_at),
    attempt = attempt - $6, errors = errors + $7, claim_token = null, heartbeat_at = null,
    published_at = case when $4 = 'queued' then clock_timestamp() end,
    tried_since = case when $9 then coalesce(tried_since, claimed_at) else tried_since end,
    history = docket_history(history, $8 || jsonb_build_object('at', clock_timestamp(), 'worker', worker, 'model', model))
where bucket = $1 and job_id = $2 and claim_token = $3 and state = 'running'
