-- both: shards/role_exists
-- Whether a role exists.
--
-- $1 role, text

select exists (select from pg_roles where rolname = $1::text)
