//! Operator commands: one file each.

pub mod audit;
pub mod controls;
pub mod dead;
pub mod migrate;
pub mod parked;
pub mod requeue;
pub mod restore;
mod since;
pub(crate) mod table;
pub mod token;

use std::process::ExitCode;

use docket_objects::{BlobConfig, BlobStore};
use docket_process::settings::Env;
use docket_store::{Shards, StoreConfig};
use serde::Serialize;

use crate::actions::{OperateError, Operations};
use docket_objects::published::Models;

/// The given name names nothing. Other codes: 1 is any other failure, 2 a malformed command line, 3 the doctor's warnings.
const EXIT_NO_SUCH: u8 = 4;

/// The exit code of a failed command.
pub fn exit_code(error: &anyhow::Error) -> ExitCode {
    match error.downcast_ref() {
        Some(OperateError::NoSuch(_)) => ExitCode::from(EXIT_NO_SUCH),
        Some(_) | None => ExitCode::FAILURE,
    }
}

/// All actions: whoever runs a command has the databases' addresses, and so may do everything.
async fn operations(env: &Env) -> anyhow::Result<Operations> {
    let shards = Shards::connect(&StoreConfig::from_env(env)?).await?;
    let models = Models::new(BlobStore::connect(&BlobConfig::from_env(env)?).await);
    Ok(Operations::new(shards, models, actor()))
}

/// The operating system's user, and the host: `ada@node-7`.
fn actor() -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    // `id` also knows the users of a directory service.
    let said = std::process::Command::new("id").arg("-un").output();
    let said = said.ok().filter(|output| output.status.success());
    let name = said.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let name = name.filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()));
    format!("{name}@{host}")
}

pub(crate) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}
