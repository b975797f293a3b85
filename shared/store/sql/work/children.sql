-- shard: work/children
-- Accepts the files within a document as documents of their own, in the transaction that ends the document's job: rows of each
-- document, its first job, and the job's dispatch row. Accepts none when the claim is no longer the job's, and none that was
-- accepted before, by an earlier analysis of the same document.
--
-- $1 bucket, smallint: the job's
-- $2 job, uuid
-- $3 token, uuid: the claim's
-- $4 documents, uuid[]: one for each file
-- $5 jobs, uuid[]
-- $6 file_names, text[]: null for a file without a name
-- $7 media_types, text[]
-- $8 sizes, bigint[]: in bytes
-- $9 hashes, bytea[]: SHA-256 of each file
-- $10 blob_keys, text[]: where each file is stored

with
-- The document that holds the files, and the job that read it.
parent as (
    select j.document_id, j.client_id, j.model, j.model_version, j.priority, j.deadline, j.trace_parent, d.depth
    from jobs j join documents d on d.bucket = j.bucket and d.id = j.document_id
    where j.bucket = $1 and j.id = $2
      and exists (select 1 from dispatch where bucket = $1 and job_id = $2 and claim_token = $3 and state = 'running')
),
-- The files.
files as (
    select * from unnest($4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::bigint[], $9::bytea[], $10::text[])
        as f(document, job, file_name, media_type, size_bytes, sha256, blob_key)
),
-- The documents that are new.
document as (
    insert into documents (bucket, id, client_id, file_name, media_type, size_bytes, sha256, blob_key, parent_id, depth)
    select $1, f.document, p.client_id, f.file_name, f.media_type, f.size_bytes, f.sha256, f.blob_key, p.document_id,
           p.depth + 1
    from files f cross join parent p
    on conflict (bucket, id) do nothing
    returning id
),
-- Their jobs.
job as (
    insert into jobs (bucket, id, document_id, client_id, model, model_version, trace_parent, priority, deadline)
    select $1, f.job, f.document, p.client_id, p.model, p.model_version, p.trace_parent, p.priority, p.deadline
    from files f join document d on d.id = f.document cross join parent p
)
insert into dispatch (bucket, job_id, client_id, model, size_bytes, trace_parent, priority, deadline)
select $1, f.job, p.client_id, p.model, f.size_bytes, p.trace_parent, p.priority, p.deadline
from files f join document d on d.id = f.document cross join parent p
