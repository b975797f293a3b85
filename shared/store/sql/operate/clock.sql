-- both: operate/clock
-- The server's clock in seconds of the Unix epoch.

select extract(epoch from clock_timestamp())::double precision
