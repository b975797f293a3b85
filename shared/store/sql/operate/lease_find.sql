-- shard: operate/lease_find
-- A lease of the shard, and for how many seconds it still holds.
--
-- $1 name, text: the lease's

select holder, extract(epoch from until - now())::double precision as remaining from leases where name = $1
