-- catalog: operate/worker_reports
-- The workers' last reports, the newest first.

select worker, model, model_version, tokens_per_second,
       extract(epoch from now() - reported_at)::double precision as seconds_ago
from worker_reports order by reported_at desc
