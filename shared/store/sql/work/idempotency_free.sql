-- shard: work/idempotency_free
-- Frees the key of a request that was not accepted.
--
-- $1 bucket, smallint: the client's
-- $2 client, text
-- $3 key, text
-- $4 request, uuid

delete from idempotency_keys where bucket = $1 and client_id = $2 and key = $3 and reserved_by = $4 and answer is null
