-- catalog: operate/parked_purge
-- Deletes parked messages, and returns those that were there.
--
-- $1 ids, uuid[]

delete from parked_messages where id = any($1) returning id
