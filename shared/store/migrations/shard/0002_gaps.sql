-- Times in which no dispatcher acted for this shard: everything was stopped, or the shard was restored to an earlier point and
-- what happened after it is gone from it. An object that was stored in such a time may be a document that was accepted: the
-- sweeper leaves it alone until an operator has settled the gap. Not client data: it stays when buckets move.
create table gaps (
    began timestamptz primary key,
    ended timestamptz not null
);
