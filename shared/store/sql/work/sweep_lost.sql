-- shard: work/sweep_lost
-- Jobs that were published long ago and not claimed: their messages are lost.
--
-- $1 rows_max, bigint
-- $2 lost_after, double precision: seconds after its publication in which a message is claimed or lost

select bucket, job_id, claim_token from dispatch
where state = 'queued' and published_at < now() - make_interval(secs => $2) limit $1
