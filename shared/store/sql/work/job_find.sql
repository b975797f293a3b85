-- shard: work/job_find
-- A client's job as its caller sees it.
--
-- $1 bucket, smallint: the client's
-- $2 job, uuid
-- $3 client, text

select * from current_jobs where bucket = $1 and job_id = $2 and client_id = $3
