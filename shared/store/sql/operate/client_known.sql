-- shard: operate/client_known
-- Whether a client has a document, or something was decided on it.
--
-- $1 bucket, smallint: the client's
-- $2 client, text

select exists (select 1 from documents where bucket = $1 and client_id = $2)
    or exists (select 1 from client_controls where bucket = $1 and client_id = $2)
