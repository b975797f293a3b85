-- shard: operate/client_control
-- Decides on a client. What is null stays as it is, or is the default if nothing was decided before.
--
-- $1 bucket, smallint: the client's
-- $2 client, text
-- $3 weight, real
-- $4 in_flight_max, integer: 0 takes the cap away
-- $5 paused, boolean
-- $6 weight_default, real: weight of a client on which nothing was decided

insert into client_controls as c (bucket, client_id, weight, in_flight_max, paused)
values ($1, $2, coalesce($3::real, $6), nullif($4, 0), coalesce($5, false))
on conflict (bucket, client_id) do update set weight = coalesce($3, c.weight),
    in_flight_max = nullif(coalesce($4, c.in_flight_max), 0), paused = coalesce($5, c.paused), changed_at = now()
