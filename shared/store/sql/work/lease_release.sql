-- shard: work/lease_release
-- Gives up a lease, so that another process can take it at once. The time when it ended stays in its row.
--
-- $1 name, text: the lease's
-- $2 holder, uuid

update leases set until = now() where name = $1 and holder = $2
