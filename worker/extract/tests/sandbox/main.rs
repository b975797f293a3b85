//! The sandbox, tried by a hostile child: this program is both the parent and, with an argument, the child. So it has a `main` of
//! its own, and not the one of the standard test harness.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod confined;
mod deeds;
mod ended;
mod jailed;
mod lives;
mod protocol;
mod world;

use std::process::ExitCode;

use docket_extract::sandbox::{JAIL_COMMAND, jail};
use libtest_mimic::{Arguments, Trial};

// As in the worker, whose allocator must live with a small limit on memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next().as_ref().and_then(|first| first.to_str()) {
        Some(world::CHILD) => deeds::child(arguments),
        Some(world::WEAK_CHILD) => deeds::weak_child(),
        Some(world::PARENT) => lives::parent(),
        Some(JAIL_COMMAND) => jail::main(arguments),
        _ => libtest_mimic::run(&Arguments::from_args(), facts()).exit_code(),
    }
}

fn facts() -> Vec<Trial> {
    let facts = [
        confined::FACTS,
        ended::FACTS,
        jailed::FACTS,
        lives::FACTS,
        protocol::FACTS,
    ]
    .concat();
    let trial = |(name, fact): (&str, fn())| {
        Trial::test(name, move || {
            fact();
            Ok(())
        })
    };
    facts.into_iter().map(trial).collect()
}
