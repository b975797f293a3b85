-- shard: work/job_of_result
-- The job whose result stands for a client's document: the newest that succeeded or, while none has, the newest of all.
--
-- $1 bucket, smallint: the client's
-- $2 document, uuid
-- $3 client, text

select * from current_jobs where bucket = $1 and client_id = $3 and job_id = coalesce(
    (select id from docket_result_job($1, $3, $2)),
    (select job_id from docket_newest_job($1, $2)))
