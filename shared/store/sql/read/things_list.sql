-- shard: read/things_list
-- A page of the things that a job found, in the order of their first mentions. Follows the primary key over a bounded number of
-- the job's entities.
--
-- $1 bucket, smallint: the job's
-- $2 job, uuid
-- $3 after, integer: only things whose first mention is after this ordinal
-- $4 last, integer: only things whose first mention is not after this ordinal
-- $5 kind, text: null for any
-- $6 rows_max, bigint

select ordinal, thing from entities
where bucket = $1 and job_id = $2 and ordinal > $3 and ordinal <= $4 and thing is not null
  and ($5::text is null or thing ->> 'kind' = $5)
order by ordinal limit $6
