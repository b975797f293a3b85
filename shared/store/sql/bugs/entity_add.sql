-- shard: bugs/entity_add
-- A bug that tests plant: adds an entity to a job, whoever it belongs to.
--
-- $1 bucket, smallint: the job's
-- $2 job, uuid
-- $3 ordinal, integer
-- $4 label, text
-- $5 text, text
-- $6 start_char, integer
-- $7 end_char, integer
-- $8 start_byte, integer
-- $9 end_byte, integer
-- $10 score, real

insert into entities (bucket, job_id, ordinal, label, text, start_char, end_char, start_byte, end_byte, score)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
