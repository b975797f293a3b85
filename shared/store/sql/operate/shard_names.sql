-- catalog: operate/shard_names
-- The shards that the catalog knows, by name.

select name from shards order by name
