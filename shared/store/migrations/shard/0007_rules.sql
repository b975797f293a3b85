-- Rules that more than one statement follows, each written once. Nothing here stores anything, and the release before
-- this one does not use it. PostgreSQL puts the text of each function and view into the statement that names it, so
-- that indexes serve as if the text stood there; shared/store/tests/it/statements.rs fails where PostgreSQL does not.

-- A job that failed or expired is dead. The same condition stands in the index jobs_dead.
create function docket_is_dead(state text) returns boolean
language sql immutable as $$
    select state in ('failed', 'expired')
$$;

-- The dead jobs that operators see: those of this shard's own buckets, without the purged ones. A bucket that moved
-- away, or is being copied here, is for another shard to show. Ownership is a filter and not a join, so that the index
-- jobs_dead is read in its order.
create view dead_jobs as
select j.bucket, j.id, j.document_id, j.client_id, j.state, j.model, j.model_version, j.attempts, j.error_kind, j.error_detail,
       j.history, j.created_at, j.started_at, j.ended_at
from jobs j
where docket_is_dead(j.state) and j.purged_at is null
  and (select o.owner from bucket_owners o where o.bucket = j.bucket) = (select s.name from shard_identity s);

-- The dead jobs that match a filter. A part of the filter that is null matches every job.
create function docket_dead_jobs(of_client text, in_state text, of_kind text, of_model text,
                                 ended_before timestamptz, ended_from timestamptz)
returns setof dead_jobs
language sql stable as $$
    select * from dead_jobs j
    where (of_client is null or j.client_id = of_client) and (in_state is null or j.state = in_state)
      and (of_kind is null or j.error_kind = of_kind) and (of_model is null or j.model = of_model)
      and (ended_before is null or j.ended_at < ended_before) and (ended_from is null or j.ended_at >= ended_from)
$$;

-- The crashes of a job after its worker's claim: those beside other jobs of the worker, and those while the job ran
-- alone. Where the claim did not die, both numbers stay as they were.
create function docket_crashes(so_far integer, so_far_alone integer, alone boolean, died boolean)
returns table (crashes integer, lone_crashes integer)
language sql immutable rows 1 as $$
    select so_far + (died and not alone)::int, so_far_alone + (died and alone)::int
$$;

-- The newest job of a document: the one with the highest id.
create function docket_newest_job(of_bucket smallint, of_document uuid) returns setof current_jobs
language sql stable rows 1 as $$
    select * from current_jobs j where j.bucket = of_bucket and j.document_id = of_document order by j.job_id desc limit 1
$$;

-- The job whose result stands for a document: the newest that succeeded. No row while none has.
create function docket_result_job(of_bucket smallint, of_client text, of_document uuid) returns table (id uuid)
language sql stable rows 1 as $$
    select j.id from jobs j
    where j.bucket = of_bucket and j.client_id = of_client and j.state = 'succeeded' and j.document_id = of_document
    order by j.id desc limit 1
$$;

-- Every model and priority that has a waiting job. One probe of the index dispatch_waiting for each of them, however
-- many jobs wait (PostgreSQL wiki, "Loose indexscan").
create view waiting_kinds as
with recursive kinds as (
    (select model, priority from dispatch where state = 'waiting' order by model, priority limit 1)
    union all
    select next.model, next.priority from kinds k cross join lateral (
        select d.model, d.priority from dispatch d
        where d.state = 'waiting' and (d.model, d.priority) > (k.model, k.priority)
        order by d.model, d.priority limit 1) next
)
select model, priority from kinds;
