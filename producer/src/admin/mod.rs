//! Operator commands: one file each.

pub mod audit;
pub mod controls;
pub mod dead;
pub mod doctor;
pub mod migrate;
pub mod parked;
pub mod requeue;
pub mod restore;
pub mod settings;
mod since;
mod table;
pub mod token;

use std::process::ExitCode;

use docket_shared::blob::{BlobConfig, BlobStore};
use docket_shared::config::Env;
use docket_shared::store::{Shards, StoreConfig};
use serde::Serialize;

use crate::models::Models;
use crate::operate::{OperateError, Operations};

/// There is nothing of a name that was given. 1 is any other failure, 2 a command line that is not understood, 3 the doctor's.
const EXIT_NO_SUCH: u8 = 4;

/// What a command ends with that failed.
pub fn exit_code(error: &anyhow::Error) -> ExitCode {
    match error.downcast_ref() {
        Some(OperateError::NoSuch(_)) => ExitCode::from(EXIT_NO_SUCH),
        Some(_) | None => ExitCode::FAILURE,
    }
}

/// What whoever runs this command may do, who has the databases' addresses: everything.
async fn operations(env: &Env) -> anyhow::Result<Operations> {
    let shards = Shards::connect(&StoreConfig::from_env(env)?).await?;
    let models = Models::new(BlobStore::connect(&BlobConfig::from_env(env)?).await);
    Ok(Operations::new(shards, models, actor()))
}

/// The operating system's user, and the host: `ada@node-7`.
fn actor() -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    // The system's own program also knows the users of a directory service.
    let said = std::process::Command::new("id").arg("-un").output();
    let said = said.ok().filter(|output| output.status.success());
    let name = said.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let name = name.filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()));
    format!("{name}@{host}")
}

fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}
