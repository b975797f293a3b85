-- catalog: shards/map_save
-- Stores a map.
--
-- $1 epoch, bigint
-- $2 owners, text[]: the owner of each bucket
-- $3 reason, text

insert into shard_maps (epoch, owners, reason) values ($1, $2, $3)
