//! The programs of a run, as processes on chosen cores.

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

/// Longest start of a program: loading a model takes seconds, more on a busy machine.
const START_MAX: Duration = Duration::from_secs(120);
/// Longest stop of a program: a worker's drain and a little more.
const STOP_MAX: Duration = Duration::from_secs(60);
/// Prefix of Docket's settings.
const SETTINGS: &str = "DOCKET_";

/// A running program, killed when dropped.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    pid: u32,
    log: PathBuf,
}

/// A command without the settings of the bench's own environment, which would change the measurement.
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

/// The same on these cores (a list as `taskset -c` takes it); `None` is any core.
pub fn on_cores(cores: Option<&str>, program: impl AsRef<OsStr>) -> Command {
    let Some(cores) = cores else {
        return command(program);
    };
    let mut command = command("taskset"); // `taskset` becomes the program, so its process id is the program's.
    command.arg("-c").arg(cores).arg(program);
    command
}

impl Program {
    /// Starts a program; its output goes to `NAME.log` in the folder `logs`.
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

    /// Waits until `/readyz` answers yes.
    pub async fn until_ready(&mut self, address: &str) -> Result<()> {
        let url = format!("http://{address}/readyz");
        poll::until(&format!("{} becomes ready", self.name), START_MAX, async || {
            self.check()?;
            let answer = reqwest::get(&url).await;
            Ok(answer.is_ok_and(|answer| answer.status().is_success()).then_some(()))
        })
        .await
    }

    /// An error if the program has ended.
    pub fn check(&mut self) -> Result<()> {
        match self.child.try_wait().context("look after a program")? {
            Some(status) => bail!("{} ended ({status}); see {}", self.name, self.log.display()),
            None => Ok(()),
        }
    }

    /// Process id of the program.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Asks the program to stop, and waits until it has.
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
