//! The command line of the chaos runs.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::{Command, Output};

fn chaos(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_docket-chaos"))
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn a_plan_is_shown_and_nothing_else_is_done() {
    let shown = chaos(&["--faults", "5", "--only", "broker", "--show-plan"]);
    let plan = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.status.success());
    assert_eq!(plan.lines().filter(|line| line.contains(" broker-")).count(), 5);
}

#[test]
fn a_run_that_cannot_be_is_not_one_that_found_something() {
    assert_eq!(chaos(&["--only", "nothing"]).status.code(), Some(2));
}
