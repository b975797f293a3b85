-- shard: read/blob_keys
-- Where those of the documents are stored that have a row.
--
-- $1 bucket, smallint
-- $2 documents, uuid[]

select blob_key from documents where bucket = $1 and id = any($2)
