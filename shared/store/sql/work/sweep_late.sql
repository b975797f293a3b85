-- shard: work/sweep_late
-- Live jobs whose deadline passed.
--
-- $1 rows_max, bigint

select bucket, job_id, claim_token from dispatch where deadline <= now() limit $1
