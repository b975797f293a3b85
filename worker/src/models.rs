//! Models in the bucket, as an operator handles them: `docket-worker models`.
//!
//! A version exists when its manifest does. The manifest is written last and removed first, so a version exists as a whole or not
//! at all. A published version never changes.

pub mod check;
pub mod gate;
pub mod list;
pub mod publish;
pub mod remove;
pub mod seal;
mod stored;
mod switch;

use std::path::PathBuf;

use clap::Subcommand;
use docket_contract::ids::ModelRef;
use docket_objects::{BlobConfig, BlobStore};
use docket_process::settings::Env;

pub use stored::release_of;
pub use switch::switch;

use crate::config;
use docket_engine::model::ModelSettings;
use docket_engine::release::Release;

/// What an operator can do with models.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check a model's folder, measure the model by its gate, upload the model and make its version the current version.
    Publish {
        /// Folder of the model, with its manifest.json.
        folder: PathBuf,
        /// Leave the current version as it is, if there is a current version; then only jobs that name the new version use it.
        #[arg(long)]
        keep_current: bool,
    },
    /// List the models of the bucket and their versions.
    List,
    /// Fetch a version anew, check its files, load it, try it out and measure it by its gate.
    Check {
        /// The model; without a version, the current version.
        #[arg(value_name = "NAME[@VERSION]")]
        model: ModelRef,
    },
    /// Make another version the current version, for instance to roll back.
    Use {
        /// The version.
        #[arg(value_name = "NAME@VERSION")]
        model: Release,
    },
    /// Remove a version that is not the current version.
    Remove {
        /// The version.
        #[arg(value_name = "NAME@VERSION")]
        model: Release,
    },
    /// Write the sizes and hashes of a folder's files into its manifest.json, before it is published.
    Seal {
        /// Folder of the model, with a manifest.json that lacks only the list of files.
        folder: PathBuf,
    },
}

/// Runs an operator's command and prints the outcome.
pub async fn run(env: &Env, command: Command) -> anyhow::Result<()> {
    let bucket = async || anyhow::Ok(BlobStore::connect(&BlobConfig::from_env(env)?).await);
    let said = match command {
        Command::Publish { folder, keep_current } => {
            let options = publish::Options { keep_current };
            publish::publish(&bucket().await?, env, &folder, options).await?
        }
        Command::List => list::list(&bucket().await?).await?,
        Command::Check { model } => check::check(&bucket().await?, env, &model).await?,
        Command::Use { model } => switch(&bucket().await?, &model).await?,
        Command::Remove { model } => remove::remove(&bucket().await?, &model).await?,
        Command::Seal { folder } => format!("sealed: {}", seal::seal(&folder)?),
    };
    println!("{said}");
    Ok(())
}

/// How the operator's commands run a model: a session per core, and each window alone. So the answers are the same on every
/// machine, whatever the worker's settings.
pub fn settings(env: &Env) -> anyhow::Result<ModelSettings> {
    Ok(ModelSettings::for_cpu(
        config::onnxruntime(env)?,
        docket_engine::cpu::cores(),
    ))
}
