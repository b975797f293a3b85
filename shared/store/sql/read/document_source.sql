-- shard: read/document_source
-- Where a client's document is stored, and what was said of it.
--
-- $1 bucket, smallint: the client's
-- $2 document, uuid
-- $3 client, text

select blob_key, media_type, file_name, size_bytes from documents where bucket = $1 and id = $2 and client_id = $3
