//! How a document's fate is told from the end of its child.

use docket_contract::outcome::ParserEnd;
use docket_extract::place_for_any_scan;
use docket_extract::refusal::Refusal;
use docket_extract::sandbox::{End, ParseError, Task, TimeLimit};

use crate::deeds::Deed;
use crate::world::{self, Outcome};

pub const FACTS: &[(&str, fn())] = &[
    ("a_refusal_arrives", a_refusal_arrives),
    (
        "a_failed_allocation_is_out_of_memory",
        a_failed_allocation_is_out_of_memory,
    ),
    ("most_memory_can_be_used", most_memory_can_be_used),
    ("computing_too_long_is_timed_out", computing_too_long_is_timed_out),
    ("waiting_too_long_is_timed_out", waiting_too_long_is_timed_out),
    ("crashes_name_their_signal_or_code", crashes_name_their_signal_or_code),
    ("ends_are_counted", ends_are_counted),
];

fn outcome(deed: Deed) -> Outcome {
    world::run(async { world::outcome(&world::pool().await, deed).await })
}

fn a_refusal_arrives() {
    let outcome = outcome(Deed::Refuse);
    assert!(
        matches!(outcome, Err(ParseError::Refused(Refusal::Encrypted))),
        "{outcome:?}"
    );
}

/// What a deed that takes memory comes to. Taking all of it takes more than a second of CPU time.
fn outcome_in_memory(deed: Deed) -> Outcome {
    let mut options = world::options();
    options.allowance.cpu_seconds = 20;
    world::run(async { world::outcome(&world::pool_of(options).await.unwrap(), deed).await })
}

fn a_failed_allocation_is_out_of_memory() {
    for bytes in [1_000, 1 << 20, 1 << 40] {
        let outcome = outcome_in_memory(Deed::Allocate(bytes));
        let out_of_memory = matches!(
            outcome,
            Err(ParseError::OutOfMemory {
                max: world::MEMORY_BYTES
            })
        );
        assert!(out_of_memory, "blocks of {bytes}: {outcome:?}");
    }
    let outcome = outcome(Deed::Abort);
    assert!(
        matches!(outcome, Err(ParseError::OutOfMemory { .. })),
        "C++ ends so without memory: {outcome:?}"
    );
}

fn most_memory_can_be_used() {
    for (deed, percent_min) in [
        (Deed::TryAllocate(20_000_000), 70),
        (Deed::TryAllocate(1 << 20), 80),
        (Deed::TryAllocate(100_000), 65),
        (Deed::TryAllocate(1_000), 80),
        (Deed::TryAllocateInC(1 << 20), 75),
        (Deed::TryAllocateInC(1_000), 75),
        (Deed::Grow, 50),
    ] {
        let allocated: u64 = outcome_in_memory(deed.clone()).unwrap().about.parse().unwrap();
        let percent = allocated * 100 / world::MEMORY_BYTES;
        assert!(percent >= percent_min, "{deed:?}: {percent}% of the memory");
    }
}

fn computing_too_long_is_timed_out() {
    let outcome = outcome(Deed::Spin);
    let timed_out = matches!(outcome, Err(ParseError::TimedOut(TimeLimit::Cpu(world::CPU_SECONDS))));
    assert!(timed_out, "{outcome:?}");
}

fn waiting_too_long_is_timed_out() {
    world::run(async {
        let pool = world::pool().await;
        for deed in [Deed::Hang, Deed::NameAndHang] {
            let task = Task {
                wall: std::time::Duration::from_millis(300),
                ..world::task(&deed, "a document")
            };
            let outcome = world::outcome_of(&pool, task).await;
            assert!(
                matches!(outcome, Err(ParseError::TimedOut(TimeLimit::Wall(_)))),
                "{outcome:?}"
            );
        }
    });
}

fn crashes_name_their_signal_or_code() {
    for (deed, end) in [
        (Deed::Overflow, End::Signal(libc::SIGSEGV)),
        (Deed::BadPointer, End::Signal(libc::SIGSEGV)),
        (Deed::Panic, End::Code(101)),
        (Deed::Exit(7), End::Code(7)),
    ] {
        let outcome = outcome(deed.clone());
        let crashed = matches!(&outcome, Err(ParseError::Crashed(crashed)) if *crashed == end);
        assert!(crashed, "{deed:?}: {outcome:?}");
    }
}

fn ends_are_counted() {
    world::run(async {
        let pool = world::pool().await;
        for deed in [Deed::Echo(String::new()), Deed::Refuse, Deed::Panic, Deed::Panic] {
            let _ = world::outcome(&pool, deed).await;
        }
        let task = world::task(&Deed::Fill(1), "");
        let refused = pool.parse::<String, _>(task, place_for_any_scan, async |_| Err(std::fmt::Error));
        assert!(matches!(refused.await, Err(ParseError::Refusing(std::fmt::Error))));
        let ends = [
            ParserEnd::Done,
            ParserEnd::Refused,
            ParserEnd::Crashed,
            ParserEnd::Abandoned,
            ParserEnd::TimedOut,
        ];
        assert_eq!(ends.map(|end| pool.counts().ended(end)), [1, 1, 2, 1, 0]);
        assert!(pool.counts().started() >= 6, "the first, and one for each document");
    });
}
