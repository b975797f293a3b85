//! What each service may do with each table: the one place that says it. `docket-producer migrate` grants it to the services'
//! roles where those exist (`deploy/postgres/roles.sql`), the doctor compares, and a test holds every table against it.
//!
//! A role that a release no longer lets do something loses that while services of the release before still run: take a right
//! away one release after the last statement that needs it.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::migrate::Schema;

/// A service that has a role of its own in the databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// The callers' and operators' HTTP API, with the hand-over of fresh jobs.
    Api,
    /// The dispatcher, the sweeper, and operators' commands.
    Dispatch,
    /// The workers, which run native code on strangers' files.
    Worker,
}

impl Service {
    /// Every service.
    pub const ALL: [Self; 3] = [Self::Api, Self::Dispatch, Self::Worker];

    /// Name of its role.
    pub const fn role(self) -> &'static str {
        match self {
            Self::Api => "docket_api",
            Self::Dispatch => "docket_dispatch",
            Self::Worker => "docket_worker",
        }
    }
}

const NOTHING: &str = "";
const READ: &str = "select";
/// Rows are locked or changed, none comes or goes. Locking alone takes the right to change, too.
const CHANGE: &str = "select, update";
/// Rows come, and none is looked at afterwards.
const ADD: &str = "insert";
const ADD_CHANGE: &str = "select, insert, update";
const ADD_REMOVE: &str = "select, insert, delete";
const CHANGE_REMOVE: &str = "select, update, delete";
const REMOVE: &str = "select, delete";
const ALL: &str = "select, insert, update, delete";

/// A table or view, and what the services may do with it, in the order of [`Service::ALL`].
pub struct Table {
    /// Its name.
    pub name: &'static str,
    rights: [&'static str; 3],
}

const fn table(name: &'static str, api: &'static str, dispatch: &'static str, worker: &'static str) -> Table {
    Table {
        name,
        rights: [api, dispatch, worker],
    }
}

/// The catalog's. Only `migrate` and resharding, as the owner, write the map. What only the doctor reads may be read by producers
/// of either role.
const CATALOG: &[Table] = &[
    table("_sqlx_migrations", READ, READ, READ),
    table("shard_maps", READ, READ, READ),
    table("shards", READ, READ, NOTHING),
    table("worker_reports", READ, READ, ALL),
    table("shard_activity", NOTHING, ADD_CHANGE, NOTHING),
    table("parked_messages", REMOVE, ADD_REMOVE, NOTHING),
    table("audit", ADD_CHANGE, ADD_CHANGE, NOTHING),
];

/// A shard's. Nobody deletes documents or jobs.
const SHARD: &[Table] = &[
    table("_sqlx_migrations", READ, READ, READ),
    table("shard_identity", READ, READ, READ),
    table("bucket_owners", READ, READ, READ),
    table("documents", ADD_CHANGE, READ, READ),
    table("jobs", ADD_CHANGE, CHANGE, CHANGE),
    table("dispatch", ALL, ALL, CHANGE_REMOVE),
    table("current_jobs", READ, READ, NOTHING),
    table("entities", READ, NOTHING, ADD),
    table("idempotency_keys", ALL, REMOVE, NOTHING),
    table("client_controls", ADD_CHANGE, ADD_CHANGE, READ),
    table("paused_models", ADD_REMOVE, ADD_REMOVE, READ),
    table("backlogs", READ, ALL, NOTHING),
    table("leases", READ, ADD_CHANGE, NOTHING),
    table("gaps", READ, ADD_REMOVE, NOTHING),
];

/// The tables and views of a schema.
pub fn tables(schema: Schema) -> &'static [Table] {
    match schema {
        Schema::Catalog => CATALOG,
        Schema::Shard => SHARD,
    }
}

/// Each table with each right that one of the services has on it.
pub fn rights(schema: Schema, service: Service) -> impl Iterator<Item = (&'static str, &'static str)> {
    let on = move |table: &'static Table| {
        let rights = table.rights[service as usize]
            .split(", ")
            .filter(|right| !right.is_empty());
        rights.map(|right| (table.name, right))
    };
    tables(schema).iter().flat_map(on)
}

/// Number of the lock under which rights are granted: two migrations at once would trip over each other.
const LOCK: i64 = 3_341;

/// Grants the roles that exist what their services need, and takes from them what they do not.
pub(super) async fn grant(connection: &mut PgConnection, schema: Schema) -> sqlx::Result<()> {
    let mut tx = connection.begin().await?;
    let lock = sqlx::query("select pg_advisory_xact_lock($1)").bind(LOCK);
    lock.execute(&mut *tx).await?;
    for service in Service::ALL {
        let role = service.role();
        let exists = sqlx::query_scalar("select exists (select from pg_roles where rolname = $1)").bind(role);
        if exists.fetch_one(&mut *tx).await? {
            sqlx::raw_sql(AssertSqlSafe(statements(schema, service)))
                .execute(&mut *tx)
                .await?;
        }
    }
    tx.commit().await
}

fn statements(schema: Schema, service: Service) -> String {
    let role = service.role();
    let names: Vec<&str> = tables(schema).iter().map(|table| table.name).collect();
    let granted = rights(schema, service).map(|(table, right)| format!("grant {right} on {table} to {role};\n"));
    format!(
        "revoke all on {} from {role};\n{}grant usage on schema public to {role};\n\
         grant execute on all functions in schema public to {role};\n",
        names.join(", "),
        granted.collect::<String>()
    )
}
