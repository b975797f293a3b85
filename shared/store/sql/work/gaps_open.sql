-- shard: work/gaps_open
-- The times in which no dispatcher acted for the shard and which no operator has settled, the oldest first.

select began, ended from gaps order by began
