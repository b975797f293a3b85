-- both: shards/lock
-- Waits for a lock that the transaction then holds until it ends.
--
-- $1 number, bigint: of the lock

select pg_advisory_xact_lock($1)
