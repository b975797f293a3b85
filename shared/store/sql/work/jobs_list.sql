-- shard: work/jobs_list
-- A page of the jobs of a client's document as their caller sees them, newest first.
--
-- $1 bucket, smallint: the client's
-- $2 document, uuid
-- $3 client, text
-- $4 before, uuid: only jobs older than this one
-- $5 rows_max, bigint

select * from current_jobs where bucket = $1 and document_id = $2 and client_id = $3 and job_id < $4
order by job_id desc limit $5
