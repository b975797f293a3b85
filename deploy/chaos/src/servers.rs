//! The servers of a run, used by nobody else: they are killed, stopped, wiped and filled.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use docket_local::deps::{self, Deps};
use docket_local::postgres::{Admin, Cluster, ClusterOptions, Endpoint};
use docket_local::proxy::Proxy;
use docket_local::rabbit;
use docket_local::s3::{self, S3Server};
use docket_local::state::StateDir;
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::Mutex;

use crate::plan::{BROKERS, SHARDS};

/// Name of the database in each cluster.
const DATABASE: &str = "docket";
/// Name of the bucket.
pub const BUCKET: &str = "chaos";
/// Name of the vhost.
pub const VHOST: &str = "docket";
/// How long an earlier run of this checkout may take to end.
const PATIENCE: Duration = Duration::from_secs(10);
/// Connections opened at a time to fill a cluster.
const FILL_AT_ONCE: usize = 16;

/// All servers of a run.
pub struct Servers {
    /// The broker's cluster of nodes.
    pub broker: Mutex<rabbit::Cluster>,
    /// Endpoints of the broker's nodes.
    pub rabbit: Vec<rabbit::Endpoint>,
    /// A proxy to any broker node, free of faults, for commands and the checker.
    pub to_broker: Proxy,
    /// Clusters of the catalog and then of the shards.
    pub clusters: Vec<Database>,
    /// The S3 server.
    pub s3: S3Server,
    /// State folder of the run.
    pub state: StateDir,
    /// Path of the onnxruntime library.
    pub onnxruntime: std::path::PathBuf,
    /// Path of the pdfium library.
    pub pdfium: std::path::PathBuf,
    /// Path of libfaketime, by which a process sees another time; `None` where it cannot be installed.
    pub faketime: Option<std::path::PathBuf>,
}

/// A PostgreSQL cluster, running or not.
pub struct Database {
    /// Port, user and password of the cluster.
    pub endpoint: Endpoint,
    state: Mutex<Option<Cluster>>,
}

impl Servers {
    /// Starts all servers in an empty state folder.
    pub async fn start() -> Result<Self> {
        let root = docket_testing::checkout().state()?;
        let deps = Deps::ensure(&root).await?;
        let faketime = deps::ensure_faketime(&root).await.ok();
        let mut state = StateDir::hold(&root.join("chaos"), PATIENCE).await?;
        state.wipe()?;
        let mut clusters = Vec::new();
        for name in std::iter::once("catalog".to_owned()).chain((1..=SHARDS).map(|number| format!("s{number}"))) {
            // Durable, since committed data must survive `kill -9`.
            let options = ClusterOptions::of_stack(&mut state, &name, &deps.postgres_programs, true)?;
            let endpoint = options.endpoint.clone();
            let cluster = Cluster::start(options).await?;
            clusters.push(Database {
                endpoint,
                state: Mutex::new(Some(cluster)),
            });
        }
        for cluster in &clusters {
            let mut admin = Admin::connect(&cluster.endpoint, "postgres").await?;
            admin.create(DATABASE).await?;
            admin.disconnect().await;
        }
        let s3 = S3Server::start(&mut state, false).await?;
        s3.endpoint().create_bucket(BUCKET).await?;
        let mut broker = rabbit::Cluster::of_stack(&mut state, VHOST, BROKERS).await?;
        broker.start().await?;
        let rabbit = broker.endpoints();
        let ports: Vec<u16> = rabbit.iter().map(|node| node.amqp_port).collect();
        Ok(Self {
            to_broker: Proxy::open(&ports).await?,
            broker: Mutex::new(broker),
            clusters,
            s3,
            rabbit,
            state,
            onnxruntime: deps.onnxruntime,
            pdfium: deps.pdfium,
            faketime,
        })
    }

    /// The servers as the checker reaches them.
    pub fn for_checker(&self) -> docket_checker::Servers {
        let url = |database: &Database| database.endpoint.url(DATABASE);
        let shards = self.clusters[1..].iter();
        docket_checker::Servers {
            shards: shards.map(|shard| (shard.endpoint.name.clone(), url(shard))).collect(),
            catalog: url(&self.clusters[0]),
            s3: self.s3.endpoint().client(),
            bucket: BUCKET.to_owned(),
            amqp: self.amqp_at(self.to_broker.port),
        }
    }

    /// URL of the broker at a port of this machine.
    pub fn amqp_at(&self, port: u16) -> String {
        rabbit::Endpoint {
            amqp_port: port,
            ..self.rabbit[0].clone()
        }
        .amqp_url(VHOST)
    }

    /// The object store's endpoint.
    pub fn storage(&self) -> &s3::Endpoint {
        self.s3.endpoint()
    }

    /// Stops all servers.
    pub async fn stop(self) {
        self.broker.into_inner().kill9().await;
        for cluster in self.clusters {
            if let Some(cluster) = cluster.state.into_inner() {
                cluster.stop().await;
            }
        }
        self.s3.stop().await;
    }
}

impl Database {
    /// URL of the database at a port of this machine.
    pub fn url_at(&self, port: u16) -> String {
        Endpoint {
            port,
            ..self.endpoint.clone()
        }
        .url(DATABASE)
    }

    /// Ends the cluster, by `kill -9` or as an operator does, and starts it again after a pause.
    pub async fn restart(&self, kill: bool, after: Duration) -> Result<()> {
        let mut state = self.state.lock().await;
        let cluster = state.take().context("the cluster is stopped")?;
        let options = if kill {
            cluster.kill9().await
        } else {
            cluster.stop().await
        };
        tokio::time::sleep(after).await;
        *state = Some(Cluster::start(options).await?);
        Ok(())
    }

    /// Suspends all the cluster's processes for this long.
    pub async fn freeze(&self, lasts: Duration) -> Result<()> {
        let state = self.state.lock().await;
        let pid = state.as_ref().context("the cluster is stopped")?.pid();
        signal_tree(pid, Signal::STOP);
        tokio::time::sleep(lasts).await;
        signal_tree(pid, Signal::CONT);
        Ok(())
    }

    /// Takes all the cluster's connections for this long; returns their number.
    pub async fn fill(&self, lasts: Duration) -> Result<usize> {
        let mut held = Vec::new();
        loop {
            let some = (0..FILL_AT_ONCE).map(|_| Admin::connect(&self.endpoint, DATABASE));
            let opened = futures::future::join_all(some).await;
            let before = held.len();
            held.extend(opened.into_iter().flatten());
            if held.len() < before + FILL_AT_ONCE {
                break;
            }
        }
        tokio::time::sleep(lasts).await;
        ensure!(!held.is_empty(), "no connection was to be had");
        Ok(held.len())
    }
}

/// Signals a process and its descendants, the parent first so that no child is born in between.
pub fn signal_tree(root: u32, signal: Signal) {
    let all = std::iter::once(root).chain(std::iter::once_with(|| docket_bench::proc::tree(root)).flatten());
    for pid in all {
        if let Some(pid) = Pid::from_raw(pid.cast_signed()) {
            let _ = kill_process(pid, signal); // The process may have ended since.
        }
    }
}
