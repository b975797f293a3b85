-- shard: operate/dead_list
-- A page of the dead jobs that match a filter, newest first. Histories are long and are left out.
--
-- $1 client, text: null matches every client; so it is with each part of the filter
-- $2 state, text: 'failed' or 'expired'
-- $3 kind, text: kind of the error
-- $4 model, text
-- $5 ended_before, timestamptz
-- $6 ended_from, timestamptz
-- $7 before, uuid: only jobs older than this one
-- $8 rows_max, bigint

select bucket, id, document_id, client_id, state, model, model_version, attempts, error_kind, error_detail, created_at, started_at,
       ended_at
from docket_dead_jobs($1, $2, $3, $4, $5, $6) where id < $7 order by id desc limit $8
