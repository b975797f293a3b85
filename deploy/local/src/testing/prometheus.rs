//! A Prometheus that scrapes what a test starts, as often as it says, by rules of its choice.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use super::{checkout, or_panic, stack};
use crate::process::{Launch, Process};
use crate::{deps, poll, ports};

/// How long it may take to answer: a fifth of a second alone.
const START_DEADLINE: Duration = Duration::from_secs(30);

/// A running Prometheus. It ends when dropped.
#[derive(Debug)]
pub struct Prometheus {
    /// Where it serves HTTP.
    pub base: String,
    folder: PathBuf,
    process: Option<Process>,
}

impl Prometheus {
    /// Starts one with this configuration file.
    pub async fn start(configuration: &str) -> Self {
        or_panic("start Prometheus", Self::try_start(configuration).await)
    }

    /// Runs its checker, `promtool`, in a folder; what it printed, and whether all was well.
    pub async fn promtool(folder: &Path, arguments: &[&str]) -> (bool, String) {
        or_panic("run promtool", Self::try_promtool(folder, arguments).await)
    }

    async fn try_start(configuration: &str) -> Result<Self> {
        let program = deps::ensure_prometheus(&checkout().state()?).await?;
        let state = &stack().await.state;
        let folder = state.join("prometheus").join(uuid::Uuid::new_v4().to_string());
        std::fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
        let file = folder.join("prometheus.yml");
        std::fs::write(&file, configuration).with_context(|| format!("write {}", file.display()))?;
        let address = format!("127.0.0.1:{}", ports::pick()?);
        let option = |name: &str, value: &str| format!("--{name}={value}");
        let process = Launch::new("prometheus", program, state, &folder.join("log"))
            .arg(option("config.file", &file.display().to_string()))
            .arg(option("storage.tsdb.path", &folder.join("data").display().to_string()))
            .arg(option("web.listen-address", &address))
            .spawn()
            .await?;
        let mut prometheus = Self {
            base: format!("http://{address}"),
            folder,
            process: Some(process),
        };
        prometheus.until_ready().await?;
        Ok(prometheus)
    }

    /// It listens before it answers queries.
    async fn until_ready(&mut self) -> Result<()> {
        let ready = format!("{}/-/ready", self.base);
        poll::until("wait for Prometheus", START_DEADLINE, async || {
            if let Some(process) = &mut self.process {
                process.check()?;
            }
            let answer = reqwest::get(&ready).await;
            Ok(answer.is_ok_and(|answer| answer.status().is_success()).then_some(()))
        })
        .await
    }

    async fn try_promtool(folder: &Path, arguments: &[&str]) -> Result<(bool, String)> {
        let program = deps::ensure_prometheus(&checkout().state()?).await?;
        let program = program.with_file_name("promtool");
        if !program.exists() {
            bail!("{} is missing", program.display());
        }
        let mut command = Command::new(program);
        let output = command.args(arguments).current_dir(folder).kill_on_drop(true).output();
        let output = output.await.context("start promtool")?;
        let said = [output.stdout, output.stderr].concat();
        Ok((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        drop(self.process.take());
        let _ = std::fs::remove_dir_all(&self.folder); // What is left the next start of the stack removes.
    }
}
