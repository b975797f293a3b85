-- shard: operate/model_known
-- Whether the shard has open jobs for a model, or holds them back. Each state has an index that begins with the model.
--
-- $1 model, text

select exists (select 1 from paused_models where model = $1)
    or exists (select 1 from dispatch where model = $1 and state = 'waiting')
    or exists (select 1 from dispatch where model = $1 and state = 'queued')
    or exists (select 1 from dispatch where model = $1 and state = 'running')
