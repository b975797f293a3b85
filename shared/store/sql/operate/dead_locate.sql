-- shard: operate/dead_locate
-- Where those of the jobs are that are dead and on this shard.
--
-- $1 jobs, uuid[]

select bucket, id from dead_jobs where id = any($1) order by id
