-- shard: operate/model_resume
-- Ends the pause of a model on the shard.
--
-- $1 model, text

delete from paused_models where model = $1
