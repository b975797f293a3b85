-- shard: shards/identity_set
-- Tells a shard its name, unless it has one.
--
-- $1 name, text

insert into shard_identity (name) values ($1) on conflict (one) do nothing
