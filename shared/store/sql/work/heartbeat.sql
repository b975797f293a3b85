-- shard: work/heartbeat
-- Says that claims are alive, and returns the jobs of those that no longer are their jobs'. A row that somebody has
-- locked is passed over: its own result is being written, or somebody ends the job or takes it over. A statement that
-- waited for such a row would let this worker's other claims fall silent.
--
-- $1 buckets, smallint[]: one for each claim
-- $2 jobs, uuid[]: one for each claim
-- $3 tokens, uuid[]: one for each claim

with
-- The claims.
mine as (
    select * from unnest($1::smallint[], $2::uuid[], $3::uuid[]) as m(bucket, job_id, token)
),
-- The rows that still are theirs, locked in the order of their keys.
alive as (
    select d.bucket, d.job_id from dispatch d
    join mine on d.bucket = mine.bucket and d.job_id = mine.job_id and d.claim_token = mine.token
    where d.state = 'running' order by d.bucket, d.job_id for update of d skip locked
),
-- Their sign of life.
beaten as (
    update dispatch d set heartbeat_at = clock_timestamp() from alive
    where d.bucket = alive.bucket and d.job_id = alive.job_id
)
select mine.job_id from mine
where not exists (select 1 from dispatch d where d.bucket = mine.bucket and d.job_id = mine.job_id
                  and d.claim_token = mine.token and d.state = 'running')
