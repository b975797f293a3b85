-- shard: operate/bucket_owners
-- Who owns each bucket, as the shard knows it, in the order of the buckets.

select bucket, owner, epoch from bucket_owners order by bucket
