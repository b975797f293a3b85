-- shard: read/client_next
-- The client of a bucket that has documents and follows another by name.
--
-- $1 bucket, smallint
-- $2 after, text: name of the other; empty for the first client

select client_id from documents where bucket = $1 and client_id > $2 order by client_id limit 1
