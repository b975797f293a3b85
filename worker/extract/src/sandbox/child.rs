//! What a child does, from its start to its end.

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::panic::{self, AssertUnwindSafe};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answer::{self, Answer};
use super::frames::{self, Kind};
use super::handover::{self, Channel};
use super::lockdown::{self, DESCRIPTORS_MAX};
use super::pictures::PictureReader;
use crate::refusal::Refusal;

/// Exit code of a panic, as Rust's own.
const PANICKED: i32 = 101;

/// Why a child ends without an answer. The values are exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// The last two arguments are not memory and CPU time.
    Arguments = 2,
    /// The kernel refuses what it has never refused: limits, or to be tied to the parent.
    Lockdown = 3,
    /// The parent's request cannot be read, or the parent does not take the answer.
    Channel = 4,
}

/// Runs this process as a child of a pool: `load`s what parsers need, gives up everything else, waits for a document, `parse`s it,
/// sends the answer and ends. The arguments are those behind the subcommand, to which the pool has added what the child may use.
///
/// Call this before anything else in `main`: no thread may have been started, nor anything been opened. Nothing is ever printed.
pub fn main<L, R: DeserializeOwned, S: Serialize>(
    arguments: impl Iterator<Item = OsString>,
    load: impl FnOnce() -> L,
    parse: impl FnOnce(L, R, &[u8], PictureReader) -> Result<Answer<S>, Refusal>,
) -> ! {
    panic::set_hook(Box::new(|_| ()));
    let served = panic::catch_unwind(AssertUnwindSafe(|| serve(arguments, load, parse)));
    lockdown::exit(match served {
        Ok(Ok(())) => 0,
        Ok(Err(failure)) => failure as i32,
        Err(_) => PANICKED,
    })
}

fn serve<L, R: DeserializeOwned, S: Serialize>(
    arguments: impl Iterator<Item = OsString>,
    load: impl FnOnce() -> L,
    parse: impl FnOnce(L, R, &[u8], PictureReader) -> Result<Answer<S>, Refusal>,
) -> Result<(), Failure> {
    let (memory_bytes, cpu_seconds) = allowance(arguments).ok_or(Failure::Arguments)?;
    lockdown::detach().map_err(|_| Failure::Lockdown)?;
    let loaded = load();
    lockdown::limit(memory_bytes, cpu_seconds, DESCRIPTORS_MAX).map_err(|_| Failure::Lockdown)?;
    say_ready(lockdown::confine()).map_err(|_| Failure::Channel)?;
    let channel = Channel::of_stdin();
    let Some((request, document)) = handover::receive(channel).map_err(|_| Failure::Channel)? else {
        return Ok(());
    };
    let request = serde_json::from_slice(&request).map_err(|_| Failure::Channel)?;
    let answer = parse(loaded, request, &document, PictureReader::of(channel));
    let mut out = BufWriter::new(channel);
    let written = answer::write(&mut out, answer).and_then(|()| out.flush());
    written.map_err(|_| Failure::Channel)
}

/// Memory in bytes and CPU time in seconds: the last two arguments.
fn allowance(arguments: impl Iterator<Item = OsString>) -> Option<(u64, u64)> {
    let arguments: Vec<OsString> = arguments.collect();
    let [.., memory_bytes, cpu_seconds] = arguments.as_slice() else {
        return None;
    };
    let number = |argument: &OsString| argument.to_str()?.parse().ok();
    Some((number(memory_bytes)?, number(cpu_seconds)?))
}

fn say_ready(enforced: lockdown::Enforced) -> io::Result<()> {
    let mut ready = Vec::new();
    frames::write(&mut ready, Kind::Ready, &serde_json::to_vec(&enforced)?)?;
    Channel::of_stdin().write_all(&ready)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_two_arguments_are_memory_and_time() {
        let read = |arguments: &[&str]| allowance(arguments.iter().map(OsString::from));
        assert_eq!(read(&["pdfium.so", "1024", "5"]), Some((1_024, 5)));
        assert_eq!(read(&["1024"]), None);
        assert_eq!(read(&["1024", "-5"]), None);
    }
}
