-- shard: work/claims_lost
-- The jobs of those claims that no longer are their jobs'. A job is `unwanted` when it was cancelled, or when its document is gone.
-- Writes nothing.
--
-- $1 buckets, smallint[]: one for each claim
-- $2 jobs, uuid[]: one for each claim
-- $3 tokens, uuid[]: one for each claim

select mine.job_id, j.id is null or j.state = 'cancelled' as unwanted
from unnest($1::smallint[], $2::uuid[], $3::uuid[]) as mine(bucket, job_id, token)
left join jobs j on j.bucket = mine.bucket and j.id = mine.job_id
where not exists (select 1 from dispatch d where d.bucket = mine.bucket and d.job_id = mine.job_id
                  and d.claim_token = mine.token and d.state = 'running')
