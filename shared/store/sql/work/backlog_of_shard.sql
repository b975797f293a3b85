-- shard: work/backlog_of_shard
-- The shard's open and deferred jobs at the last count; 0 before the first count.

select coalesce(sum(jobs), 0)::bigint as jobs, coalesce(sum(deferred), 0)::bigint as deferred from backlogs
