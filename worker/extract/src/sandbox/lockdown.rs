//! What a child gives up before it sees a document.
//!
//! The order matters: a library can be loaded after `detach`, and nothing can be opened after `confine`.

#![expect(unsafe_code, reason = "these system calls have no safe form")]

use std::fmt;
use std::io;
use std::path::Path;

use landlock::{ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, LandlockStatus, PathBeneath, PathFd};
use landlock::{Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope};
use rustix::process::{DumpableBehavior, Pid, Resource, Rlimit, Signal};
use serde::{Deserialize, Serialize};

use super::syscalls;

/// The newest Landlock rules that a child asks for: those of Linux 6.12, the first that keep signals and abstract sockets in.
const LANDLOCK_ABI: ABI = ABI::V6;
/// Standard input, output and error. The kernel closes what is above in a child.
const DESCRIPTORS_KEPT: libc::c_uint = 3;
/// Descriptors that a child may have: the standard ones, the document, Landlock's rules while they are made, and some reserve.
pub(super) const DESCRIPTORS_MAX: u64 = 16;
/// Stack of a child in bytes, as Linux gives by default. Without a limit, an endless recursion would take all memory first.
const STACK_BYTES: u64 = 8 << 20;
/// CPU time in seconds between the signal that names the reason and the one that cannot be blocked.
const CPU_GRACE_SECONDS: u64 = 1;
/// How nice a process is that takes long: beside a process of usual weight it gets a tenth of a core.
const NICE: i32 = 10;
/// Of all processes of a container that runs out of memory, the kernel ends one with this score first.
const OUT_OF_MEMORY_SCORE: &str = "1000";

/// What a child says that it enforces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enforced {
    /// Landlock: files, network, signals and sockets of other processes.
    pub landlock: Landlock,
    /// Seccomp: system calls.
    pub seccomp: bool,
}

/// How much of Landlock a child enforces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Landlock {
    /// Everything that was asked for.
    Full,
    /// What an older kernel knows.
    Partial {
        /// The kernel's version of Landlock.
        abi: i32,
    },
    /// Nothing: the kernel has no Landlock, or the container forbids it.
    None,
}

/// What a child does not enforce. The text names it, and what it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing(Enforced);

impl Enforced {
    /// What of the sandbox is missing, if anything is. A part of Landlock is enough: older kernels keep files away, and what
    /// newer ones add, the network and other processes, seccomp forbids too.
    pub fn missing(self) -> Option<Missing> {
        let whole = self.seccomp && self.landlock != Landlock::None;
        (!whole).then_some(Missing(self))
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let landlock = (self.0.landlock == Landlock::None).then_some("no Landlock");
        let seccomp = (!self.0.seccomp).then_some("no seccomp");
        let missing: Vec<&str> = landlock.into_iter().chain(seccomp).collect();
        write!(f, "{} (Linux 5.13 has both)", missing.join(", "))
    }
}

/// Ties a child to its parent, and cuts it off from what it inherited.
pub(super) fn detach() -> io::Result<()> {
    // Best effort, while the process may still write its own score.
    let _ = std::fs::write("/proc/self/oom_score_adj", OUT_OF_MEMORY_SCORE);
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    rustix::thread::set_no_new_privs(true)?;
    rustix::thread::set_name(c"docket-parse")?;
    close_inherited()?;
    default_signals();
    Ok(())
}

/// Lets others compute first: a process that takes long gives way to all that are soon done. `None` is this process.
pub(super) fn step_back(process: Option<Pid>) {
    // Best effort: where the kernel refuses, the process only takes its equal part.
    let _ = rustix::process::setpriority_process(process, NICE);
}

/// Closes all descriptors but the standard ones. C libraries of the parent open some that are inherited.
fn close_inherited() -> io::Result<()> {
    // SAFETY: No value of this process owns a descriptor yet, since the process has just started.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, DESCRIPTORS_KEPT, libc::c_uint::MAX, 0) };
    if closed == 0 {
        return Ok(());
    }
    Err(io::Error::last_os_error())
}

/// Lets bad memory accesses end the process by their own signal. Rust's handler turns a stack overflow into SIGABRT, which is what
/// failed allocations give.
fn default_signals() {
    for signal in [libc::SIGSEGV, libc::SIGBUS] {
        // SAFETY: The default action runs no code of this process.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// Sets the limits that the kernel keeps. Libraries should be loaded before: what they map counts.
pub(super) fn limit(memory_bytes: u64, cpu_seconds: u64, descriptors: u64) -> io::Result<()> {
    for (resource, max) in [
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nproc, 0),
        (Resource::Nofile, descriptors),
        (Resource::Stack, STACK_BYTES),
        (Resource::As, memory_bytes),
    ] {
        lower(resource, max, max)?;
    }
    lower(
        Resource::Cpu,
        cpu_seconds,
        cpu_seconds.saturating_add(CPU_GRACE_SECONDS),
    )
}

/// Lowers a limit. A limit that is lower already stays.
fn lower(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let inherited = rustix::process::getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let lowered = Rlimit {
        current: Some(soft.min(inherited)),
        maximum: Some(hard.min(inherited)),
    };
    Ok(rustix::process::setrlimit(resource, lowered)?)
}

/// Gives up files, network, other processes and all system calls that a parser does not need.
pub(super) fn confine() -> Enforced {
    Enforced {
        landlock: restrict_files([]).unwrap_or(Landlock::None),
        seccomp: syscalls::restrict().is_ok(),
    }
}

/// Landlock: only files below these paths can be opened, to be read and run. No port can be reached, no process outside signalled.
pub(super) fn restrict_files<'a>(readable: impl IntoIterator<Item = &'a Path>) -> Result<Landlock, RulesetError> {
    let rules = readable.into_iter().filter_map(rule);
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(LANDLOCK_ABI))?
        .handle_access(AccessNet::from_all(LANDLOCK_ABI))?
        .scope(Scope::from_all(LANDLOCK_ABI))?
        .create()?
        .add_rules(rules.map(Ok::<_, RulesetError>))?
        .restrict_self()?;
    Ok(match (status.ruleset, status.landlock) {
        (RulesetStatus::FullyEnforced, _) => Landlock::Full,
        (RulesetStatus::PartiallyEnforced, LandlockStatus::Available { effective_abi, .. }) => Landlock::Partial {
            abi: effective_abi as i32,
        },
        (RulesetStatus::PartiallyEnforced | RulesetStatus::NotEnforced, _) => Landlock::None,
    })
}

/// The right to read and run what is below a path; `None` where there is no such path.
fn rule(path: &Path) -> Option<PathBeneath<PathFd>> {
    let below = if path.is_dir() {
        AccessFs::from_read(LANDLOCK_ABI)
    } else {
        AccessFs::ReadFile | AccessFs::Execute
    };
    Some(PathBeneath::new(PathFd::new(path).ok()?, below))
}

/// Ends the process without running what libraries have registered for its end, which a document may have changed.
pub(super) fn exit(code: i32) -> ! {
    // SAFETY: The call does not return, and the kernel frees everything.
    unsafe { libc::_exit(code) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let enforced = |landlock, seccomp| Enforced { landlock, seccomp };
        assert_eq!(enforced(Landlock::Full, true).missing(), None);
        assert_eq!(enforced(Landlock::Partial { abi: 2 }, true).missing(), None);
        let missing = enforced(Landlock::None, true).missing().unwrap();
        assert_eq!(missing.to_string(), "no Landlock (Linux 5.13 has both)");
        let missing = enforced(Landlock::Partial { abi: 2 }, false).missing().unwrap();
        assert_eq!(missing.to_string(), "no seccomp (Linux 5.13 has both)");
    }
}
