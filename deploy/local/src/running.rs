//! What a run says of itself to whoever joins it: a file, readable by its owner only.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::rabbit;
use crate::state::write_private;

/// Name of the file in the folder of a checkout's state.
const FILE: &str = "running.json";

/// How to reach a running Docket, and what its programs are started with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Running {
    /// URLs of the producers.
    pub producers: Vec<String>,
    /// Workers that it runs itself.
    pub workers: usize,
    /// The RabbitMQ node.
    pub broker: rabbit::Endpoint,
    /// The vhost of its queues.
    pub vhost: String,
    /// Settings of producers and workers.
    pub settings: BTreeMap<String, String>,
    /// State folder that processes belong to.
    pub state: PathBuf,
    /// Folder for their logs.
    pub logs: PathBuf,
}

/// Where the run of a checkout, whose state is in this folder, says it.
pub fn file(state: &Path) -> PathBuf {
    state.join(FILE)
}

impl Running {
    /// Says it; until the guard is dropped.
    pub fn announce(&self, file: &Path) -> Result<Announced> {
        write_private(file, &serde_json::to_vec_pretty(self)?)?;
        Ok(Announced(file.to_owned()))
    }

    /// Reads what was said.
    pub fn read(file: &Path) -> Result<Self> {
        let json = match fs::read(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                bail!("nothing runs here: start `deploy/local/run --workers 0` first");
            }
            read => read.with_context(|| format!("read {}", file.display()))?,
        };
        serde_json::from_slice(&json).with_context(|| format!("understand {}", file.display()))
    }
}

/// An announcement, taken back when dropped.
#[derive(Debug)]
pub struct Announced(PathBuf);

impl Drop for Announced {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0); // The state may have been wiped.
    }
}
