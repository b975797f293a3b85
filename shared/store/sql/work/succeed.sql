-- shard: work/succeed
-- Ends jobs with their results, where their claims still are theirs, and returns the tokens of those claims. Jobs of
-- several claims end in one statement; an entity names the claim it belongs to, since one worker may hold two claims of
-- the same job.
--
-- $1 buckets, smallint[]: one for each job
-- $2 jobs, uuid[]
-- $3 tokens, uuid[]: the claims'
-- $4 entry, jsonb: entry of the history
-- $5 model_versions, text[]: the version that read each document
-- $6 text_keys, text[]: where each extracted text is stored
-- $7 text_hashes, bytea[]: SHA-256 of each extracted text
-- $8 text_chars, bigint[]: characters of each extracted text
-- $9 windows, integer[]: windows that each text was cut into
-- $10 tokens_read, bigint[]: tokens of each text
-- $11 entity_counts, integer[]: entities of each result
-- $12 coverages, text[]: what of each document was read, as JSON
-- $13 map_keys, text[]: where the map of each text is stored; null for a text without one
-- $14 entity_tokens, uuid[]: the claim of each entity
-- $15 ordinals, integer[]: the place of each entity in its result, from 1
-- $16 labels, text[]
-- $17 texts, text[]
-- $18 start_chars, integer[]
-- $19 end_chars, integer[]
-- $20 start_bytes, integer[]
-- $21 end_bytes, integer[]
-- $22 pages, integer[]
-- $23 scores, real[]
-- $24 regions, text[]: null for the body
-- $25 places, text[]: each as JSON; null for an entity without one
-- $26 boxes, text[]: those of an entity as JSON; null for an entity without any
-- $27 starts_utf16, integer[]
-- $28 sources, text[]: null for the model
-- $29 recognisers, text[]: null where no recogniser knows the entity
-- $30 values, text[]: each as JSON; null for an entity without one
-- $31 canonicals, integer[]: the ordinal of the first mention of each thing; null for what is no thing
-- $32 carried_from, integer[]: the ordinal of the mention that each was carried from; null for others
-- $33 things, text[]: as JSON, at the first mention of each; null at others

with
-- The results without their entities.
results as (
    select * from unnest($1::smallint[], $2::uuid[], $3::uuid[], $5::text[], $6::text[], $7::bytea[], $8::bigint[],
                         $9::int[], $10::bigint[], $11::int[], $12::text[], $13::text[])
        as r(bucket, job_id, token, model_version, text_key, text_sha256, text_chars, windows, tokens, entities, coverage,
             map_key)
),
-- The dispatch rows that still are under these claims, locked in the order of their keys, as in every statement.
locked as (
    select d.bucket, d.job_id, r.token from dispatch d
    join results r on r.bucket = d.bucket and r.job_id = d.job_id and r.token = d.claim_token
    where d.state = 'running' order by d.bucket, d.job_id for update of d
),
-- Those rows, deleted.
ended as (
    delete from dispatch d using locked l where d.bucket = l.bucket and d.job_id = l.job_id
    returning d.bucket, d.job_id, l.token, d.attempt, d.claimed_at, d.worker, d.history
),
-- Their jobs, with what the dispatch rows said last and the results.
job as (
    update jobs j set state = 'succeeded', attempts = e.attempt, started_at = e.claimed_at,
        ended_at = greatest(clock_timestamp(), e.claimed_at),
        history = docket_history(e.history, $4 || jsonb_build_object(
            'at', clock_timestamp(), 'worker', e.worker, 'model', j.model || '@' || r.model_version)),
        model_version = r.model_version, text_key = r.text_key, text_sha256 = r.text_sha256, text_chars = r.text_chars,
        windows = r.windows, tokens = r.tokens, entities = r.entities, coverage = r.coverage::jsonb, map_key = r.map_key
    from ended e join results r on r.bucket = e.bucket and r.job_id = e.job_id and r.token = e.token
    where j.bucket = e.bucket and j.id = e.job_id
    returning j.bucket, j.id, r.token
),
-- Their entities.
found as (
    insert into entities (bucket, job_id, ordinal, label, text, start_char, end_char, start_byte, end_byte, page, score,
                          region, place, boxes, start_utf16, source, recogniser, value, canonical, carried_from, thing)
    select job.bucket, job.id, ordinal, label, text, start_char, end_char, start_byte, end_byte, page, score, region,
           place::jsonb, boxes::jsonb, start_utf16, source, recogniser, value::jsonb, canonical, carried_from, thing::jsonb
    from job join unnest($14::uuid[], $15::int[], $16::text[], $17::text[], $18::int[], $19::int[], $20::int[],
                         $21::int[], $22::int[], $23::real[], $24::text[], $25::text[], $26::text[], $27::int[],
                         $28::text[], $29::text[], $30::text[], $31::int[], $32::int[], $33::text[])
        as e(token, ordinal, label, text, start_char, end_char, start_byte, end_byte, page, score, region, place, boxes,
             start_utf16, source, recogniser, value, canonical, carried_from, thing) on e.token = job.token
)
select token from job
