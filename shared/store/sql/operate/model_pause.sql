-- shard: operate/model_pause
-- Pauses a model on the shard.
--
-- $1 model, text

insert into paused_models (model) values ($1) on conflict do nothing
