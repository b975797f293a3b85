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
/// What the names of Docket's settings begin with.
const SETTINGS: &str = "DOCKET_";

/// A running program; it is killed when dropped.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    pid: u32,
    log: PathBuf,
}

/// A command that has none of the settings of whoever started the bench: they would change what is measured.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if is_setting(&name) {
            command.env_remove(name);
        }
    }
    command
}

fn is_setting(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(SETTINGS.as_bytes())
}

/// The same on these cores only (a list as `taskset -c` takes it), or anywhere.
pub fn on_cores(cores: Option<&str>, program: impl AsRef<OsStr>) -> Command {
    let Some(cores) = cores else {
        return command(program);
    };
    let mut command = command("taskset"); // It becomes the program: the process id is the program's.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_has_no_setting_of_whoever_started_the_bench() {
        assert!(is_setting(OsStr::new("DOCKET_SESSIONS")) && !is_setting(OsStr::new("PATH")));
        let kept = |(name, value): (&OsStr, Option<&OsStr>)| is_setting(name) && value.is_some();
        assert!(!command("true").as_std().get_envs().any(kept));
    }
}
