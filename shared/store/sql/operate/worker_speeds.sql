-- catalog: operate/worker_speeds
-- Mean tokens a second of one worker, by model. Of each model those reports count that are nearly as new as its newest.
--
-- $1 within, double precision: seconds before the newest report of the model

select model, avg(tokens_per_second) from (
    select model, tokens_per_second, reported_at, max(reported_at) over (partition by model) as newest
    from worker_reports where tokens_per_second > 0) said
where reported_at > newest - make_interval(secs => $1) group by model
