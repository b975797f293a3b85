-- shard: work/document_jobs
-- How many jobs of a document are open, and its newest job.
--
-- $1 bucket, smallint: the client's
-- $2 document, uuid
-- $3 client, text

select (select count(*) from jobs
        where bucket = $1 and client_id = $3 and state = 'open' and document_id = $2),
       (select job_id from docket_newest_job($1, $2))
