-- shard: read/documents_with_result
-- A page of a client's documents that have a result, newest first. Walks the client's succeeded jobs in the index of
-- jobs by state; of a document with several of them only the newest counts. The functions and the `limit 1` make
-- PostgreSQL look up the rest of each walked job by its keys, whatever it knows of the tables, and the walk ends when
-- the page is full.
--
-- $1 bucket, smallint: the client's
-- $2 client, text
-- $3 before, uuid: only documents older than this one
-- $4 rows_max, bigint
-- $5 job_state, text: only documents whose newest job is in this state; null for any
-- $6 walk_max, bigint: jobs that are walked at most

select d.*, j.*, r.id as result_job_id from (
    select id, document_id from jobs
    where bucket = $1 and client_id = $2 and document_id < $3 and state = 'succeeded'
    order by document_id desc, id desc limit $6) w
left join lateral docket_result_job($1, $2, w.document_id) r on true
cross join lateral docket_newest_job($1, w.document_id) j
cross join lateral (select * from documents where bucket = $1 and id = w.document_id limit 1) d
where w.id = r.id and ($5::text is null or j.state = $5)
order by w.document_id desc limit $4
