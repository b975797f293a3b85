//! All servers of one machine, started together and stopped in order.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use futures::future::{join_all, try_join, try_join_all};

use crate::deps::Deps;
use crate::info::StackInfo;
use crate::postgres::{Cluster, ClusterOptions};
use crate::rabbit::{Node, NodeOptions};
use crate::s3::S3Server;
use crate::state::StateDir;

/// Limit of shards of one machine: each is a PostgreSQL cluster, and memory is finite.
pub const SHARDS_MAX: usize = 16;

/// The kind of stack.
#[derive(Debug)]
pub struct StackOptions {
    /// The state folder, held for as long as the stack runs.
    pub state: StateDir,
    /// Paths of the installed programs.
    pub deps: Deps,
    /// Number of shards.
    pub shards: usize,
    /// Whether committed data survives a power loss; tests do not need that.
    pub durable: bool,
}

/// A running stack. Dropping it kills its servers; [`Stack::stop`] ends them in order.
#[derive(Debug)]
pub struct Stack {
    info: StackInfo,
    rabbit: Node,
    clusters: Vec<Cluster>,
    s3: Arc<S3Server>,
    state: StateDir,
}

/// The vhost that a stack's new node makes.
pub const VHOST: &str = "docket";

impl Stack {
    /// Starts all servers at once, and waits until each answers.
    pub async fn start(options: StackOptions) -> Result<Self> {
        Self::start_and(options, async |_| Ok(())).await
    }

    /// Starts all servers, and calls `act` as soon as the databases and the object store answer: the broker takes longer.
    pub async fn start_and(options: StackOptions, act: impl AsyncFnOnce(&StackInfo) -> Result<()>) -> Result<Self> {
        let StackOptions {
            mut state,
            deps,
            shards,
            durable,
        } = options;
        let mut node = Node::new(NodeOptions::of_stack(&mut state, VHOST)?);
        let mut planned = Vec::new();
        for name in std::iter::once("catalog".to_owned()).chain((1..=shards).map(|number| format!("s{number}"))) {
            planned.push(ClusterOptions::of_stack(
                &mut state,
                &name,
                &deps.postgres_programs,
                durable,
            )?);
        }
        open_to_server_user(&state.path().join("postgres"))?;
        let s3 = Arc::new(S3Server::start(&mut state, durable).await?);
        let mut endpoints = planned.iter().map(|cluster| cluster.endpoint.clone());
        let info = StackInfo {
            pid: std::process::id(),
            state: state.path().to_owned(),
            rabbit: node.endpoint().clone(),
            catalog: endpoints.next().context("a stack has a catalog")?,
            shards: endpoints.collect(),
            s3: s3.endpoint().clone(),
            onnxruntime: deps.onnxruntime,
            pdfium: deps.pdfium,
        };
        let databases = async {
            let clusters = try_join_all(planned.into_iter().map(Cluster::start)).await?;
            act(&info).await?;
            Ok(clusters)
        };
        let (clusters, ()) = try_join(databases, node.start()).await?;
        Ok(Self {
            info,
            rabbit: node,
            clusters,
            s3,
            state,
        })
    }

    /// The endpoints of the stack's servers.
    pub fn info(&self) -> &StackInfo {
        &self.info
    }

    /// The stack's object store.
    pub fn s3(&self) -> &Arc<S3Server> {
        &self.s3
    }

    /// The stack's state folder.
    pub fn state(&self) -> &StateDir {
        &self.state
    }

    /// An error if a server has ended by itself.
    pub fn check(&mut self) -> Result<()> {
        self.rabbit.check()?;
        self.clusters.iter_mut().try_for_each(Cluster::check)
    }

    /// Stops the broker, then the databases, then the object store, and lets go of the state folder.
    pub async fn stop(mut self) {
        self.rabbit.stop().await;
        join_all(self.clusters.into_iter().map(Cluster::stop)).await;
        self.s3.stop().await;
    }
}

/// Makes the clusters' folder and lets the servers' user pass through it.
fn open_to_server_user(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    for path in [folder, folder.parent().unwrap_or(folder)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
            .with_context(|| format!("open {}", path.display()))?;
    }
    Ok(())
}
