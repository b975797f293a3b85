-- catalog: operate/activity_report
-- Stores how much weight the clients have whose work of a model waits on a shard.
--
-- $1 shard, text
-- $2 model, text
-- $3 weight, double precision: of all these clients together

insert into shard_activity (shard, model, weight) values ($1, $2, $3)
on conflict (shard, model) do update set weight = excluded.weight, reported_at = now()
