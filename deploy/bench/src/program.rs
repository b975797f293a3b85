//! Programs of a run, as processes on chosen cores.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use docket_local::poll;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

/// Longest start of a program: loading a model takes seconds, on a busy machine some more.
const START_MAX: Duration = Duration::from_secs(120);
/// Longest stop: a worker's drain and a little.
const STOP_MAX: Duration = Duration::from_secs(60);

/// A running program; it is killed when dropped.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    pid: u32,
    log: PathBuf,
}

/// A command that runs on these cores only (a list as `taskset -c` takes it), or anywhere.
pub fn on_cores(cores: Option<&str>, program: impl AsRef<OsStr>) -> Command {
    let Some(cores) = cores else {
        return Command::new(program);
    };
    let mut command = Command::new("taskset"); // It becomes the program: the process id is the program's.
    command.arg("-c").arg(cores).arg(program);
    command
}

impl Program {
    /// Starts a program; what it says goes to `NAME.log` in a folder.
    pub fn start(name: &str, mut command: Command, env: &HashMap<String, String>, logs: &Path) -> Result<Self> {
        let log = logs.join(format!("{name}.log"));
        let output = File::options().create(true).append(true).open(&log);
        let output = output.with_context(|| format!("open {}", log.display()))?;
        command.envs(env).stdin(Stdio::null());
        command.stdout(output.try_clone()?).stderr(output).kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("start {name}"))?;
        let pid = child.id().with_context(|| format!("{name} has no process id"))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            pid,
            log,
        })
    }

    /// Waits until its `/readyz` says yes.
    pub async fn until_ready(&mut self, address: &str) -> Result<()> {
        let url = format!("http://{address}/readyz");
        poll::until(&format!("{} becomes ready", self.name), START_MAX, async || {
            self.check()?;
            let answer = reqwest::get(&url).await;
            Ok(answer.is_ok_and(|answer| answer.status().is_success()).then_some(()))
        })
        .await
    }

    /// An error if it has ended.
    pub fn check(&mut self) -> Result<()> {
        match self.child.try_wait().context("look after a program")? {
            Some(status) => bail!("{} ended ({status}); see {}", self.name, self.log.display()),
            None => Ok(()),
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(mut self) -> Result<()> {
        let pid = Pid::from_raw(self.pid.cast_signed()).context("a process id is positive")?;
        kill_process(pid, Signal::TERM).with_context(|| format!("stop {}", self.name))?;
        let ended = tokio::time::timeout(STOP_MAX, self.child.wait()).await;
        ended.with_context(|| format!("{} does not stop", self.name))??;
        Ok(())
    }
}
