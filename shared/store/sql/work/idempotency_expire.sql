-- shard: work/idempotency_expire
-- Deletes keys of some buckets that are past their time.
--
-- $1 buckets, smallint[]
-- $2 keys_max, bigint: keys that are deleted at most

delete from idempotency_keys where (bucket, client_id, key) in (
    select bucket, client_id, key from idempotency_keys
    where expires_at < now() and bucket = any($1) limit $2)
