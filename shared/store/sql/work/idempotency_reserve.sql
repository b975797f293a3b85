-- shard: work/idempotency_reserve
-- Reserves a client's key for a request, or renews the request's reservation, and returns what the key holds. No row:
-- another request inserted the key after this statement's snapshot was taken.
--
-- $1 bucket, smallint: the client's
-- $2 client, text
-- $3 key, text
-- $4 request, uuid
-- $5 reserved_for, double precision: seconds for which the reservation holds
-- $6 kept_for, double precision: seconds for which the key and its answer are kept

with
-- The key, where it is new, its reservation is over or this request's, or it is past its time.
taken as (
    insert into idempotency_keys as k (bucket, client_id, key, reserved_by, reserved_until, expires_at)
    values ($1, $2, $3, $4, now() + make_interval(secs => $5), now() + make_interval(secs => $6))
    on conflict (bucket, client_id, key) do update
        set reserved_by = excluded.reserved_by, reserved_until = excluded.reserved_until,
            expires_at = excluded.expires_at, fingerprint = null, answer = null
        where (k.answer is null and (k.reserved_until < now() or k.reserved_by = excluded.reserved_by))
           or k.expires_at < now()
    returning reserved_by, fingerprint, answer
)
select reserved_by, fingerprint, answer from taken
union all
select reserved_by, fingerprint, answer from idempotency_keys
where bucket = $1 and client_id = $2 and key = $3 and not exists (select 1 from taken)
