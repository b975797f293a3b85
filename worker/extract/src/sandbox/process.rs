//! Child processes: how they start, and how they end.
//!
//! One thread starts them, and lives as long as the pool: the kernel kills a child when the thread that started it ends, and starting
//! a process keeps a thread waiting for about a millisecond. Another thread reaps them. Whatever happens to the future that uses a
//! child, the child is killed and leaves no zombie.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc as channel;
use std::thread;

use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use rustix::process::Pid;

use super::counts::Counts;
use super::lockdown;

/// The environment of a child: the settings of its two allocators. Without its own, mimalloc reserves 1 GiB of address space at the
/// start. Under a child's limit on memory that leaves less than half of the memory for use, or nothing.
///
/// Memory is reserved in steps of 32 MiB, the least that mimalloc takes. Blocks above 8 MiB come from the kernel and go back to it:
/// from reserved memory, a buffer that doubles would end at a quarter of the limit, and so ends at half. Without the unit, mimalloc
/// reads bytes.
///
/// pdfium allocates by glibc. By default glibc gives blocks above 128 KiB back to the kernel, and most of what a page took when the
/// page is closed; to take that memory again was a tenth of a document's time. So only blocks above 8 MiB come from the kernel one by
/// one, here too, and up to 16 MiB that are free stay: twice as much, as glibc itself chooses. Of small blocks, 10,000 of a size stay at
/// hand instead of 7, since a page frees thousands at once. The numbers are bytes and blocks.
pub(super) const ENVIRONMENT: [(&str, &str); 3] = [
    ("MIMALLOC_ARENA_RESERVE", "32MiB"),
    ("MIMALLOC_ARENA_MAX_OBJECT_SIZE", "8MiB"),
    (
        "GLIBC_TUNABLES",
        "glibc.malloc.mmap_threshold=8388608:glibc.malloc.trim_threshold=16777216:glibc.malloc.tcache_count=10000",
    ),
];

/// What one child may use for its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Address space in bytes: the program, its libraries, the document and everything that is allocated.
    pub memory_bytes: u64,
    /// CPU time in seconds, the start included.
    pub cpu_seconds: u64,
}

/// How children are started.
#[derive(Debug, Clone)]
pub(super) struct Recipe {
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
    pub allowance: Allowance,
}

/// A child that may not be ready yet.
#[derive(Debug)]
pub(super) struct Started {
    pub process: Process,
    pub socket: UnixStream,
}

/// A child process, killed and reaped when it is dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Option<Child>,
    permit: Option<OwnedSemaphorePermit>,
    reaper: channel::Sender<Dead>,
}

/// A child process that was killed, and is to be reaped. Until then it counts as at work.
#[derive(Debug)]
struct Dead {
    child: Child,
    permit: Option<OwnedSemaphorePermit>,
    tell: Option<oneshot::Sender<ExitStatus>>,
}

/// Starts children until the receiver is dropped: so many ahead, and one more that waits for its place.
pub(super) fn keep_warm(
    recipe: Recipe,
    ahead: usize,
    counts: Arc<Counts>,
) -> io::Result<mpsc::Receiver<io::Result<Started>>> {
    let (warm, taken) = mpsc::channel(ahead);
    let (reaper, dead) = channel::channel::<Dead>();
    let reap = move || dead.into_iter().for_each(Dead::reap);
    thread::Builder::new().name("sandbox-reap".to_owned()).spawn(reap)?;
    let start = move || while warm.blocking_send(recipe.start(&reaper, &counts)).is_ok() {};
    thread::Builder::new().name("sandbox-start".to_owned()).spawn(start)?;
    Ok(taken)
}

impl Recipe {
    /// Starts a child. Nothing here keeps std from `posix_spawn`, which does not copy the parent's page tables.
    fn start(&self, reaper: &channel::Sender<Dead>, counts: &Counts) -> io::Result<Started> {
        let (socket, theirs) = UnixStream::pair()?;
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .arg(self.allowance.memory_bytes.to_string())
            .arg(self.allowance.cpu_seconds.to_string())
            .env_clear()
            .envs(ENVIRONMENT)
            .current_dir("/")
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        counts.count_start();
        let process = Process {
            child: Some(child),
            permit: None,
            reaper: reaper.clone(),
        };
        Ok(Started { process, socket })
    }
}

impl Process {
    /// Gives the permit back once the child is reaped, and not before.
    pub fn hold(&mut self, permit: OwnedSemaphorePermit) {
        self.permit = Some(permit);
    }

    /// Lets others compute before the child.
    pub fn step_back(&self) {
        // Not reaped yet, so the number is still the child's.
        let number = self.child.as_ref().and_then(|child| i32::try_from(child.id()).ok());
        if let Some(pid) = number.and_then(Pid::from_raw) {
            lockdown::step_back(Some(pid));
        }
    }

    /// Kills the child, and says how it ended. One that was ending already has ended by what ended it.
    pub async fn end(mut self) -> Option<ExitStatus> {
        let (tell, told) = oneshot::channel();
        self.kill(Some(tell));
        told.await.ok()
    }

    fn kill(&mut self, tell: Option<oneshot::Sender<ExitStatus>>) {
        let Some(mut child) = self.child.take() else { return };
        // An error would mean that somebody else has reaped the child.
        let _ = child.kill();
        let permit = self.permit.take();
        if let Err(channel::SendError(dead)) = self.reaper.send(Dead { child, permit, tell }) {
            dead.reap();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill(None);
    }
}

impl Dead {
    fn reap(mut self) {
        if let (Ok(status), Some(tell)) = (self.child.wait(), self.tell.take()) {
            // An error means that the caller has left.
            let _ = tell.send(status);
        }
        drop(self.permit);
    }
}
