-- shard: work/claims_lost
-- The jobs of those claims that no longer are their jobs'. Writes nothing.
--
-- $1 buckets, smallint[]: one for each claim
-- $2 jobs, uuid[]: one for each claim
-- $3 tokens, uuid[]: one for each claim

select mine.job_id from unnest($1::smallint[], $2::uuid[], $3::uuid[]) as mine(bucket, job_id, token)
where not exists (select 1 from dispatch d where d.bucket = mine.bucket and d.job_id = mine.job_id
                  and d.claim_token = mine.token and d.state = 'running')
