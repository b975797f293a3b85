-- shard: operate/dead_redrive
-- Sets dead jobs waiting again, each until its turn, and returns those that wait. A job counts its attempts on; its
-- errors, its crashes and the time since its first try begin anew. A deadline that has passed is taken away.
--
-- $1 buckets, smallint[]: one for each job
-- $2 jobs, uuid[]
-- $3 after, double precision[]: seconds from now until each job is due
-- $4 entry, jsonb: entry of the history

with
-- The jobs that are dead, purged ones among them, locked in the order of their keys.
chosen as (
    select j.bucket, j.id, j.attempts, j.history, j.deadline, k.after
    from jobs j join unnest($1::smallint[], $2::uuid[], $3::float8[]) as k(bucket, id, after)
        on k.bucket = j.bucket and k.id = j.id
    where docket_is_dead(j.state) order by j.bucket, j.id for update of j
),
-- Their rows, open again.
opened as (
    update jobs j set state = 'open', error_kind = null, error_detail = null, started_at = null, ended_at = null,
        purged_at = null, deadline = case when j.deadline > now() then j.deadline end
    from chosen c where j.bucket = c.bucket and j.id = c.id
    returning j.bucket, j.id, j.document_id, j.client_id, j.model, j.priority, j.deadline, j.trace_parent
)
insert into dispatch (bucket, job_id, client_id, model, priority, size_bytes, due_at, deadline, attempt, history, trace_parent)
select o.bucket, o.id, o.client_id, o.model, o.priority, d.size_bytes,
       now() + make_interval(secs => c.after), o.deadline, c.attempts,
       docket_history(c.history, $4 || jsonb_build_object('at', clock_timestamp())), o.trace_parent
from opened o join chosen c on c.bucket = o.bucket and c.id = o.id
join documents d on d.bucket = o.bucket and d.id = o.document_id
returning job_id
