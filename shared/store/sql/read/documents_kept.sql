-- shard: read/documents_kept
-- A client's documents in the order of their ids, which is the order of their objects' keys, each with the state of its
-- newest job.
--
-- $1 bucket, smallint: the client's
-- $2 client, text
-- $3 after, uuid: only documents after this one
-- $4 rows_max, bigint

select d.id, d.external_id, d.blob_key, d.created_at,
       (select j.state from docket_newest_job(d.bucket, d.id) j) as state
from documents d where d.bucket = $1 and d.client_id = $2 and d.id > $3 order by d.id limit $4
