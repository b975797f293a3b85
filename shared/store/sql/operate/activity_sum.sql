-- catalog: operate/activity_sum
-- The weight of the clients whose work of a model waits, on all shards that reported lately.
--
-- $1 model, text
-- $2 holds_for, double precision: seconds for which a shard's report holds

select coalesce(sum(weight), 0) from shard_activity
where model = $1 and reported_at > now() - make_interval(secs => $2)
