-- catalog: operate/parked_list
-- A page of the parked messages that match a filter, newest first, without their bodies.
--
-- $1 parked_before, timestamptz: null matches every message; so it is with each part of the filter
-- $2 parked_from, timestamptz
-- $3 before, uuid: only messages older than this one
-- $4 rows_max, bigint

select id, queue, reason, parked_at, octet_length(body) as body_bytes
from docket_parked_messages($1, $2) where id < $3 order by id desc limit $4
