-- shard: work/sweep_published
-- Jobs that were published before a time and not claimed. An operator asks for them who knows that the broker lost its
-- data.
--
-- $1 rows_max, bigint
-- $2 before, timestamptz

select bucket, job_id, claim_token from dispatch
where state = 'queued' and published_at < $2 limit $1
