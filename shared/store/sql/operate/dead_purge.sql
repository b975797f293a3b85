-- shard: operate/dead_purge
-- Takes dead jobs out of the operators' lists, and returns those that were in them. Nothing changes for their callers.
--
-- $1 buckets, smallint[]: one for each job
-- $2 jobs, uuid[]

update jobs j set purged_at = now()
from (select bucket, id from jobs where (bucket, id) in (select * from unnest($1::smallint[], $2::uuid[]))
        and docket_is_dead(state) and purged_at is null order by bucket, id for update) dead
where j.bucket = dead.bucket and j.id = dead.id returning j.id
