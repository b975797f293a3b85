-- both: operate/server_process
-- Process id of the server process that serves the connection.

select pg_backend_pid()
