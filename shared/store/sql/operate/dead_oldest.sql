-- shard: operate/dead_oldest
-- Where the oldest dead jobs are that match a filter, oldest first.
--
-- $1 client, text: null matches every client; so it is with each part of the filter
-- $2 state, text: 'failed' or 'expired'
-- $3 kind, text: kind of the error
-- $4 model, text
-- $5 ended_before, timestamptz
-- $6 ended_from, timestamptz
-- $7 after, uuid: only jobs newer than this one
-- $8 rows_max, bigint

select bucket, id from docket_dead_jobs($1, $2, $3, $4, $5, $6) where id > $7 order by id limit $8
