-- shard: work/idempotency_answer
-- Stores the answer to the request that holds a key. Changes no row when the request has lost the key.
--
-- $1 bucket, smallint: the client's
-- $2 client, text
-- $3 key, text
-- $4 request, uuid
-- $5 fingerprint, bytea: of the request
-- $6 answer, jsonb

update idempotency_keys set fingerprint = $5, answer = $6
where bucket = $1 and client_id = $2 and key = $3 and reserved_by = $4 and answer is null
