-- both: operate/server
-- What the server says of itself, of its settings as they hold for our role, and of the role.

with
-- The settings.
s as (
    select name, setting from pg_settings
)
select current_setting('server_version') as version, current_setting('server_version_num')::int as version_number,
       current_setting('wal_level') as wal_level,
       (select pg_encoding_to_char(encoding)::text from pg_database where datname = current_database()) as encoding,
       current_setting('max_connections')::int - (select sum(setting::int)::int from s
           where name in ('superuser_reserved_connections', 'reserved_connections')) as connections_max,
       (select sum(numbackends)::bigint from pg_stat_database) as connections,
       pg_is_in_recovery() as standby, current_setting('transaction_read_only')::bool as read_only,
       current_setting('default_transaction_isolation') as isolation,
       (select setting::bigint from s where name = 'statement_timeout') as statement_timeout,
       coalesce((select setting::bigint from s where name = 'transaction_timeout'), 0) as transaction_timeout,
       array(select name || ' = off' from s where setting = 'off'
             and name in ('fsync', 'synchronous_commit', 'full_page_writes') order by 1) as not_durable,
       current_user::text as role
