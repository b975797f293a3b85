-- both: operate/roles_held
-- Those of the roles whose rights our role has.
--
-- $1 roles, text[]

select rolname::text from pg_roles where rolname = any ($1::text[]) and pg_has_role(oid, 'usage')
