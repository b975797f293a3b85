-- catalog: shards/shard_add
-- Stores a shard's name and weight, unless the shard is known.
--
-- $1 name, text
-- $2 weight, integer

insert into shards (name, weight) values ($1, $2) on conflict (name) do nothing
