//! Watches the workers and their children through `/proc`, on a thread of its own, until it is told to stop.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::proc;

/// Pause between two looks. A child lives for some milliseconds at least, a hostile one for seconds.
const EVERY: Duration = Duration::from_millis(50);
/// Sockets of a child: the one to its worker, which is its standard input.
const SOCKETS: usize = 1;
/// The bits of an open file's flags that say how it is used, and the value for reading alone.
const ACCESS: u32 = 3;
const READ_ONLY: u32 = 0;

/// A process, told from a later one of the same number by its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Process {
    /// Number of the process.
    pub pid: u32,
    /// When it started, in ticks since the machine's start.
    started: u64,
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// Every child that was seen.
    pub children: HashSet<Process>,
    /// Largest memory of a worker.
    pub worker_bytes: u64,
    /// Largest memory of a child.
    pub child_bytes: u64,
    /// What children did that none may do, with a process number for each.
    pub escapes: BTreeMap<&'static str, BTreeSet<u32>>,
    /// How often a child's open files could not be listed although the child lived: then less was checked than is claimed.
    pub unreadable: u64,
}

/// A watch under way.
pub struct Watch {
    workers: Arc<Mutex<Vec<u32>>>,
    stop: mpsc::Sender<()>,
    thread: JoinHandle<Seen>,
}

impl Watch {
    /// Starts to watch.
    pub fn start() -> Result<Self> {
        let workers = Arc::new(Mutex::new(Vec::new()));
        let (stop, stopped) = mpsc::channel();
        let watched = workers.clone();
        let watch = move || {
            let mut seen = Seen::default();
            while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                let workers = watched.lock().unwrap_or_else(PoisonError::into_inner).clone();
                seen.look(&workers);
            }
            seen
        };
        let thread = thread::Builder::new().name("watch".to_owned()).spawn(watch)?;
        Ok(Self { workers, stop, thread })
    }

    /// Says which processes are the workers from now on.
    pub fn workers(&self, pids: Vec<u32>) {
        *self.workers.lock().unwrap_or_else(PoisonError::into_inner) = pids;
    }

    /// Ends the watch.
    pub fn stop(self) -> Result<Seen> {
        drop(self.stop);
        self.thread.join().ok().context("the watch ended by a panic")
    }
}

impl Seen {
    fn look(&mut self, workers: &[u32]) {
        let parents: HashMap<u32, u32> = proc::parents().into_iter().collect();
        for &worker in workers {
            self.worker_bytes = self.worker_bytes.max(proc::peak_bytes(&[worker]));
        }
        for (&pid, parent) in &parents {
            if workers.contains(parent) {
                self.look_at_child(pid);
            } else if parents.get(parent).is_some_and(|above| workers.contains(above)) {
                self.escaped("a child started a process", pid);
            }
        }
    }

    fn look_at_child(&mut self, pid: u32) {
        let Some(process) = Process::of(pid) else { return };
        // Between its start and its program, a new process is still a copy of the worker.
        if !is_child(pid) {
            return;
        }
        self.children.insert(process);
        self.child_bytes = self.child_bytes.max(proc::peak_bytes(&[pid]));
        if written_bytes(pid).is_some_and(|bytes| bytes > 0) {
            self.escaped("a child wrote to a disk", pid);
        }
        match Files::of(pid) {
            Some(files) if files.sockets > SOCKETS => self.escaped("a child has a second socket", pid),
            Some(files) => {
                for path in &files.writable {
                    println!("child {pid} has {} open for writing", path.display());
                    self.escaped("a child has a file open for writing", pid);
                }
            }
            None if is_child(pid) => self.unreadable += 1,
            None => {}
        }
    }

    fn escaped(&mut self, how: &'static str, pid: u32) {
        self.escapes.entry(how).or_default().insert(pid);
    }
}

impl Process {
    fn of(pid: u32) -> Option<Self> {
        let started = proc::started(pid)?;
        Some(Self { pid, started })
    }

    /// Whether this very process still runs. A zombie does not.
    pub fn lives(self) -> bool {
        Self::of(self.pid) == Some(self) && is_child(self.pid)
    }
}

/// How many children of these workers live now.
pub fn children(workers: &[u32]) -> usize {
    let mine = proc::parents()
        .into_iter()
        .filter(|(_, parent)| workers.contains(parent));
    mine.filter(|&(pid, _)| is_child(pid)).count()
}

/// Names in the folder in which children begin, the root of the file system.
pub fn names_in_root() -> BTreeSet<String> {
    let entries = fs::read_dir("/").into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

fn is_child(pid: u32) -> bool {
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    arguments.split(|&byte| byte == 0).nth(1) == Some(docket_extract::CHILD_COMMAND.as_bytes())
}

/// Bytes that a process has sent towards a disk.
fn written_bytes(pid: u32) -> Option<u64> {
    let io = fs::read_to_string(format!("/proc/{pid}/io")).ok()?;
    io.lines()
        .find_map(|line| line.strip_prefix("write_bytes: "))?
        .parse()
        .ok()
}

/// Open files of a process.
#[derive(Debug, Default)]
struct Files {
    sockets: usize,
    /// Files with a path that are open for writing.
    writable: Vec<PathBuf>,
}

impl Files {
    fn of(pid: u32) -> Option<Self> {
        let folder = format!("/proc/{pid}/fd");
        let mut files = Self::default();
        for entry in fs::read_dir(folder).ok()?.flatten() {
            let Ok(target) = fs::read_link(entry.path()) else {
                continue;
            };
            files.sockets += usize::from(target.to_string_lossy().starts_with("socket:"));
            let number = entry.file_name();
            if is_file(pid, &target) && is_writable(pid, &number.to_string_lossy()) {
                files.writable.push(target);
            }
        }
        Some(files)
    }
}

/// Whether this is a file on a file system: no document in memory, not the device that swallows output, and not the file through
/// which a child makes itself the first to be killed when memory runs out, before it is confined.
fn is_file(pid: u32, target: &Path) -> bool {
    let is_in_memory = target.as_os_str().as_encoded_bytes().starts_with(b"/memfd:");
    let score = PathBuf::from(format!("/proc/{pid}/oom_score_adj"));
    target.is_absolute() && !is_in_memory && target != Path::new("/dev/null") && target != score
}

fn is_writable(pid: u32, descriptor: &str) -> bool {
    let about = fs::read_to_string(format!("/proc/{pid}/fdinfo/{descriptor}")).unwrap_or_default();
    let flags = about.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| flags & ACCESS != READ_ONLY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_no_child_and_its_files_are_listed() {
        let own = std::process::id();
        assert!(!is_child(own));
        assert!(!Process::of(own).unwrap().lives(), "it is no child");
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_owned();
        assert!(Files::of(own).unwrap().writable.contains(&path));
        let memory = Path::new("/memfd:document (deleted)");
        assert!(!is_file(own, memory) && !is_file(own, Path::new("/dev/null")) && is_file(own, Path::new("/tmp/a")));
    }
}
