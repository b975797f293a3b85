//! The superuser's work in a cluster: makes, copies, closes and drops databases.

use anyhow::{Context, Result};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};

use super::{Endpoint, Login};

/// A superuser's connection to one database. Names passed to its functions must need no escaping.
#[derive(Debug)]
pub struct Admin {
    connection: PgConnection,
}

impl Admin {
    /// Connects to a database of a cluster as its superuser.
    pub async fn connect(endpoint: &Endpoint, database: &str) -> Result<Self> {
        let options = PgConnectOptions::new()
            .host("127.0.0.1")
            .port(endpoint.port)
            .username(&endpoint.user)
            .password(&endpoint.password)
            .database(database)
            .application_name("docket-local");
        let connection = options.connect().await;
        let connection = connection.with_context(|| format!("connect to {} of {}", database, endpoint.name))?;
        Ok(Self { connection })
    }

    /// Whether a database of this name exists.
    pub async fn exists(&mut self, database: &str) -> Result<bool> {
        let query = sqlx::query_scalar("select exists (select from pg_database where datname = $1)").bind(database);
        query
            .fetch_one(&mut self.connection)
            .await
            .context("look for a database")
    }

    /// Names of the databases that begin with `prefix`.
    pub async fn databases(&mut self, prefix: &str) -> Result<Vec<String>> {
        let query = sqlx::query_scalar("select datname::text from pg_database where starts_with(datname::text, $1)");
        query
            .bind(prefix)
            .fetch_all(&mut self.connection)
            .await
            .context("list databases")
    }

    /// Makes an empty database that belongs to the owner's login.
    pub async fn create(&mut self, database: &str) -> Result<()> {
        self.execute(format!("create database {database} owner {}", Login::Owner.name()))
            .await
    }

    /// Whether a database belongs to the owner's login; older databases may belong to the superuser.
    pub async fn has_owner(&mut self, database: &str) -> Result<bool> {
        let query = sqlx::query_scalar(
            "select exists (select from pg_database where datname = $1 and pg_get_userbyid(datdba) = $2)",
        );
        let query = query.bind(database).bind(Login::Owner.name());
        query
            .fetch_one(&mut self.connection)
            .await
            .context("ask for a database's owner")
    }

    /// Makes a database as a copy of another, to which no client may be connected.
    pub async fn copy(&mut self, from: &str, to: &str) -> Result<()> {
        let owner = Login::Owner.name();
        self.execute(format!("create database {to} template {from} owner {owner}"))
            .await
    }

    /// Drops a database and closes all connections to it. An absent database is no error.
    pub async fn drop(&mut self, database: &str) -> Result<()> {
        self.execute(format!("drop database if exists {database} with (force)"))
            .await
    }

    /// Renames a database, after closing the connections to it.
    pub async fn rename(&mut self, from: &str, to: &str) -> Result<()> {
        self.disconnect_all(from).await?;
        self.execute(format!("alter database {from} rename to {to}")).await
    }

    /// Refuses new connections to a database and closes the open ones.
    pub async fn close(&mut self, database: &str) -> Result<()> {
        self.execute(format!("alter database {database} allow_connections false"))
            .await?;
        self.disconnect_all(database).await
    }

    /// Lets clients connect again to a closed database.
    pub async fn open(&mut self, database: &str) -> Result<()> {
        self.execute(format!("alter database {database} allow_connections true"))
            .await
    }

    /// Closes all connections to a database, and waits until they are gone.
    pub async fn disconnect_all(&mut self, database: &str) -> Result<()> {
        let query = sqlx::query(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()",
        );
        query
            .bind(database)
            .execute(&mut self.connection)
            .await
            .map(drop)
            .context("close connections")
    }

    /// Waits for a lock of the whole cluster, held until this connection closes.
    pub async fn lock(&mut self, key: i64) -> Result<()> {
        let query = sqlx::query("select pg_advisory_lock($1)").bind(key);
        query
            .execute(&mut self.connection)
            .await
            .map(drop)
            .context("take an advisory lock")
    }

    /// Closes the connection.
    pub async fn disconnect(self) {
        let _ = self.connection.close().await; // The server also notices a lost connection.
    }

    async fn execute(&mut self, statement: String) -> Result<()> {
        let outcome = sqlx::query(AssertSqlSafe(statement.clone()))
            .execute(&mut self.connection)
            .await;
        outcome.map(drop).with_context(|| statement)
    }

    /// Runs statements whose text may hold a secret.
    pub(super) async fn run(&mut self, statements: &str) -> Result<()> {
        let outcome = sqlx::raw_sql(AssertSqlSafe(statements.to_owned()))
            .execute(&mut self.connection)
            .await;
        outcome.map(drop).context("run statements")
    }
}
