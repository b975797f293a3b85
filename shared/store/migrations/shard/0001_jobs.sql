-- A shard: the truth about its clients' documents, jobs and entities.
-- Every table of client data has a primary key that begins with bucket, and no sequence, so that rows can move between
-- shards by logical replication with row filters.

-- Who this database is, and who owns each bucket as far as it knows.
create table shard_identity (
    one  boolean primary key default true check (one),
    name text not null
);

create table bucket_owners (
    bucket smallint primary key check (bucket between 0 and 4095),
    owner  text not null,
    epoch  bigint not null
);

-- The fence. Every transaction on client data calls it first, with its buckets. Volatile PL/pgSQL: each statement in it
-- has a fresh snapshot, so ownership is read after the lock is held. A switch of owners takes the same lock exclusively.
-- It also bounds the transaction, since session settings do not survive a transaction pooler.
create function docket_fence(wanted smallint[])
returns table (bucket smallint, granted boolean, owned boolean, owner text, epoch bigint)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    me text;
    one smallint;
begin
    if cardinality(wanted) > 64 then
        raise exception 'a transaction may fence at most 64 buckets, not %', cardinality(wanted);
    end if;
    perform set_config('statement_timeout', '30s', true),
            set_config('idle_in_transaction_session_timeout', '30s', true);
    select name into me from shard_identity;
    for one in select distinct unnest(wanted) order by 1 loop
        granted := pg_try_advisory_xact_lock_shared(3340, one);
        select b.bucket, b.owner = me, b.owner, b.epoch into bucket, owned, owner, epoch
          from bucket_owners b where b.bucket = one;
        if not found then
            bucket := one; owned := false; owner := null; epoch := 0;
        end if;
        return next;
    end loop;
end
$$;

create table documents (
    bucket      smallint not null,
    id          uuid not null,
    client_id   text not null,
    external_id text,
    file_name   text,
    media_type  text not null,
    metadata    jsonb,
    size_bytes  bigint not null,
    sha256      bytea not null,
    blob_key    text not null,
    created_at  timestamptz not null default now(),
    primary key (bucket, id)
);
create index documents_of_client on documents (bucket, client_id, id);

-- Written when the job is accepted and when it ends; 'open' in between, and then its dispatch row says more.
-- model_version is the version that was asked for, null when none was. A job that succeeds is read by the version that it
-- asked for, or by the one that held then, and that one is written here: a job that succeeded is never opened again.
-- Failed and expired jobs are the dead letters; purged_at takes one out of the operators' lists, and nothing else.
create table jobs (
    bucket            smallint not null,
    id                uuid not null,
    document_id       uuid not null,
    client_id         text not null,
    model             text not null,
    model_version     text,
    priority          text not null check (priority in ('interactive', 'bulk')),
    deadline          timestamptz,
    state             text not null default 'open'
                      check (state in ('open', 'succeeded', 'failed', 'cancelled', 'expired')),
    attempts          integer not null default 0,
    error_kind        text,
    error_detail      text,
    history           jsonb not null default '[]',
    text_key          text,
    text_sha256       bytea,
    text_chars        bigint,
    windows           integer,
    tokens            bigint,
    entities          integer,
    trace_parent      text,
    created_at        timestamptz not null default now(),
    started_at        timestamptz,
    ended_at          timestamptz,
    purged_at         timestamptz,
    primary key (bucket, id)
);
create index jobs_of_document on jobs (bucket, document_id, id);
create index jobs_by_state on jobs (bucket, client_id, state, document_id, id);
create index jobs_dead on jobs (id) where state in ('failed', 'expired') and purged_at is null;

-- A job's live state, from accept to end: small and hot. heartbeat_at, lease_token and lease_until are in no index, so
-- that their updates stay within the page.
create table dispatch (
    bucket       smallint not null,
    job_id       uuid not null,
    client_id    text not null,
    model        text not null,
    state        text not null default 'waiting' check (state in ('waiting', 'queued', 'running')),
    priority     text not null,
    size_bytes   bigint not null,
    due_at       timestamptz not null default now(),
    deadline     timestamptz,
    lease_token  uuid,
    lease_until  timestamptz,
    published_at timestamptz,
    claim_token  uuid,
    worker       text,
    alone        boolean not null default false,
    claimed_at   timestamptz,
    heartbeat_at timestamptz,
    attempt      integer not null default 0,
    errors       integer not null default 0,
    crashes      integer not null default 0,
    lone_crashes integer not null default 0,
    history      jsonb not null default '[]',
    trace_parent text,
    created_at   timestamptz not null default now(),
    primary key (bucket, job_id)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500,
        autovacuum_vacuum_cost_delay = 0);
-- Who has work waiting, and each client's in order.
create index dispatch_waiting on dispatch (model, priority, client_id, due_at, job_id) where state = 'waiting';
-- How much of a client is with the broker and the workers.
create index dispatch_in_flight on dispatch (client_id) where state in ('queued', 'running');
-- Few rows at a time: what the sweeper looks through.
create index dispatch_queued on dispatch (model) where state = 'queued';
create index dispatch_running on dispatch (model) where state = 'running';
create index dispatch_deadline on dispatch (deadline) where deadline is not null;

-- What operators decided on a client; one without a row has the defaults.
create table client_controls (
    bucket        smallint not null,
    client_id     text not null,
    weight        real not null default 1 check (weight between 0.01 and 100),
    in_flight_max integer check (in_flight_max > 0),
    paused        boolean not null default false,
    changed_at    timestamptz not null default now(),
    primary key (bucket, client_id)
);
create index client_controls_by_client on client_controls (client_id);

-- Models that are paused on this shard. Not client data: it stays when buckets move.
create table paused_models (
    model     text primary key,
    paused_at timestamptz not null default now()
);

-- A history keeps its newest 50 entries: three a try of a job that is tried ten times, and some.
create function docket_history(history jsonb, entry jsonb) returns jsonb
language sql immutable as $$
    select case when jsonb_array_length(history) >= 50 then (history - 0) || jsonb_build_array(entry)
                else history || jsonb_build_array(entry) end
$$;

-- A job as its caller sees it: the dispatch row while there is one, the job row afterwards.
create view current_jobs as
select j.bucket, j.id as job_id, j.document_id, j.client_id, coalesce(x.state, j.state) as state, j.model, j.model_version,
       coalesce(x.attempt, j.attempts) as attempts, j.error_kind, j.error_detail,
       coalesce(x.history, j.history) as history, j.text_key, j.text_chars, j.windows, j.tokens, j.entities,
       j.created_at as job_created_at, coalesce(x.claimed_at, j.started_at) as started_at, j.ended_at,
       j.state as stored_state, j.priority, j.deadline, case when x.state = 'waiting' then x.due_at end as due_at
from jobs j left join dispatch x on x.bucket = j.bucket and x.job_id = j.id;

create table entities (
    bucket     smallint not null,
    job_id     uuid not null,
    ordinal    integer not null,
    label      text not null,
    text       text not null,
    start_char integer not null,
    end_char   integer not null,
    start_byte integer not null,
    end_byte   integer not null,
    page       integer,
    score      real not null,
    primary key (bucket, job_id, ordinal)
);

-- A reserved key has no fingerprint yet; its lease says until when its request is believed to live.
create table idempotency_keys (
    bucket         smallint not null,
    client_id      text not null,
    key            text not null,
    reserved_by    uuid not null,
    reserved_until timestamptz not null,
    fingerprint    bytea,
    answer         jsonb,
    expires_at     timestamptz not null,
    primary key (bucket, client_id, key)
);
create index idempotency_keys_expiry on idempotency_keys (expires_at);

-- How much each model has that has not ended, as the acting dispatcher counted it last. Not client data.
create table backlogs (
    model      text primary key,
    jobs       bigint not null,
    bytes      bigint not null,
    counted_at timestamptz not null default now()
);

-- Who acts for this shard. Not client data: it stays when buckets move.
create table leases (
    name   text primary key,
    holder uuid not null,
    until  timestamptz not null
);
