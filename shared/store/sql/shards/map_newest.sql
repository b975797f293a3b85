-- catalog: shards/map_newest
-- The newest map of buckets to shards.

select epoch, owners from shard_maps order by epoch desc limit 1
