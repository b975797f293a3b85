-- shard: operate/dead_find
-- A dead job with its history.
--
-- $1 job, uuid

select * from dead_jobs where id = $1
