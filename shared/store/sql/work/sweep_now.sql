-- shard: work/sweep_now
-- The shard's own time, which its rows are stamped with.

select now()
