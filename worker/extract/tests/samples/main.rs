//! The sample documents, read as a worker reads them: exact texts, and where some of their words stand. This program is both the
//! parent and, with an argument, the child. So it has a `main` of its own, and not the one of the standard test harness.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod images;
mod made;
mod pdf;
mod reading;
mod scans;
mod structured;
mod texts;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

// As in the worker, whose allocator must live with a small limit on memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    docket_extract::serve_if_child();
    libtest_mimic::run(&Arguments::from_args(), facts()).exit_code()
}

fn facts() -> Vec<Trial> {
    let facts = [
        images::FACTS,
        made::FACTS,
        texts::FACTS,
        pdf::FACTS,
        scans::FACTS,
        structured::FACTS,
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
