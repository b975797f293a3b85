//! `docket-local test`: runs all tests of the workspace, with the servers that they need.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use crate::checkout::Checkout;
use crate::deps::{self, Deps};
use crate::link::Link;
use crate::signals;

/// Installs what the tests need, starts the test stack, runs `cargo test --workspace` with these arguments, and stops.
pub async fn run(checkout: &Checkout, arguments: &[OsString]) -> Result<ExitCode> {
    let stop = signals::stop_on_signals()?;
    let state = checkout.state()?;
    let pdfium = Deps::ensure(&state).await?.pdfium;
    deps::ensure_pgbouncer(&state).await?;
    deps::ensure_prometheus(&state).await?;
    println!("starting the test stack ...");
    let link = Link::open().await?;
    println!("the test stack runs in {}", link.info().state.display());
    let mut tests = cargo_test(checkout, arguments);
    tests.env("DOCKET_PDFIUM_LIB", pdfium); // For the tests of the crate that parses documents, which knows no launcher.
    let is_success = wait(tests, &stop).await;
    link.stop().await?;
    Ok(if is_success? {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn cargo_test(checkout: &Checkout, arguments: &[OsString]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut tests = Command::new(cargo);
    tests.args(["test", "--workspace"]).args(arguments);
    tests.current_dir(checkout.root());
    tests
}

/// Runs cargo in a process group of its own. A stop ends the whole group: cargo, compilers, tests.
async fn wait(mut tests: Command, stop: &CancellationToken) -> Result<bool> {
    tests.kill_on_drop(true).process_group(0);
    let mut tests = tests.spawn().context("run cargo test")?;
    let group = tests.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    if let Some(status) = stop.run_until_cancelled(tests.wait()).await {
        return Ok(status.context("wait for cargo test")?.success());
    }
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::TERM); // The group may have ended since.
    }
    tests.wait().await.context("wait for cargo test")?;
    Ok(false)
}
