//! A Prometheus that scrapes what a test starts, with the interval and the rules of the test.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::{checkout, or_panic, stack};
use docket_local::process::{Launch, Process};
use docket_local::{deps, poll, ports};

/// How long a starting Prometheus may take to answer: a fifth of a second on an idle machine.
const START_DEADLINE: Duration = Duration::from_secs(30);

/// A running Prometheus, which ends when dropped.
#[derive(Debug)]
pub struct Prometheus {
    /// Base URL of its HTTP API.
    pub base: String,
    folder: PathBuf,
    process: Option<Process>,
}

impl Prometheus {
    /// Starts a Prometheus with this configuration file.
    pub async fn start(configuration: &str) -> Self {
        or_panic("start Prometheus", Self::try_start(configuration).await)
    }

    /// Runs `promtool`, Prometheus's checker, in a folder. Returns its output and whether it succeeded.
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

    /// Waits until queries are answered: Prometheus listens earlier.
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
        let _ = std::fs::remove_dir_all(&self.folder); // The next start of the stack removes the rest.
    }
}
