//! `docket-local test`: all tests of the workspace, with the servers they need around them.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Context, Result};
use tokio::process::Command;

use crate::checkout::Checkout;
use crate::deps::{self, Deps};
use crate::testing::Link;

/// Installs what the tests need, starts the test stack, runs `cargo test --workspace` with these arguments, and stops.
pub async fn run(checkout: &Checkout, arguments: &[OsString]) -> Result<ExitCode> {
    let state = checkout.state()?;
    Deps::ensure(&state).await?;
    deps::ensure_pgbouncer(&state).await?;
    deps::ensure_prometheus(&state).await?;
    println!("starting the test stack ...");
    let link = Link::open().await?;
    println!("the test stack runs in {}", link.info().state.display());
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut tests = Command::new(cargo);
    tests
        .args(["test", "--workspace"])
        .args(arguments)
        .current_dir(checkout.root())
        .kill_on_drop(true);
    let status = tests.status().await.context("run cargo test");
    link.stop().await?;
    Ok(if status?.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
