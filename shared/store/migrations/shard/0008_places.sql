-- Documents that are more than plain text: which pages of them are to be read, what of them was read, the map of their text, and
-- where in the document each entity stands. The release before this one writes none of it and reads none of it: a null
-- region is the body, and a null start_utf16 is not known.
-- A document that was within another one, such as a file attached to a mail, has that one as its parent, and is one deeper.
alter table documents
    add column pages text,
    add column parent_id uuid,
    add column depth smallint not null default 0;
create index documents_of_parent on documents (bucket, parent_id, id) where parent_id is not null;

alter table jobs
    add column coverage jsonb,
    add column map_key text;

alter table entities
    add column region text,
    add column place jsonb,
    add column boxes jsonb,
    add column start_utf16 integer;

-- A job as its caller sees it, with what of its document was read. PostgreSQL takes new columns at the end only.
create or replace view current_jobs as
select j.bucket, j.id as job_id, j.document_id, j.client_id, coalesce(x.state, j.state) as state, j.model, j.model_version,
       coalesce(x.attempt, j.attempts) as attempts, j.error_kind, j.error_detail,
       coalesce(x.history, j.history) as history, j.text_key, j.text_chars, j.windows, j.tokens, j.entities,
       j.created_at as job_created_at, coalesce(x.claimed_at, j.started_at) as started_at, j.ended_at,
       j.state as stored_state, j.priority, j.deadline, case when x.state = 'waiting' then x.due_at end as due_at,
       j.coverage, j.map_key
from jobs j left join dispatch x on x.bucket = j.bucket and x.job_id = j.id;
