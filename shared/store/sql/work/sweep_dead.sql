-- shard: work/sweep_dead
-- Jobs whose claims have been silent for so long that nobody will take them over. None where the shard itself was away
-- in that time: then the shard is the reason for the silence, and hears of its claims first.
--
-- $1 rows_max, bigint
-- $2 silent_for, double precision: seconds

select bucket, job_id, claim_token from dispatch
where state = 'running' and heartbeat_at < now() - make_interval(secs => $2)
  and not exists (select 1 from gaps where ended > now() - make_interval(secs => $2)) limit $1
