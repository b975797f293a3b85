-- catalog: operate/parked_find
-- A parked message with the beginning of its body.
--
-- $1 id, uuid
-- $2 bytes_max, integer: bytes of the body that are returned at most

select id, queue, reason, parked_at, octet_length(body) as body_bytes, substring(body for $2) as body
from parked_messages where id = $1
