-- catalog: operate/parked_oldest
-- The oldest parked messages that match a filter, oldest first.
--
-- $1 parked_before, timestamptz: null matches every message; so it is with each part of the filter
-- $2 parked_from, timestamptz
-- $3 after, uuid: only messages newer than this one
-- $4 rows_max, bigint

select id from docket_parked_messages($1, $2) where id > $3 order by id limit $4
