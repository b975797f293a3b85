//! `docket-producer`: parse, wire, wait.

use std::time::Duration;

use clap::{Parser, Subcommand};
use docket_producer::serve::{self, Role};
use docket_producer::{admin, config::ProducerConfig};
use docket_shared::config::Env;
use docket_shared::ids::ClientId;
use docket_shared::shutdown::Shutdown;
use docket_shared::telemetry;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Docket's HTTP service, dispatcher and operator commands. Settings are environment variables: see `settings`.
#[derive(Parser)]
#[command(name = "docket-producer", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the chosen roles until SIGTERM.
    Serve {
        /// Which roles this process has.
        #[arg(long, value_delimiter = ',', default_values_t = Role::ALL)]
        roles: Vec<Role>,
    },
    /// Bring the catalog and every shard to this release's schema.
    Migrate,
    /// Act on waiting work.
    Dispatch {
        #[command(subcommand)]
        command: DispatchCommand,
    },
    /// Print a token for development.
    Token {
        /// The client it is for.
        #[arg(long)]
        client: ClientId,
        /// How long it is valid, in seconds.
        #[arg(long, default_value_t = 24 * 3600)]
        lifetime: u64,
    },
    /// Print the settings as a table.
    Settings,
}

#[derive(Subcommand)]
enum DispatchCommand {
    /// Set every published job waiting: after a broker has lost its data.
    Requeue,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let env = Env::of_process();
    match Arguments::parse().command {
        Command::Serve { roles } => {
            let config = ProducerConfig::from_env(&env)?;
            let metrics = telemetry::init(&env, "producer")?;
            serve::run(config, &roles, metrics, Shutdown::on_signals()?).await
        }
        Command::Migrate => admin::migrate::run(&env).await,
        Command::Dispatch {
            command: DispatchCommand::Requeue,
        } => admin::requeue::run(&env).await,
        Command::Token { client, lifetime } => admin::token::run(&env, &client, Duration::from_secs(lifetime)),
        Command::Settings => {
            admin::settings::run();
            Ok(())
        }
    }
}
