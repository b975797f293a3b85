-- shard: operate/models_paused
-- The models that are paused on the shard, by name.

select model from paused_models order by model
