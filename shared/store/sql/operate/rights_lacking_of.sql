-- both: operate/rights_lacking_of
-- Those of the rights on tables that our role lacks.
--
-- $1 tables, text[]: one for each right
-- $2 rights, text[]

select distinct n.name, n.may from unnest($1::text[], $2::text[]) as n(name, may)
where not has_table_privilege(to_regclass(n.name), n.may) order by 1, 2
