-- shard: work/result_chunk
-- Writes some entities of a job ahead of its end, in the transaction that ends it. Writes none when the claim is no
-- longer the job's. Locks nothing of the dispatch row, so that heartbeats and a cancellation pass meanwhile.
--
-- $1 bucket, smallint: the job's
-- $2 job, uuid
-- $3 token, uuid: the claim's
-- $4 ordinals, integer[]: the place of each entity in the result, from 1
-- $5 labels, text[]
-- $6 texts, text[]
-- $7 start_chars, integer[]
-- $8 end_chars, integer[]
-- $9 start_bytes, integer[]
-- $10 end_bytes, integer[]
-- $11 pages, integer[]
-- $12 scores, real[]

insert into entities (bucket, job_id, ordinal, label, text, start_char, end_char, start_byte, end_byte, page, score)
select $1, $2, ordinal, label, text, start_char, end_char, start_byte, end_byte, page, score
from unnest($4::int[], $5::text[], $6::text[], $7::int[], $8::int[], $9::int[], $10::int[], $11::int[], $12::real[])
    as e(ordinal, label, text, start_char, end_char, start_byte, end_byte, page, score)
where exists (select 1 from dispatch
              where bucket = $1 and job_id = $2 and claim_token = $3 and state = 'running')
