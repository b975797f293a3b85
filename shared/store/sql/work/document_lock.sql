-- shard: work/document_lock
-- The size of a client's document in bytes. Locks the document's row: requests for the same document count its open
-- jobs one after the other.
--
-- $1 bucket, smallint: the client's
-- $2 document, uuid
-- $3 client, text

select size_bytes from documents where bucket = $1 and id = $2 and client_id = $3 for no key update
