-- shard: work/idempotency_expired
-- Buckets that have keys past their time.
--
-- $1 buckets_max, bigint: buckets that are returned at most

select distinct bucket from idempotency_keys where expires_at < now() limit $1
