-- shard: read/document_find
-- A client's document, its newest job, and the job whose result stands for it.
--
-- $1 bucket, smallint: the client's
-- $2 document, uuid
-- $3 client, text

select d.*, j.*, r.id as result_job_id from documents d
cross join lateral docket_newest_job(d.bucket, d.id) j
left join lateral docket_result_job(d.bucket, d.client_id, d.id) r on true
where d.bucket = $1 and d.id = $2 and d.client_id = $3
