//! What each service may do with each table and view. `docket-producer migrate` grants it to the services' roles where
//! those exist (`deploy/postgres/roles.sql`), the doctor compares it, and a test fails for a table without a line here.
//! Every service may execute every function.
//!
//! `migrate` takes a right away while services of the release before still run. So remove a right here one release
//! after the last statement that needs it.

use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use crate::shards::schema::Schema;
use crate::sql::sql;

/// A service that has a role of its own in the databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// The callers' and operators' HTTP API, with the hand-over of fresh jobs.
    Api,
    /// The dispatcher, the sweeper, and operators' commands.
    Dispatch,
    /// The workers. They run native code on files from outside, and so may do least.
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
/// Rows are locked or changed. PostgreSQL asks for the right to change a row that is only locked, too.
const CHANGE: &str = "select, update";
/// Rows are added and never read.
const ADD: &str = "insert";
const ADD_READ: &str = "select, insert";
const ADD_CHANGE: &str = "select, insert, update";
const ADD_REMOVE: &str = "select, insert, delete";
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

/// Tables of the catalog. Only the owner writes the map: `migrate` and resharding. Tables that only the doctor reads
/// are readable for both roles of producers, since either may run it.
const CATALOG: &[Table] = &[
    table("_sqlx_migrations", READ, READ, READ),
    table("shard_maps", READ, READ, READ),
    table("shards", READ, READ, NOTHING),
    table("worker_reports", READ, READ, ALL),
    table("shard_activity", NOTHING, ADD_CHANGE, NOTHING),
    table("parked_messages", REMOVE, ADD_REMOVE, NOTHING),
    table("audit", ADD_CHANGE, ADD_CHANGE, NOTHING),
];

/// Tables and views of a shard. Nobody deletes documents or jobs.
const SHARD: &[Table] = &[
    table("_sqlx_migrations", READ, READ, READ),
    table("shard_identity", READ, READ, READ),
    table("bucket_owners", READ, READ, READ),
    // A worker adds the files within a document as documents of their own, and ends jobs.
    table("documents", ADD_CHANGE, READ, ADD_READ),
    table("jobs", ADD_CHANGE, CHANGE, ADD_CHANGE),
    table("dispatch", ALL, ALL, ALL),
    table("current_jobs", READ, READ, NOTHING),
    table("dead_jobs", READ, READ, NOTHING),
    table("waiting_kinds", READ, READ, NOTHING),
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

/// Each table with each right that the service has on it.
pub fn rights(schema: Schema, service: Service) -> impl Iterator<Item = (&'static str, &'static str)> {
    let on = move |table: &'static Table| {
        let rights = table.rights[service as usize]
            .split(", ")
            .filter(|right| !right.is_empty());
        rights.map(|right| (table.name, right))
    };
    tables(schema).iter().flat_map(on)
}

/// Number of the lock under which rights are granted. Without it two migrations at once would fail on each other's
/// changes.
const LOCK: i64 = 3_341;

/// Grants the roles that exist what their services need, and takes everything else from them.
pub(super) async fn grant(connection: &mut PgConnection, schema: Schema) -> sqlx::Result<()> {
    let mut tx = connection.begin().await?;
    sql!("shards/lock").bind(LOCK).execute(&mut *tx).await?;
    for service in Service::ALL {
        let role = service.role();
        let exists = sql!("shards/role_exists").bind(role).fetch_one(&mut *tx).await?;
        if exists.try_get(0)? {
            sqlx::raw_sql(AssertSqlSafe(statements(schema, service)))
                .execute(&mut *tx)
                .await?;
        }
    }
    tx.commit().await
}

/// What grants a service's role its rights. Made from the table above, and so in no file.
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
