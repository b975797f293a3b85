//! How to reach a running stack: what it tells whoever uses it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{postgres, rabbit, s3};

/// How to reach every server of a stack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StackInfo {
    /// Process id of the owner.
    pub pid: u32,
    /// State folder of the stack.
    pub state: PathBuf,
    /// The RabbitMQ node.
    pub rabbit: rabbit::Endpoint,
    /// The cluster of the catalog.
    pub catalog: postgres::Endpoint,
    /// The clusters of the shards, named `s1`, `s2` and so on.
    pub shards: Vec<postgres::Endpoint>,
    /// The object store.
    pub s3: s3::Endpoint,
    /// The onnxruntime library.
    pub onnxruntime: PathBuf,
}

impl StackInfo {
    /// Every PostgreSQL cluster, the catalog's first.
    pub fn clusters(&self) -> impl Iterator<Item = &postgres::Endpoint> {
        std::iter::once(&self.catalog).chain(&self.shards)
    }
}
