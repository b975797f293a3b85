-- shard: operate/client_controls
-- What operators decided on a client; no row when they decided nothing.
--
-- $1 bucket, smallint: the client's
-- $2 client, text

select weight, in_flight_max, paused from client_controls where bucket = $1 and client_id = $2
