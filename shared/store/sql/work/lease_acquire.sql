-- shard: work/lease_acquire
-- Takes or renews a lease of the shard. Changes no row when another holder has it. Where nobody had the lease for long
-- before, that time is stored as a gap in the same statement: nothing is swept before the gap is known.
--
-- $1 name, text: the lease's
-- $2 holder, uuid
-- $3 seconds, double precision: how long the lease holds
-- $4 gap_min, double precision: seconds without a holder that make a gap

with
-- When the lease ended, or will end, before this statement.
before as (
    select until from leases where name = $1
),
-- The gap, if it is long enough.
noted as (
    insert into gaps (began, ended) select until, now() from before
    where until < now() - make_interval(secs => $4) on conflict do nothing
)
insert into leases (name, holder, until) values ($1, $2, now() + make_interval(secs => $3))
on conflict (name) do update set holder = excluded.holder, until = excluded.until
where leases.holder = excluded.holder or leases.until <= now()
