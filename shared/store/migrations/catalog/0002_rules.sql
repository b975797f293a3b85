-- A rule that more than one statement follows, written once. It stores nothing, and the release before this one does
-- not use it.

-- The parked messages that match a filter. A part of the filter that is null matches every message. PostgreSQL puts
-- this text into the statement that names the function, so that the primary key serves as if the text stood there.
create function docket_parked_messages(parked_before timestamptz, parked_from timestamptz) returns setof parked_messages
language sql stable as $$
    select * from parked_messages m
    where (parked_before is null or m.parked_at < parked_before) and (parked_from is null or m.parked_at >= parked_from)
$$;
