-- shard: work/claim
-- Grants a job to a worker unless something forbids that, and says what forbade it. The one statement locks the job's
-- row, counts a crash if the claim before died, and grants the claim. Returns no row when the job has no dispatch row.
-- A job that is queued but not due, or paused, is set waiting, so that it is published again when it may be.
--
-- $1 bucket, smallint: the job's
-- $2 job, uuid
-- $3 token, uuid: the token of the new claim; the same token as before continues the claim
-- $4 worker, text: name of the worker
-- $5 alone, boolean: whether nothing else runs on the worker
-- $6 takeover_after, double precision: seconds; a claim that is silent for longer is dead
-- $7 suspect_crashes, integer: with this many crashes in company a job runs only alone
-- $8 poison_crashes, integer: with this many crashes alone a job is poison
-- $9 crashed, jsonb: entry of the history for the claim that died
-- $10 claimed, jsonb: entry of the history for the new claim
-- $11 postponed, jsonb: entry of the history for a job that is set waiting
-- $12 ocr_busy, text: reason in the history of a job that waited for a place among scans

with
-- The job's row, locked. `other`: another claim runs it. `dead`: that claim is silent for too long.
found as (
    select d.*, d.state = 'running' and d.claim_token <> $3 as other,
           d.state = 'running' and d.claim_token <> $3 and d.heartbeat_at < now() - make_interval(secs => $6) as dead
    from dispatch d where d.bucket = $1 and d.job_id = $2 for update
),
-- Its crashes, with the one of the dead claim. `early`: it is not due. `paused`: its client or model is. `late`: its
-- deadline passed, and no living claim runs it.
counted as (
    select f.*, n.crashes as crashes_now, n.lone_crashes as lone_crashes_now,
           f.state <> 'running' and f.due_at > now() as early,
           f.state <> 'running' and (
               exists (select 1 from client_controls c
                       where c.bucket = f.bucket and c.client_id = f.client_id and c.paused)
               or exists (select 1 from paused_models p where p.model = f.model)) as paused,
           coalesce(f.deadline <= now(), false) and (f.state <> 'running' or f.dead) as late
    from found f cross join lateral docket_crashes(f.crashes, f.lone_crashes, f.alone, f.dead) n
),
-- What the crashes say of it. Every statement below reads the row as it stands here, under the lock: the snapshot of
-- this statement may be from before the row was marked published.
judged as (
    select c.*, c.lone_crashes_now >= $8 as poison, c.crashes_now >= $7 and not $5 as suspect from counted c
),
-- A job that may not run yet is set waiting. If its message came before the row was marked published, the row waits
-- already, and loses its lease: the later mark would leave a queued row without a message.
postponed as (
    update dispatch d set state = 'waiting', published_at = null, lease_token = null, lease_until = null,
        history = case when j.state = 'waiting' then d.history else docket_history(d.history, $11 || jsonb_build_object(
            'at', clock_timestamp(), 'reason', case when j.early then 'not due' else 'paused' end)) end
    from judged j
    where d.bucket = j.bucket and d.job_id = j.job_id and (j.early or j.paused) and not j.late
      and (j.state = 'queued' or j.lease_token is not null)
),
-- The history of a job that is now poison tells of its last crash. The caller ends the job in the same transaction.
condemned as (
    update dispatch d set history = docket_history(d.history, $9 || jsonb_build_object(
            'at', clock_timestamp(), 'worker', d.worker, 'model', d.model))
    from judged j where d.bucket = j.bucket and d.job_id = j.job_id and j.dead and j.poison and not j.late
),
-- The claim, if nothing forbids it. An attempt is counted unless the same claim goes on.
granted as (
    update dispatch d set state = 'running', claim_token = $3, worker = $4, alone = $5, claimed_at = clock_timestamp(),
        heartbeat_at = clock_timestamp(), progress = null, lease_token = null, lease_until = null,
        crashes = j.crashes_now, lone_crashes = j.lone_crashes_now,
        attempt = d.attempt + (d.claim_token is distinct from $3)::int,
        history = case when d.claim_token = $3 then d.history else docket_history(
            case when j.dead then docket_history(d.history, $9 || jsonb_build_object(
                     'at', clock_timestamp(), 'worker', d.worker, 'model', d.model))
                 else d.history end,
            $10 || jsonb_build_object('at', clock_timestamp())) end
    from judged j
    where d.bucket = j.bucket and d.job_id = j.job_id
      and not j.early and not j.paused and not j.late and (not j.other or j.dead) and not j.poison and not j.suspect
    returning d.bucket, d.job_id, d.attempt, d.errors, d.tried_since
)
select j.late, j.early, j.paused, j.other and not j.dead as alive, j.poison, j.suspect, j.claim_token as last_token,
       g.attempt, g.errors, extract(epoch from now() - coalesce(g.tried_since, now()))::double precision as tried_for,
       extract(epoch from now() - case when j.claimed_at is null then greatest(j.created_at, j.due_at)
                                       else j.created_at end)::double precision as awaited,
       extract(epoch from now() - j.due_at)::double precision as due, j.priority,
       j.history @> jsonb_build_array(jsonb_build_object('reason', $12::text)) as is_scan,
       d.client_id, d.id as document_id, d.blob_key, d.file_name, d.media_type, d.pages, d.depth, d.size_bytes, w.model, w.model_version
from judged j
left join granted g on true
join jobs w on w.bucket = j.bucket and w.id = j.job_id
join documents d on d.bucket = w.bucket and d.id = w.document_id
