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

/// Shards one machine may have: each is a PostgreSQL cluster of its own, and a user's memory is finite.
pub const SHARDS_MAX: usize = 16;

/// What kind of stack.
#[derive(Debug)]
pub struct StackOptions {
    /// Where its state lies, held for as long as the stack runs.
    pub state: StateDir,
    /// What it needs.
    pub deps: Deps,
    /// How many shards.
    pub shards: usize,
    /// Whether committed data survives a power loss. Tests do without.
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

/// The vhost that a stack's node is made with.
pub const VHOST: &str = "docket";

impl Stack {
    /// Starts every server, all at once, and waits until each answers.
    pub async fn start(options: StackOptions) -> Result<Self> {
        Self::start_and(options, async |_| Ok(())).await
    }

    /// Starts every server, and acts as soon as the databases and the object store answer: the broker takes longer.
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

    /// How to reach it.
    pub fn info(&self) -> &StackInfo {
        &self.info
    }

    /// Its object store.
    pub fn s3(&self) -> &Arc<S3Server> {
        &self.s3
    }

    /// Its state folder.
    pub fn state(&self) -> &StateDir {
        &self.state
    }

    /// An error if one of its servers has ended by itself.
    pub fn check(&mut self) -> Result<()> {
        self.rabbit.check()?;
        self.clusters.iter_mut().try_for_each(Cluster::check)
    }

    /// Stops the broker first, then the databases, then the object store, and lets go of the state folder.
    pub async fn stop(mut self) {
        self.rabbit.stop().await;
        join_all(self.clusters.into_iter().map(Cluster::stop)).await;
        self.s3.stop().await;
    }
}

/// Makes the folder of the clusters, through which their user must pass.
fn open_to_server_user(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    for path in [folder, folder.parent().unwrap_or(folder)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
            .with_context(|| format!("open {}", path.display()))?;
    }
    Ok(())
}
