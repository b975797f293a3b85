-- shard: read/documents_of_parent
-- A page of the documents that were within a client's document, newest first, each with its newest job and the job whose result
-- stands for it. Follows the index of documents by parent.
--
-- $1 bucket, smallint: the client's
-- $2 client, text
-- $3 before, uuid: only documents older than this one
-- $4 rows_max, bigint
-- $5 parent, uuid

select d.*, j.*, r.id as result_job_id from documents d
cross join lateral docket_newest_job(d.bucket, d.id) j
left join lateral docket_result_job(d.bucket, d.client_id, d.id) r on true
where d.bucket = $1 and d.parent_id = $5 and d.client_id = $2 and d.id < $3
order by d.id desc limit $4
