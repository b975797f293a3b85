//! PgBouncer in transaction mode in front of a world's databases.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::world::{Database, World};
use crate::{checkout, or_panic, stack};
use docket_local::certificates::Identity;
use docket_local::postgres::{Admin, Endpoint, give_to_server};
use docket_local::process::{Launch, Process};
use docket_local::state::write_private;
use docket_local::{deps, poll, ports};

/// How long a starting PgBouncer may take to answer: a tenth of a second on an idle machine.
const START_DEADLINE: Duration = Duration::from_secs(20);
/// Connections to one database: few, so that a test's clients really share them.
const POOL_SIZE: u16 = 4;
/// Limit of clients of a test: several pools of eight.
const CLIENTS_MAX: u16 = 200;

/// A running PgBouncer, which ends when dropped.
#[derive(Debug)]
pub struct PgBouncer {
    /// URL of the catalog through this PgBouncer.
    pub catalog_url: String,
    /// Names and URLs of the shards through this PgBouncer.
    pub shards: Vec<(String, String)>,
    folder: PathBuf,
    process: Option<Process>,
}

impl PgBouncer {
    /// Starts a PgBouncer for the databases of a world.
    pub async fn start(world: &World) -> Self {
        or_panic("start PgBouncer", Self::try_start(world, None).await)
    }

    /// The same, for TLS connections only.
    pub async fn start_with_tls(world: &World, identity: &Identity) -> Self {
        or_panic("start PgBouncer", Self::try_start(world, Some(identity)).await)
    }

    async fn try_start(world: &World, tls: Option<&Identity>) -> Result<Self> {
        let program = deps::ensure_pgbouncer(&checkout().state()?).await?;
        let state = &stack().await.state;
        let folder = state.join("pgbouncers").join(&world.id);
        std::fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
        let port = ports::pick()?;
        let endpoints = || world.databases().iter().map(|database| endpoint(database, port));
        write_configuration(&folder, world.databases(), port)?;
        if let Some(identity) = tls {
            demand_tls(&folder, identity)?;
        }
        let launch = Launch::new("pgbouncer", program, state, &folder.join("log")).as_nobody();
        let mut process = launch.arg(folder.join("pgbouncer.ini")).spawn().await?;
        poll::until("wait for PgBouncer", START_DEADLINE, async || {
            process.check()?;
            let database = &world.databases()[0].database;
            Ok(Admin::connect(&endpoint(&world.databases()[0], port), database)
                .await
                .ok())
        })
        .await?;
        let mut urls = world.databases().iter().zip(endpoints()).map(|(database, endpoint)| {
            let url = endpoint.url(&database.database);
            (endpoint.name, url)
        });
        let (_, catalog_url) = urls.next().context("a world has a catalog")?;
        Ok(Self {
            catalog_url,
            shards: urls.collect(),
            folder,
            process: Some(process),
        })
    }

    /// The settings by which one of our programs uses the world through this PgBouncer.
    pub fn env(&self, world: &World) -> HashMap<String, String> {
        let shards: Vec<_> = self.shards.iter().map(|(name, url)| format!("{name}={url}")).collect();
        let mut env = world.env();
        env.insert("DOCKET_CATALOG_URL".to_owned(), self.catalog_url.clone());
        env.insert("DOCKET_SHARD_URLS".to_owned(), shards.join(","));
        env.insert("DOCKET_PG_POOLER".to_owned(), "true".to_owned());
        env
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        drop(self.process.take());
        let _ = std::fs::remove_dir_all(&self.folder); // The next start of the stack removes the rest.
    }
}

fn endpoint(database: &Database, port: u16) -> Endpoint {
    Endpoint {
        port,
        ..database.cluster.clone()
    }
}

fn write_configuration(folder: &Path, databases: &[Database], port: u16) -> Result<()> {
    let mut text = "[databases]\n".to_owned();
    for Database { cluster, database, .. } in databases {
        let Endpoint {
            port, user, password, ..
        } = cluster;
        writeln!(
            text,
            "{database} = host=127.0.0.1 port={port} dbname={database} user={user} password={password}"
        )?;
    }
    let users = folder.join("users.txt");
    write!(
        text,
        "[pgbouncer]\n\
         listen_addr = 127.0.0.1\n\
         listen_port = {port}\n\
         unix_socket_dir =\n\
         auth_type = plain\n\
         auth_file = {}\n\
         pool_mode = transaction\n\
         max_client_conn = {CLIENTS_MAX}\n\
         default_pool_size = {POOL_SIZE}\n\
         server_login_retry = 1\n\
         query_wait_timeout = 10\n\
         ignore_startup_parameters = extra_float_digits\n",
        users.display()
    )?;
    let Endpoint { user, password, .. } = &databases[0].cluster;
    let user = format!("\"{user}\" \"{password}\"\n");
    for (path, content) in [(folder.join("pgbouncer.ini"), text), (users, user)] {
        write_private(&path, content.as_bytes())?;
        give_to_server(&path)?;
    }
    Ok(())
}

fn demand_tls(folder: &Path, identity: &Identity) -> Result<()> {
    let (certificate, key) = identity.write(folder)?;
    give_to_server(&certificate)?;
    give_to_server(&key)?;
    let mut configuration = OpenOptions::new().append(true).open(folder.join("pgbouncer.ini"))?;
    write!(
        configuration,
        "client_tls_sslmode = require\nclient_tls_cert_file = {}\nclient_tls_key_file = {}\n",
        certificate.display(),
        key.display()
    )
    .context("configure PgBouncer's TLS")
}
