//! Programs of this workspace that tests start, built in the tests' profile.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};

use crate::checkout::Checkout;

static BUILT: LazyLock<Result<(), String>> = LazyLock::new(|| build().map_err(|error| format!("{error:#}")));

/// Builds the programs of the workspace, once in this process. Blocks the thread.
pub fn build_binaries() {
    if let Err(error) = &*BUILT {
        panic!("build the programs under test: {error}");
    }
}

/// Path of a program of the workspace, such as `docket-producer`. Call [`build_binaries`] first.
pub fn binary(name: &str) -> PathBuf {
    let program = folder().expect("a running program has a folder").join(name);
    assert!(program.is_file(), "{} is not built", program.display());
    program
}

/// Path of the launcher, built anew if its sources have changed.
pub(crate) fn launcher() -> Result<PathBuf> {
    let program = folder()?.join("docket-local");
    let built = std::fs::metadata(&program).and_then(|found| found.modified());
    let sources = Checkout::find()?.root().join("deploy/local");
    let is_stale = built.map_or(true, |built| {
        newest(&sources.join("src")).max(newest(&sources.join("Cargo.toml"))) > built
    });
    if is_stale {
        build()?;
    }
    Ok(program)
}

/// The folder of built programs: test programs lie in `<folder>/deps`, others in `<folder>`.
fn folder() -> Result<PathBuf> {
    let executable = std::env::current_exe().context("find the running executable")?;
    let folder = executable.parent().context("an executable lies in a folder")?;
    let is_test = folder.file_name().is_some_and(|name| name == "deps");
    Ok(if is_test {
        folder.parent().unwrap_or(folder)
    } else {
        folder
    }
    .to_owned())
}

fn newest(path: &Path) -> SystemTime {
    let own = std::fs::metadata(path)
        .and_then(|found| found.modified())
        .unwrap_or(SystemTime::UNIX_EPOCH);
    let inner = std::fs::read_dir(path)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| newest(&entry.path()));
    inner.fold(own, SystemTime::max)
}

/// Builds all that `cargo test` builds. The programs alone would choose other features of shared dependencies, and compile those
/// again.
fn build() -> Result<()> {
    let folder = folder()?;
    let profile: &[&str] = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") => &[],
        Some("release") => &["--release"],
        _ => bail!("{} is not a folder of cargo's own profiles", folder.display()),
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command
        .args(["test", "--quiet", "--workspace", "--no-run"])
        .args(profile)
        .current_dir(Checkout::find()?.root());
    command.stdin(Stdio::null());
    // To build scripts, the variables that cargo sets for a running test would look like a changed environment.
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        let is_of_run = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"]
            .iter()
            .any(|start| name_text.starts_with(start));
        if is_of_run || ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "LD_LIBRARY_PATH"].contains(&&*name_text) {
            command.env_remove(&name);
        }
    }
    let output = command.output().context("run cargo")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
