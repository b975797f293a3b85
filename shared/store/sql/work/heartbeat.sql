-- shard: work/heartbeat
-- Says that claims are alive and how far their jobs are, and returns the jobs of those that no longer are their jobs'. A job is
-- `unwanted` when it was cancelled, or when its document is gone. A row that somebody has
-- locked is passed over: its own result is being written, or somebody ends the job or takes it over. A statement that
-- waited for such a row would let this worker's other claims fall silent.
--
-- $1 buckets, smallint[]: one for each claim
-- $2 jobs, uuid[]: one for each claim
-- $3 tokens, uuid[]: one for each claim
-- $4 progress, real[]: the share of each text that was read; null where that is not known yet

with
-- The claims.
mine as (
    select * from unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::real[]) as m(bucket, job_id, token, progress)
),
-- The rows that still are theirs, locked in the order of their keys.
alive as (
    select d.bucket, d.job_id, mine.progress from dispatch d
    join mine on d.bucket = mine.bucket and d.job_id = mine.job_id and d.claim_token = mine.token
    where d.state = 'running' order by d.bucket, d.job_id for update of d skip locked
),
-- Their sign of life, and their progress.
beaten as (
    update dispatch d set heartbeat_at = clock_timestamp(), progress = alive.progress from alive
    where d.bucket = alive.bucket and d.job_id = alive.job_id
)
select mine.job_id, j.id is null or j.state = 'cancelled' as unwanted
from mine left join jobs j on j.bucket = mine.bucket and j.id = mine.job_id
where not exists (select 1 from dispatch d where d.bucket = mine.bucket and d.job_id = mine.job_id
                  and d.claim_token = mine.token and d.state = 'running')
