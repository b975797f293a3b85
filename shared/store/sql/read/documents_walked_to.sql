-- shard: read/documents_walked_to
-- The document of the last job that a page of documents in a state walked over; no row when the walk came to its end
-- before.
--
-- $1 bucket, smallint: the client's
-- $2 client, text
-- $3 before, uuid: only documents older than this one
-- $4 stored_state, text: the state of the walked jobs, as the jobs have it
-- $5 walk_max, bigint: jobs that are walked at most

select document_id from jobs where bucket = $1 and client_id = $2 and document_id < $3 and state = $4
order by document_id desc, id desc offset $5::bigint - 1 limit 1
