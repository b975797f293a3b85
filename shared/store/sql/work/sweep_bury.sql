-- shard: work/sweep_bury
-- Counts the crash of a silent claim and sets its job waiting. A job that is now poison keeps its state and its claim,
-- under which the caller fails it in the same transaction. Returns whether the job is poison; no row when the claim is
-- no longer the job's, or is not silent any more.
--
-- $1 bucket, smallint: the job's
-- $2 job, uuid
-- $3 token, uuid: the claim's
-- $4 silent_for, double precision: seconds
-- $5 entry, jsonb: entry of the history
-- $6 poison_crashes, integer: with this many crashes alone a job is poison

with
-- The job's row, locked, with its crashes counted.
silent as (
    select d.bucket, d.job_id, n.crashes, n.lone_crashes, n.lone_crashes >= $6 as poison
    from dispatch d cross join lateral docket_crashes(d.crashes, d.lone_crashes, d.alone, true) n
    where d.bucket = $1 and d.job_id = $2 and d.claim_token = $3 and d.state = 'running'
      and d.heartbeat_at < now() - make_interval(secs => $4)
    for update of d
)
update dispatch d set crashes = s.crashes, lone_crashes = s.lone_crashes,
    history = docket_history(d.history, $5 || jsonb_build_object('at', clock_timestamp(), 'worker', d.worker, 'model', d.model)),
    state = case when s.poison then d.state else 'waiting' end,
    claim_token = case when s.poison then d.claim_token end,
    heartbeat_at = null, published_at = null
from silent s where d.bucket = s.bucket and d.job_id = s.job_id
returning s.poison
