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
-- $13 regions, text[]: null for the body
-- $14 places, text[]: each as JSON; null for an entity without one
-- $15 boxes, text[]: those of an entity as JSON; null for an entity without any
-- $16 starts_utf16, integer[]
-- $17 sources, text[]: null for the model
-- $18 recognisers, text[]: null where no recogniser knows the entity
-- $19 values, text[]: each as JSON; null for an entity without one
-- $20 canonicals, integer[]: the ordinal of the first mention of each thing; null for what is no thing
-- $21 carried_from, integer[]: the ordinal of the mention that each was carried from; null for others
-- $22 things, text[]: as JSON, at the first mention of each; null at others

insert into entities (bucket, job_id, ordinal, label, text, start_char, end_char, start_byte, end_byte, page, score,
                      region, place, boxes, start_utf16, source, recogniser, value, canonical, carried_from, thing)
select $1, $2, ordinal, label, text, start_char, end_char, start_byte, end_byte, page, score, region, place::jsonb,
       boxes::jsonb, start_utf16, source, recogniser, value::jsonb, canonical, carried_from, thing::jsonb
from unnest($4::int[], $5::text[], $6::text[], $7::int[], $8::int[], $9::int[], $10::int[], $11::int[], $12::real[],
            $13::text[], $14::text[], $15::text[], $16::int[], $17::text[], $18::text[], $19::text[], $20::int[],
            $21::int[], $22::text[])
    as e(ordinal, label, text, start_char, end_char, start_byte, end_byte, page, score, region, place, boxes,
         start_utf16, source, recogniser, value, canonical, carried_from, thing)
where exists (select 1 from dispatch
              where bucket = $1 and job_id = $2 and claim_token = $3 and state = 'running')
