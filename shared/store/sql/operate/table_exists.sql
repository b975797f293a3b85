-- both: operate/table_exists
-- Whether a table exists.
--
-- $1 table, text

select to_regclass($1) is not null
