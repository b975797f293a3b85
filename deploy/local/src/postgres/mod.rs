//! Private PostgreSQL clusters with their own folders and ports, on loopback only, never run as root.

mod admin;
mod logins;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use crate::checkout::is_superuser;
use crate::poll;
use crate::process::{Launch, Process};
use crate::state::{StateDir, write_private};

pub use admin::Admin;
pub use logins::Login;

/// How long a starting cluster may take to answer, crash recovery included.
const START_DEADLINE: Duration = Duration::from_secs(60);
/// How long a stopping cluster may take to write its last checkpoint.
const STOP_DEADLINE: Duration = Duration::from_secs(20);
/// How long a start is retried while children of a killed predecessor still hold its shared memory.
const PREDECESSOR_DEADLINE: Duration = Duration::from_secs(15);
/// Limit of connections of one cluster: a test binary runs many worlds at once, each with several pools of eight.
const CONNECTIONS_MAX: u16 = 300;

/// How to reach a cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Endpoint {
    /// `catalog`, or the name of a shard.
    pub name: String,
    /// Port on the loopback interface.
    pub port: u16,
    /// Name of the superuser.
    pub user: String,
    /// Password of the superuser.
    pub password: String,
}

impl Endpoint {
    /// `postgres://` URL of a database whose name needs no escaping.
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://{}:{}@127.0.0.1:{}/{database}",
            self.user, self.password, self.port
        )
    }
}

/// Where a cluster lives and how it runs.
#[derive(Debug)]
pub struct ClusterOptions {
    /// Folder of the cluster's data.
    pub folder: PathBuf,
    /// State folder of the stack that owns the cluster.
    pub owner: PathBuf,
    /// Folder of PostgreSQL's programs.
    pub programs: PathBuf,
    /// Port, user and password that the cluster will have.
    pub endpoint: Endpoint,
    /// Whether committed data survives a power loss.
    pub durable: bool,
}

impl ClusterOptions {
    /// A cluster in a subfolder of a stack's state, with the port and the password of last time.
    pub fn of_stack(state: &mut StateDir, name: &str, programs: &Path, durable: bool) -> Result<Self> {
        let endpoint = Endpoint {
            name: name.to_owned(),
            port: state.port(&format!("postgres-{name}"))?,
            user: "docket".to_owned(),
            password: state.secret("postgres")?,
        };
        Ok(Self {
            folder: state.path().join("postgres").join(name),
            owner: state.path().to_owned(),
            programs: programs.to_owned(),
            endpoint,
            durable,
        })
    }
}

/// A running PostgreSQL cluster.
#[derive(Debug)]
pub struct Cluster {
    options: ClusterOptions,
    server: Process,
}

impl Cluster {
    /// Starts the cluster, and makes it first if it is new.
    pub async fn start(options: ClusterOptions) -> Result<Self> {
        let name = options.endpoint.name.clone();
        Self::start_or_explain(options)
            .await
            .with_context(|| format!("start PostgreSQL for {name}"))
    }

    async fn start_or_explain(options: ClusterOptions) -> Result<Self> {
        let folder = &options.folder;
        fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
        give_to_server(folder)?;
        if !folder.join("PG_VERSION").exists() {
            create(&options).await?;
        }
        let server = poll::until("a killed predecessor", PREDECESSOR_DEADLINE, async || {
            let mut server = launch(&options).spawn().await?;
            let answered = wait_until_up(&mut server, &options.endpoint).await;
            match answered {
                Err(_) if is_predecessor_alive(&log_of(&options)) => Ok(None),
                Err(error) => Err(error),
                Ok(()) => Ok(Some(server)),
            }
        });
        let server = server.await?;
        logins::make(&options.endpoint).await?;
        Ok(Self { options, server })
    }

    /// Port, user and password of the cluster.
    pub fn endpoint(&self) -> &Endpoint {
        &self.options.endpoint
    }

    /// An error if the cluster has ended by itself.
    pub fn check(&mut self) -> Result<()> {
        self.server.check()
    }

    /// Stops the cluster: rolls back open transactions, writes committed data. The returned options start it again.
    pub async fn stop(self) -> ClusterOptions {
        self.server.stop(Signal::INT, STOP_DEADLINE).await;
        self.options
    }

    /// Kills the postmaster as `kill -9` does; the cluster's other processes notice and end.
    pub async fn kill9(self) -> ClusterOptions {
        self.server.kill().await;
        self.options
    }

    /// Process id of the postmaster.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }
}

fn log_of(options: &ClusterOptions) -> PathBuf {
    options.folder.with_extension("log")
}

fn program(options: &ClusterOptions, name: &str) -> Launch {
    Launch::new(name, options.programs.join(name), &options.owner, &log_of(options))
        .env("TZ", "UTC")
        .as_nobody()
        .interrupt_on_parent_death()
}

async fn create(options: &ClusterOptions) -> Result<()> {
    let password_file = options.folder.with_extension("password");
    write_private(&password_file, options.endpoint.password.as_bytes())?;
    give_to_server(&password_file)?;
    // A draft, so that a launcher killed meanwhile leaves nothing that looks like a cluster.
    let draft = options.folder.with_extension("draft");
    remove_folder(&draft)?;
    fs::create_dir_all(&draft)?;
    give_to_server(&draft)?;
    let initdb = program(options, "initdb")
        .arg("--pgdata")
        .arg(&draft)
        .arg("--username")
        .arg(&options.endpoint.user)
        .arg("--pwfile")
        .arg(&password_file);
    let initdb = initdb
        .arg("--auth=scram-sha-256")
        .arg("--encoding=UTF8")
        .arg("--locale=C.UTF-8");
    let initdb = if options.durable {
        initdb
    } else {
        initdb.arg("--no-sync")
    };
    let made = initdb.run().await;
    let _ = fs::remove_file(&password_file); // If the file stays, the next `write_private` replaces it.
    made?;
    remove_folder(&options.folder)?;
    fs::rename(&draft, &options.folder).context("move the new cluster into place")
}

fn remove_folder(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn launch(options: &ClusterOptions) -> Launch {
    let port = options.endpoint.port;
    let mut settings = vec![
        format!("port={port}"),
        "listen_addresses=127.0.0.1".to_owned(),
        "unix_socket_directories=".to_owned(),
        format!("max_connections={CONNECTIONS_MAX}"),
        "wal_level=logical".to_owned(),
        "max_wal_senders=20".to_owned(),
        "max_replication_slots=20".to_owned(),
        "max_worker_processes=16".to_owned(),
        "shared_buffers=64MB".to_owned(),
        "timezone=UTC".to_owned(),
        "log_lock_waits=on".to_owned(),
        "log_min_duration_statement=1s".to_owned(),
        "autovacuum_naptime=10s".to_owned(),
    ];
    if !options.durable {
        settings.extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off"].map(str::to_owned));
    }
    let postgres = program(options, "postgres").arg("-D").arg(&options.folder);
    settings
        .into_iter()
        .fold(postgres, |launch, setting| launch.arg("-c").arg(setting))
}

async fn wait_until_up(server: &mut Process, endpoint: &Endpoint) -> Result<()> {
    poll::until("wait for PostgreSQL", START_DEADLINE, async || {
        server.check()?;
        Ok(Admin::connect(endpoint, "postgres").await.ok())
    })
    .await
    .map(drop)
}

/// Whether the server just refused to start because children of a killed server still run.
fn is_predecessor_alive(log: &Path) -> bool {
    let end = crate::process::tail(log, 6);
    [
        "pre-existing shared memory block",
        "lock file \"postmaster.pid\" already exists",
    ]
    .iter()
    .any(|sign| end.contains(sign))
}

/// Gives a file or folder to the server's user, and the files within unless they belong to that user already.
pub fn give_to_server(path: &Path) -> Result<()> {
    let found = fs::metadata(path).with_context(|| format!("look at {}", path.display()))?;
    if !is_superuser() || found.uid() == crate::process::NOBODY {
        return Ok(());
    }
    let nobody = Some(crate::process::NOBODY);
    std::os::unix::fs::lchown(path, nobody, nobody).with_context(|| format!("give {} to nobody", path.display()))?;
    if !found.is_dir() {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_symlink() {
            continue;
        }
        give_to_server(&entry.path())?;
    }
    Ok(())
}
