-- shard: work/accept
-- Writes what an accepted job needs: its document if that is new, the job, and the job's dispatch row. Returns the
-- token of the lease when the accepting process is to publish the job itself, and null when the dispatcher is.
--
-- The accepting process publishes a job at once in two cases:
-- - No other due job of the model waits, and at most `$16` are in the broker, so that workers take what comes. With more
--   in the broker, a burst would be there before the dispatcher has seen it, and other clients' jobs would stand behind.
-- - The job is interactive, and its client has no other such job waiting and fewer than `$17` in flight. The dispatcher
--   would choose that job next however much others have waiting, and waiting for the dispatcher would only cost time.
-- The conditions read a bounded number of rows. Requests that are accepted at the same moment do not see one another, so
-- that the numbers are only about kept.
--
-- $1 bucket, smallint: the client's
-- $2 document, uuid
-- $3 client, text
-- $4 job, uuid
-- $5 model, text
-- $6 model_version, text: null when the caller asked for none
-- $7 trace_parent, text: W3C trace context of the request
-- $8 lease, uuid: token of the lease, if the accepting process would publish the job; otherwise null
-- $9 size_bytes, bigint: size of the document
-- $10 priority, text
-- $11 not_before, timestamptz: when the job is due; null, or a time that has passed, is now
-- $12 deadline, timestamptz
-- $13 lease_seconds, double precision: how long the lease holds
-- $14 waiting_max, bigint: with more waiting jobs of the model the first case does not hold; limit of `waiting` less 1
-- $15 queued_max, bigint: with more jobs of the model in the broker neither case holds; limit of `published` less 1
-- $16 queued_few, bigint: jobs of the model in the broker, at most, in the first case
-- $17 own_few, integer: with this many jobs in flight a client has no second case
-- $18 external_id, text: the caller's own id of the document
-- $19 file_name, text: the caller's name for the document
-- $20 media_type, text
-- $21 metadata, jsonb: the caller's own data, for the release before metadata_sent
-- $22 sha256, bytea: of the document
-- $23 blob_key, text: where the document is stored; null when its row is there already
-- $24 metadata_sent, text: the caller's own data as they were sent
-- $25 pages, text: the pages that are to be read, as 2-9,12; null for all

with
-- The document, unless its row is there already.
document as (
    insert into documents (bucket, id, client_id, size_bytes, external_id, file_name, media_type, metadata, sha256, blob_key,
                           metadata_sent, pages)
    select $1, $2, $3, $9, $18, $19, $20, $21, $22, $23, $24, $25 where $23::text is not null
),
-- The job.
job as (
    insert into jobs (bucket, id, document_id, client_id, model, model_version, trace_parent, priority, deadline)
    values ($1, $4, $2, $3, $5, $6, $7, $10, $12)
),
-- Some waiting jobs of the model, whoever's, and whether each is due and not leased. The limit is a number here and not
-- a parameter: PostgreSQL would not know how few rows are read, and would plan this statement anew each time, which
-- takes longer than running it.
waiting as (
    select due_at <= now() and (lease_until is null or lease_until < now()) as free
    from dispatch where model = $5 and state = 'waiting' limit 33
),
-- How many jobs of the model are in the broker, counted up to the limit, which is a number for the same reason.
published as (
    select count(*) as jobs from (select 1 from dispatch where model = $5 and state = 'queued' limit 17) of_model
),
-- What an operator decided on the client.
control as (
    select in_flight_max, paused from client_controls where bucket = $1 and client_id = $3
),
-- How many jobs the client has in flight, of any model, and whether another job of the second case waits. It reads as
-- many rows as the client may have in flight.
own as (
    select count(*) as jobs, coalesce(bool_or(free), false) as waits from (
        select false as free from dispatch where client_id = $3 and state in ('queued', 'running')
        union all
        select lease_until is null or lease_until < now() from dispatch
        where client_id = $3 and state = 'waiting' and model = $5 and priority = 'interactive' and due_at <= now()
        limit (select coalesce(max(in_flight_max), $17) from control)
    ) of_client
),
-- Whether the accepting process publishes the job at once.
at_once as (
    select $8::uuid is not null
       and (published.jobs <= $16 and (select count(*) <= $14 and not coalesce(bool_or(free), false) from waiting)
            or $10 = 'interactive' and own.jobs < $17 and not own.waits)
       and own.jobs < coalesce(control.in_flight_max, own.jobs + 1)
       and published.jobs <= $15
       and coalesce($11 <= now(), true)
       and not coalesce(control.paused, false)
       and not exists (select 1 from paused_models where model = $5) as yes
    from own cross join published left join control on true
)
insert into dispatch (bucket, job_id, client_id, model, size_bytes, trace_parent, priority, due_at, deadline,
                      lease_token, lease_until)
select $1, $4, $3, $5, $9, $7, $10, greatest($11, now()), $12,
       case when yes then $8::uuid end, case when yes then now() + make_interval(secs => $13) end from at_once
returning lease_token
