-- shard: shards/identity
-- The name that the shard was told.

select name from shard_identity
