//! How clients reach a running stack.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{postgres, rabbit, s3};

/// The endpoints of all servers of a stack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StackInfo {
    /// Process id of the stack's owner.
    pub pid: u32,
    /// State folder of the stack.
    pub state: PathBuf,
    /// Endpoint of the RabbitMQ node.
    pub rabbit: rabbit::Endpoint,
    /// Endpoint of the catalog's cluster.
    pub catalog: postgres::Endpoint,
    /// Endpoints of the shards' clusters, named `s1`, `s2` and so on.
    pub shards: Vec<postgres::Endpoint>,
    /// Endpoint of the object store.
    pub s3: s3::Endpoint,
    /// Path of the onnxruntime library.
    pub onnxruntime: PathBuf,
    /// Path of the pdfium library.
    pub pdfium: PathBuf,
}

impl StackInfo {
    /// Every PostgreSQL cluster, the catalog's first.
    pub fn clusters(&self) -> impl Iterator<Item = &postgres::Endpoint> {
        std::iter::once(&self.catalog).chain(&self.shards)
    }
}
