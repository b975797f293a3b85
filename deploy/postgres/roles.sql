-- The services' roles: once on each PostgreSQL server, by a superuser or a role with CREATEROLE. It may be run again.
-- A role has nothing until `docket-producer migrate`, as the databases' owner, grants what its service needs (shared/store/src/shards/grants.rs).
-- Nobody can log in as one yet: set a password (alter role docket_worker login password '...'), or make logins that are members
-- of it (create role docket_worker_a login password '...' in role docket_worker), of which one can replace another.
do $$
declare
    service text;
begin
    foreach service in array array['docket_api', 'docket_dispatch', 'docket_worker'] loop
        if not exists (select from pg_roles where rolname = service) then
            execute format('create role %I nologin', service);
        end if;
    end loop;
end
$$;
