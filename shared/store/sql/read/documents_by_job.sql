-- shard: read/documents_by_job
-- A page of a client's documents whose newest job is in a state, newest first. Walks the client's jobs in the index of
-- jobs by state, in which every live job is 'open'; of a document only its newest job counts. The functions and the
-- `limit 1` make PostgreSQL look up the rest of each walked job by its keys, whatever it knows of the tables, and the
-- walk ends when the page is full.
--
-- $1 bucket, smallint: the client's
-- $2 client, text
-- $3 before, uuid: only documents older than this one
-- $4 rows_max, bigint
-- $5 job_state, text
-- $6 no_result, boolean: only documents without a result
-- $7 walk_max, bigint: jobs that are walked at most
-- $8 stored_state, text: the state as the jobs have it

select d.*, j.*, r.id as result_job_id from (
    select id, document_id from jobs
    where bucket = $1 and client_id = $2 and document_id < $3 and state = $8
    order by document_id desc, id desc limit $7) w
left join lateral docket_result_job($1, $2, w.document_id) r on true
cross join lateral docket_newest_job($1, w.document_id) j
cross join lateral (select * from documents where bucket = $1 and id = w.document_id limit 1) d
where w.id = j.job_id and j.state = $5 and not ($6 and r.id is not null)
order by w.document_id desc limit $4
