//! `docket-worker`: parse, wire, wait.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use docket_shared::blob::{BlobConfig, BlobStore};
use docket_shared::config::{Env, table};
use docket_shared::shutdown::Shutdown;
use docket_shared::telemetry;
use docket_worker::config::{self, WorkerConfig};
use docket_worker::{models, run};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Claims jobs, runs an entity model over their documents, writes the entities. Settings are environment variables: see
/// `settings`.
#[derive(Parser)]
#[command(name = "docket-worker", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Work until SIGTERM (the default).
    Run,
    /// Models in the bucket.
    Models {
        #[command(subcommand)]
        command: ModelsCommand,
    },
    /// Print the settings as a table.
    Settings,
}

#[derive(Subcommand)]
enum ModelsCommand {
    /// Check a model's folder, put it into the bucket and make its version the one that holds.
    Publish {
        /// The folder, with its manifest.json.
        folder: PathBuf,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let env = Env::of_process();
    match Arguments::parse().command.unwrap_or(Command::Run) {
        Command::Run => {
            let config = WorkerConfig::from_env(&env)?;
            let metrics = telemetry::init(&env, "worker")?;
            run::run(config, metrics, Shutdown::on_signals()?).await
        }
        Command::Models {
            command: ModelsCommand::Publish { folder },
        } => {
            let blobs = BlobStore::connect(&BlobConfig::from_env(&env)?).await;
            models::publish(&blobs, &folder).await
        }
        Command::Settings => {
            print!("{}", table(&config::settings()));
            Ok(())
        }
    }
}
