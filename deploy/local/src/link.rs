//! This process's connection to the test stack, which the first user starts.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::sync::OnceCell;

use crate::binaries;
use crate::checkout::Checkout;
use crate::daemon::{self, Request};
use crate::info::StackInfo;
use crate::process::tail;
use crate::state::wait_lock;

/// How long the stack may take to start: packages may have to be fetched first.
const START_DEADLINE: Duration = Duration::from_secs(600);
/// How often a starting stack is looked for.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

static LINK: OnceCell<Link> = OnceCell::const_new();

/// A connection to the test stack, kept open until this process ends.
#[derive(Debug)]
pub struct Link {
    info: StackInfo,
    stream: Mutex<UnixStream>,
}

impl Link {
    /// The connection of this process. Panics, as tests do, when there can be none.
    pub async fn get() -> &'static Self {
        let link = LINK.get_or_try_init(Self::open).await;
        link.unwrap_or_else(|error| panic!("start the test stack: {error:#}"))
    }

    /// Opens a connection beside that of this process.
    pub async fn open() -> Result<Self> {
        tokio::task::spawn_blocking(connect)
            .await
            .context("connect to the test stack")?
    }

    /// Stops the servers, unless other processes need them, and waits until they are gone.
    pub async fn stop(self) -> Result<()> {
        let told = tokio::task::spawn_blocking(move || {
            self.tell(&Request::Stop);
            let mut answer = String::new();
            let stream = self.stream.into_inner().unwrap_or_else(PoisonError::into_inner);
            BufReader::new(stream)
                .read_line(&mut answer)
                .context("tell the test stack to stop")?;
            if answer.trim() == "true" {
                drop(wait_lock(&self.info.state.join("lock"))?); // The owner holds this until all its servers are gone.
            }
            Ok(())
        });
        told.await.context("stop the test stack")?
    }

    /// The connection, if this process has one.
    pub fn existing() -> Option<&'static Self> {
        LINK.get()
    }

    /// The endpoints of the stack's servers.
    pub fn info(&self) -> &StackInfo {
        &self.info
    }

    /// Sends the stack a request. A failure needs no report: if the stack is gone, the tests notice.
    pub fn tell(&self, request: &Request) {
        let mut line = serde_json::to_vec(request).unwrap_or_default();
        line.push(b'\n');
        let _ = self
            .stream
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write_all(&line);
    }
}

/// The servers that all tests of this checkout share. They are started if missing, stay while a test process lives, and stop half
/// a minute after the last one ended.
pub async fn stack() -> &'static StackInfo {
    Link::get().await.info()
}

fn connect() -> Result<Link> {
    let folder = daemon::folder(&Checkout::find()?)?;
    // Of several test processes without a stack, one starts it and the others wait here.
    let _starting = wait_lock(&folder.join("harness.lock"))?;
    let connected = match try_connect(&folder) {
        Some(connected) => connected,
        None => start(&folder)?,
    };
    Ok(Link {
        info: connected.0,
        stream: Mutex::new(connected.1),
    })
}

fn try_connect(folder: &Path) -> Option<(StackInfo, UnixStream)> {
    let stream = daemon::at_socket(folder, |path| UnixStream::connect(path)).ok()?;
    let mut line = String::new();
    // A stack that is about to stop closes the connection without a line.
    BufReader::new(stream.try_clone().ok()?).read_line(&mut line).ok()?;
    Some((serde_json::from_str(&line).ok()?, stream))
}

fn start(folder: &Path) -> Result<(StackInfo, UnixStream)> {
    let program = binaries::launcher()?;
    let log = folder.join("daemon.log");
    let mut daemon = spawn(&program, &log)?;
    let started = Instant::now();
    loop {
        if let Some(connected) = try_connect(folder) {
            return Ok(connected);
        }
        if let Some(status) = daemon.try_wait().context("look after the test stack")? {
            bail!("the test stack ended ({status}):\n{}", tail(&log, 15));
        }
        if started.elapsed() > START_DEADLINE {
            bail!("the test stack does not answer; see {}", log.display());
        }
        std::thread::sleep(LOOK_INTERVAL);
    }
}

/// Starts the stack in a session of its own, so that it outlives this process and its terminal.
fn spawn(program: &Path, log: &Path) -> Result<Child> {
    let output = std::fs::File::create(log).with_context(|| format!("make {}", log.display()))?;
    let mut command = Command::new("setsid");
    command.arg(program).arg("stack").current_dir(Checkout::find()?.root());
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    command.spawn().with_context(|| format!("start {}", program.display()))
}
