-- The catalog: what operators decide and what processes tell one another. Never on the path of a document.

create table shards (
    name     text primary key,
    weight   integer not null check (weight >= 0),
    added_at timestamptz not null default now()
);

-- One row a version of the map; owners[bucket + 1] is the shard that owns the bucket. The newest epoch holds.
create table shard_maps (
    epoch      bigint primary key,
    owners     text[] not null check (cardinality(owners) = 4096),
    reason     text not null,
    created_at timestamptz not null default now()
);

-- What each worker serves and how fast: the dispatcher sizes the broker's queues by it.
create table worker_reports (
    worker            text not null,
    model             text not null,
    model_version     text not null,
    tokens_per_second double precision not null,
    reported_at       timestamptz not null default now(),
    primary key (worker, model)
);

-- How much weight the clients have whose work waits on a shard: a shard's dispatcher takes its share of a queue's room by it.
create table shard_activity (
    shard       text not null,
    model       text not null,
    weight      double precision not null,
    reported_at timestamptz not null default now(),
    primary key (shard, model)
);

-- Messages that name no job: kept until an operator looks.
create table parked_messages (
    id          uuid primary key,
    queue       text not null,
    body        bytea not null,
    reason      text not null,
    parked_at   timestamptz not null default now()
);

-- What operators did: written before it is done, and what came of it afterwards.
create table audit (
    id      uuid primary key,
    at      timestamptz not null default now(),
    actor   text not null,
    action  text not null,
    target  jsonb not null,
    outcome jsonb
);
