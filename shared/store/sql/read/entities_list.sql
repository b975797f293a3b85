-- shard: read/entities_list
-- A page of a job's entities in the order of the text. Follows the primary key over a bounded number of the job's
-- entities, whatever is filtered.
--
-- $1 bucket, smallint: the job's
-- $2 job, uuid
-- $3 after, integer: only entities after this ordinal
-- $4 label, text: null for any
-- $5 score_min, real: null for any
-- $6 rows_max, bigint
-- $7 last, integer: only entities up to this ordinal
-- $8 region, text: null for any
-- $9 source, text: null for any
-- $10 canonical, integer: only mentions of this thing; null for any

select ordinal, label, text, start_char, end_char, start_byte, end_byte, page, score,
       coalesce(region, 'body') as region, place, boxes, start_utf16,
       coalesce(source, 'model') as source, recogniser, value, canonical, carried_from from entities
where bucket = $1 and job_id = $2 and ordinal > $3 and ordinal <= $7 and ($4::text is null or label = $4)
  and ($5::real is null or score >= $5) and ($8::text is null or coalesce(region, 'body') = $8)
  and ($9::text is null or coalesce(source, 'model') = $9) and ($10::int is null or canonical = $10)
order by ordinal limit $6
