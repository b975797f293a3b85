-- shard: read/documents_in_flight
-- A page of a client's documents whose newest job is queued, or running, newest first. Walks the index of jobs in
-- flight, of which a client has few. The functions and the `limit 1` make PostgreSQL look up the rest of each walked
-- job by its keys, whatever it knows of the tables, and the walk ends when the page is full.
--
-- $1 bucket, smallint: the client's
-- $2 client, text
-- $3 before, uuid: only documents older than this one
-- $4 rows_max, bigint
-- $5 job_state, text: 'queued' or 'running'
-- $6 no_result, boolean: only documents without a result
-- $7 walk_max, bigint: jobs that are walked at most

select d.*, j.*, r.id as result_job_id from (
    select n.id, n.document_id from dispatch x join jobs n on n.bucket = x.bucket and n.id = x.job_id
    where x.bucket = $1 and x.client_id = $2 and x.state in ('queued', 'running') and x.state = $5 and n.document_id < $3
    order by n.document_id desc limit $7) w
left join lateral docket_result_job($1, $2, w.document_id) r on true
cross join lateral docket_newest_job($1, w.document_id) j
cross join lateral (select * from documents where bucket = $1 and id = w.document_id limit 1) d
where w.id = j.job_id and j.state = $5 and not ($6 and r.id is not null)
order by w.document_id desc limit $4
