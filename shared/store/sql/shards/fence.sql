-- shard: shards/fence
-- Fences buckets for the transaction, and says of each whether its lock was got and whether this shard owns it; if not,
-- who does, and since which epoch.
--
-- $1 buckets, smallint[]

select bucket, granted, coalesce(owned, false) as owned, owner, epoch from docket_fence($1)
