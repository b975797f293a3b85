-- catalog: operate/worker_report
-- Stores what a worker says of itself, and forgets other workers that have been silent for long.
--
-- $1 worker, text: name of the worker
-- $2 model, text
-- $3 model_version, text
-- $4 tokens_per_second, double precision
-- $5 kept_for, double precision: seconds for which the report of a silent worker is kept

with
-- Reports of others that are too old. The worker's own is replaced below.
gone as (
    delete from worker_reports where reported_at < now() - make_interval(secs => $5) and worker <> $1
)
insert into worker_reports (worker, model, model_version, tokens_per_second) values ($1, $2, $3, $4)
on conflict (worker, model) do update set model_version = excluded.model_version,
    tokens_per_second = excluded.tokens_per_second, reported_at = now()
