-- catalog: operate/audit_list
-- What operators did, newest first.
--
-- $1 before, uuid: only actions older than this one
-- $2 rows_max, bigint

select * from audit where id < $1 order by id desc limit $2
