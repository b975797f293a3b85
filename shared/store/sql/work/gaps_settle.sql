-- shard: work/gaps_settle
-- Settles the gaps that ended before a time.
--
-- $1 before, timestamptz

delete from gaps where ended < $1
