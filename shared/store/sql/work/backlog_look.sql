-- shard: work/backlog_look
-- Counts what each model has that has not ended, for operators. Stores nothing and estimates no work.

select model, count(*) as jobs, sum(size_bytes)::bigint as bytes,
       greatest(extract(epoch from now() - min(due_at)), 0)::double precision as oldest_seconds,
       0::double precision as work_seconds
from dispatch group by model order by model
