-- shard: bugs/end_any
-- A bug that tests plant: ends a job as succeeded, whoever it belongs to.
--
-- $1 bucket, smallint: the job's
-- $2 job, uuid
-- $3 entry, jsonb: entry of the history

update jobs set state = 'succeeded', ended_at = now(), history = docket_history(history,
    $3 || jsonb_build_object('at', now())) where bucket = $1 and id = $2
