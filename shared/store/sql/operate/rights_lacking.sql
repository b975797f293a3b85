-- both: operate/rights_lacking
-- The tables and functions of ours that our role may not use as the one role of all services must, each with the right
-- that it lacks.
--
-- $1 only_read, text[]: tables that services only read

select c.relname::text, p from pg_class c cross join unnest(array['select', 'insert', 'update', 'delete']) p
where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname <> '_sqlx_migrations'
  and (p = 'select' or c.relname <> all ($1::text[])) and not has_table_privilege(c.oid, p)
union all
select p.proname::text, 'execute' from pg_proc p
where p.pronamespace = 'public'::regnamespace and not has_function_privilege(p.oid, 'execute')
union all
select 'schema public', 'usage' where not has_schema_privilege('public', 'usage')
order by 1, 2
