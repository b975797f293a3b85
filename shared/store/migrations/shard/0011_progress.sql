-- How far a running job is: the share of its text that the model has read, which its worker says with its heartbeat. Null until a
-- worker knows. A release before this one writes none of it and reads none of it. In no index, as the heartbeat itself.
alter table dispatch add column progress real;

-- A job as its caller sees it, with its progress while it runs. PostgreSQL takes new columns at the end only.
create or replace view current_jobs as
select j.bucket, j.id as job_id, j.document_id, j.client_id, coalesce(x.state, j.state) as state, j.model, j.model_version,
       coalesce(x.attempt, j.attempts) as attempts, j.error_kind, j.error_detail,
       coalesce(x.history, j.history) as history, j.text_key, j.text_chars, j.windows, j.tokens, j.entities,
       j.created_at as job_created_at, coalesce(x.claimed_at, j.started_at) as started_at, j.ended_at,
       j.state as stored_state, j.priority, j.deadline, case when x.state = 'waiting' then x.due_at end as due_at,
       j.coverage, j.map_key, case when x.state = 'running' then x.progress end as progress
from jobs j left join dispatch x on x.bucket = j.bucket and x.job_id = j.id;
