//! The process that reads one picture: this program gives up what the process does not need, and becomes Tesseract.
//!
//! Tesseract loads libraries and languages, so files below the system's library folders stay readable, and nothing else. Landlock
//! and seccomp outlive the change of program.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use super::lockdown::{self, Landlock};
use super::syscalls;

/// Address space of Tesseract in bytes. The largest picture takes 100 MB, and libraries as much again.
const MEMORY_BYTES: u64 = 512 << 20;
/// CPU time for one picture, in seconds. A dense page takes 2 s to 4 s.
pub(super) const CPU_SECONDS: u64 = 60;
/// Descriptors: the standard ones, and one library or language at a time.
const DESCRIPTORS_MAX: u64 = 32;
/// Where programs, libraries and languages are.
const READABLE: [&str; 5] = ["/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/ld.so.preload"];

/// Exit codes of a process that did not become Tesseract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The arguments are not those of the parent.
    Arguments = 122,
    /// The kernel refuses limits, or to be tied to the parent.
    Lockdown = 123,
    /// Less is enforced than is required.
    NotConfined = 124,
    /// The program cannot be started.
    Program = 125,
}

/// Becomes Tesseract. The arguments are `true` where everything must be enforced, the program, and the program's own.
pub fn main(mut arguments: impl Iterator<Item = OsString>) -> ! {
    let (Some(required), Some(program)) = (arguments.next(), arguments.next()) else {
        lockdown::exit(Failure::Arguments as i32);
    };
    let failure = confine(required == "true", Path::new(&program)).err();
    if let Some(failure) = failure {
        lockdown::exit(failure as i32);
    }
    // One thread: a picture a core, and no thread can be started.
    let _never_returns_well = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("OMP_THREAD_LIMIT", "1")
        .exec();
    lockdown::exit(Failure::Program as i32)
}

fn confine(required: bool, program: &Path) -> Result<(), Failure> {
    lockdown::detach().map_err(|_| Failure::Lockdown)?;
    lockdown::step_back(None);
    lockdown::limit(MEMORY_BYTES, CPU_SECONDS, DESCRIPTORS_MAX).map_err(|_| Failure::Lockdown)?;
    let readable = READABLE.iter().map(Path::new).chain([program]);
    let landlock = lockdown::restrict_files(readable).unwrap_or(Landlock::None);
    let seccomp = syscalls::forbid_but_programs().is_ok();
    if required && (landlock == Landlock::None || !seccomp) {
        return Err(Failure::NotConfined);
    }
    Ok(())
}
