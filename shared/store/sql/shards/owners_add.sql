-- shard: shards/owners_add
-- Tells a shard who owns each bucket, except for buckets whose owner it knows.
--
-- $1 owners, text[]: the owner of each bucket, from the first bucket on
-- $2 epoch, bigint: epoch of the map

insert into bucket_owners (bucket, owner, epoch)
select ordinality - 1, owner, $2 from unnest($1::text[]) with ordinality as m(owner, ordinality)
on conflict (bucket) do nothing
