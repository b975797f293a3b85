//! Packages of the Linux distribution.

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::checkout::is_superuser;

/// The commands with which root installs a package.
const SCRIPT: &str = include_str!("install.sh");

/// Installs a package, as root or through sudo.
pub async fn install(package: &str) -> Result<()> {
    let by_hand = format!("{package} is missing: run `apt-get install --no-install-recommends {package}` as root");
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!("{package} is missing: install it with this system's package manager");
    }
    if !is_superuser() && !Path::new("/usr/bin/sudo").exists() {
        bail!("{by_hand}");
    }
    println!("installing the package {package} ...");
    let output = as_root()
        .args(["sh", "-c", SCRIPT, "install", package])
        .stdout(Stdio::inherit())
        .output()
        .await;
    let output = output.context("run apt-get")?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        bail!(
            "{by_hand} (tried, but: {})",
            errors.trim().lines().last().unwrap_or("it gave no reason")
        );
    }
    Ok(())
}

fn as_root() -> Command {
    if is_superuser() {
        let mut command = Command::new("env");
        command.stdin(Stdio::null());
        return command;
    }
    let mut command = Command::new("sudo");
    if !std::io::stdin().is_terminal() {
        command.arg("--non-interactive"); // Nobody is present to type a password.
    }
    command.stdin(Stdio::inherit());
    command
}
