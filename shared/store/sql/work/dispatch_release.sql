-- shard: work/dispatch_release
-- Gives up the leases of jobs that could not be published. They wait on and may be leased at once.
--
-- $1 buckets, smallint[]: one for each job
-- $2 jobs, uuid[]
-- $3 lease, uuid: token of the lease

update dispatch set lease_token = null, lease_until = null
from (select bucket, job_id from dispatch where (bucket, job_id) in (select * from unnest($1::smallint[], $2::uuid[]))
      and lease_token = $3 order by bucket, job_id for update) mine
where dispatch.bucket = mine.bucket and dispatch.job_id = mine.job_id
