//! Child processes that end with their owner.
//!
//! Each child is started through `setpriv`, which asks the kernel to signal the child when its parent dies, and may drop root.
//! The kernel watches the parent's *thread*, so one thread that lives as long as this process starts all children. Children that
//! escape are found at the owner's next start by a mark in their environment.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{LazyLock, mpsc};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::checkout::is_superuser;
use crate::poll;

/// Variable in a child's environment that names the state folder of the child's stack.
const OWNER_MARK: &str = "DOCKET_LOCAL_OWNER";
/// User and group `nobody`, the same numbers on Debian and Ubuntu.
pub(crate) const NOBODY: u32 = 65_534;
/// How long strays may take to end after the signal of their parent's death.
const STRAYS_GRACE: Duration = Duration::from_secs(3);
/// How long a killed process may still be seen.
const KILL_WAIT: Duration = Duration::from_secs(10);
/// How much of the end of a log is read for its last lines.
const TAIL_BYTES: u64 = 16 * 1024;

/// A process to start.
#[derive(Debug, Clone)]
pub struct Launch {
    name: String,
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    inherits: bool,
    as_nobody: bool,
    keeps_log: bool,
    log: PathBuf,
    on_parent_death: &'static str,
}

impl Launch {
    /// A process of the stack whose state folder is `owner`; its output is appended to the file `log`.
    pub fn new(name: &str, program: impl Into<PathBuf>, owner: &Path, log: &Path) -> Self {
        Self {
            name: name.to_owned(),
            program: program.into(),
            arguments: Vec::new(),
            environment: vec![(OWNER_MARK.into(), owner.into())],
            inherits: false,
            as_nobody: false,
            keeps_log: true,
            log: log.to_owned(),
            on_parent_death: "KILL",
        }
    }

    /// Adds an argument.
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Sets a variable of the child's environment.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Passes on this process's environment. Otherwise the child gets only `PATH`, so that a user's settings for a server of
    /// their own cannot reach ours.
    pub fn inherit_env(mut self) -> Self {
        self.inherits = true;
        self
    }

    /// Runs the child as the user `nobody` when this process is root.
    pub fn as_nobody(mut self) -> Self {
        self.as_nobody = true;
        self
    }

    /// Truncates the log instead of appending.
    pub fn with_new_log(mut self) -> Self {
        self.keeps_log = false;
        self
    }

    /// Appends to the log, the default; undoes [`Launch::with_new_log`].
    pub fn with_old_log(mut self) -> Self {
        self.keeps_log = true;
        self
    }

    /// Sends the child `INT` instead of `KILL` when this process dies.
    pub fn interrupt_on_parent_death(mut self) -> Self {
        self.on_parent_death = "INT";
        self
    }

    /// Starts the process and returns at once.
    pub async fn spawn(self) -> Result<Process> {
        let program = self.program.display().to_string();
        let command = self.command()?;
        let child = spawn_on_lasting_thread(command)
            .await
            .with_context(|| format!("start {program}"))?;
        let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let pid = pid.with_context(|| format!("{program} has no process id"))?;
        Ok(Process {
            name: self.name,
            child,
            pid,
            log: self.log,
        })
    }

    /// Runs the process to its end; an exit code other than 0 is an error.
    pub async fn run(self) -> Result<()> {
        let mut process = self.spawn().await?;
        let status = process
            .child
            .wait()
            .await
            .with_context(|| format!("wait for {}", process.name))?;
        if !status.success() {
            return Err(process.failure(status));
        }
        Ok(())
    }

    fn command(&self) -> Result<std::process::Command> {
        if let Some(folder) = self.log.parent() {
            fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
        }
        if !self.keeps_log {
            File::create(&self.log).with_context(|| format!("empty {}", self.log.display()))?;
        }
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.with_context(|| format!("open {}", self.log.display()))?;
        let mut command = std::process::Command::new("setpriv");
        command.args(["--pdeathsig", self.on_parent_death]);
        if self.as_nobody && is_superuser() {
            command.args([
                "--reuid",
                &NOBODY.to_string(),
                "--regid",
                &NOBODY.to_string(),
                "--clear-groups",
            ]);
        }
        command.arg("--").arg(&self.program).args(&self.arguments);
        if !self.inherits {
            command
                .env_clear()
                .env("PATH", std::env::var_os("PATH").unwrap_or_default())
                .env("LANG", "C.UTF-8");
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        Ok(command)
    }
}

/// A running child process, killed when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    pid: Pid,
    log: PathBuf,
}

impl Process {
    /// Name of the process in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Process id of the child.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// An error with the last lines of the log, if the process has ended.
    pub fn check(&mut self) -> Result<()> {
        match self.death()? {
            Some(status) => Err(self.failure(status)),
            None => Ok(()),
        }
    }

    /// How the process ended; `None` while it runs.
    pub fn death(&mut self) -> Result<Option<ExitStatus>> {
        let ended = self.child.try_wait();
        ended.with_context(|| format!("look after {}", self.name))
    }

    /// Waits for the process's end; returns the reason.
    pub async fn ended(&mut self) -> anyhow::Error {
        match self.child.wait().await {
            Ok(status) => self.failure(status),
            Err(error) => anyhow::Error::new(error).context(format!("wait for {}", self.name)),
        }
    }

    /// Asks the process to end by `signal`; kills the process and its children at the deadline.
    pub async fn stop(mut self, signal: Signal, deadline: Duration) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = kill_process(self.pid, signal); // The process may have ended since.
            let _ = tokio::time::timeout(deadline, self.child.wait()).await;
        }
        self.kill().await;
    }

    /// Kills the process and its children as `kill -9` does, and waits until the process is gone.
    pub async fn kill(mut self) {
        let _ = kill_process_group(self.pid, Signal::KILL); // The whole group may have ended.
        let _ = tokio::time::timeout(KILL_WAIT, self.child.wait()).await;
    }

    fn failure(&self, status: ExitStatus) -> anyhow::Error {
        let lines = tail(&self.log, 12);
        anyhow::anyhow!(
            "{} ended by itself ({status}); the end of {}:\n{lines}",
            self.name,
            self.log.display()
        )
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let is_over = matches!(self.child.try_wait(), Ok(Some(_)));
        if !is_over {
            let _ = kill_process_group(self.pid, Signal::KILL); // Nobody is left to report an error to.
        }
    }
}

type SpawnRequest = (std::process::Command, Handle, oneshot::Sender<std::io::Result<Child>>);

static SPAWNER: LazyLock<mpsc::Sender<SpawnRequest>> = LazyLock::new(|| {
    let (sender, requests) = mpsc::channel::<SpawnRequest>();
    std::thread::spawn(move || {
        for (command, runtime, reply) in requests {
            let _entered = runtime.enter();
            let _ = reply.send(Command::from(command).spawn()); // If the caller has left, the child is dropped, and so killed.
        }
    });
    sender
});

async fn spawn_on_lasting_thread(command: std::process::Command) -> Result<Child> {
    let (reply, answer) = oneshot::channel();
    SPAWNER
        .send((command, Handle::current(), reply))
        .context("the thread that starts processes is gone")?;
    Ok(answer.await.context("the thread that starts processes is gone")??)
}

/// Ends the processes that a killed owner of this state folder, or of a folder below it, left running.
pub async fn end_strays(owner: &Path) -> Result<()> {
    let waited = poll::until("strays", STRAYS_GRACE, async || {
        Ok(strays(owner).is_empty().then_some(()))
    })
    .await;
    if waited.is_ok() {
        return Ok(());
    }
    let what = format!("end what a killed launcher left running for {}", owner.display());
    poll::until(&what, KILL_WAIT, async || {
        let left = strays(owner);
        for pid in &left {
            let _ = kill_process(*pid, Signal::KILL); // The process may have ended since.
        }
        Ok(left.is_empty().then_some(()))
    })
    .await
}

fn strays(owner: &Path) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let others = pids.filter(|pid| pid.unsigned_abs() != std::process::id());
    others
        .filter(|pid| is_owned(*pid, owner))
        .filter_map(Pid::from_raw)
        .collect()
}

fn is_owned(pid: i32, owner: &Path) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default(); // The process is gone, or not ours to read.
    environment.split(|byte| *byte == 0).any(|variable| {
        let value = variable
            .strip_prefix(OWNER_MARK.as_bytes())
            .and_then(|rest| rest.strip_prefix(b"="));
        value.is_some_and(|value| Path::new(os_str(value)).starts_with(owner))
    })
}

fn os_str(bytes: &[u8]) -> &OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(bytes)
}

/// The last lines of a file.
pub fn tail(path: &Path, lines: usize) -> String {
    let read = (|| {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut end = Vec::new();
        file.read_to_end(&mut end).map(|_| end)
    })();
    let end = read.unwrap_or_default();
    let text = String::from_utf8_lossy(&end);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(owner: &Path, log: &Path) -> Launch {
        Launch::new("sleeper", "sleep", owner, log).arg("600")
    }

    #[tokio::test]
    async fn a_process_is_stopped_and_its_failure_shows_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut running = sleeper(folder.path(), &log).spawn().await.unwrap();
        running.check().unwrap();
        running.stop(Signal::TERM, Duration::from_secs(5)).await;
        let broken = Launch::new("broken", "sh", folder.path(), &log)
            .arg("-c")
            .arg("echo why; exit 3")
            .run()
            .await;
        let message = broken.unwrap_err().to_string();
        assert!(
            message.contains("exit status: 3") && message.ends_with("why"),
            "{message}"
        );
    }

    #[tokio::test]
    async fn strays_are_found_by_their_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let inner = folder.path().join("brokers/1");
        let stray = sleeper(&inner, &log).spawn().await.unwrap();
        assert_eq!(strays(&folder.path().join("broker")), []);
        poll::until("exec", KILL_WAIT, async || {
            Ok((strays(folder.path()) == [stray.pid]).then_some(()))
        })
        .await
        .unwrap();
        end_strays(folder.path()).await.unwrap();
        assert_eq!(strays(folder.path()), []);
    }

    #[test]
    fn a_tail_is_the_last_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::write(&path, "1\n2\n3\n").unwrap();
        assert_eq!(tail(&path, 2), "2\n3");
        assert_eq!(tail(&path.join("absent"), 2), "");
    }
}
