//! `docket-producer`: parse, wire, wait.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use docket_contract::ids::ClientId;
use docket_identity::Bearer;
use docket_operator::{commands, doctor};
use docket_process::metrics::{self, By};
use docket_process::probe;
use docket_process::settings::{self, Env};
use docket_process::shutdown::{self, Shutdown};
use docket_process::telemetry::{self, Telemetry};
use docket_producer::config::{self, ProducerConfig};
use docket_producer::role::Role;
use docket_producer::serve;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Docket's HTTP service, dispatcher and operator commands. `settings` prints the settings, which are environment variables.
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
        /// Roles of this process, separated by commas.
        #[arg(long, value_delimiter = ',', default_values_t = Role::ALL)]
        roles: Vec<Role>,
    },
    #[command(flatten)]
    Once(Once),
}

/// Commands that do one thing and end.
#[derive(Subcommand)]
enum Once {
    /// Bring the catalog and every shard to this release's schema.
    Migrate,
    /// Repair dispatch after the broker has lost its messages.
    Dispatch {
        #[command(subcommand)]
        command: DispatchCommand,
    },
    /// List, redrive and purge failed and expired jobs.
    Dead {
        #[command(subcommand)]
        command: commands::dead::Command,
    },
    /// List, redrive and purge messages that named no job.
    Parked {
        #[command(subcommand)]
        command: commands::parked::Command,
    },
    /// Hold back the waiting work of a client or of a model.
    Pause(commands::controls::Target),
    /// Release the work that a pause holds back.
    Resume(commands::controls::Target),
    /// Show and change the weights and caps of clients.
    Clients {
        #[command(subcommand)]
        command: commands::controls::Clients,
    },
    /// List what operators did.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Print a token for development.
    Token {
        #[command(flatten)]
        bearer: TokenBearer,
        /// Lifetime of the token, in seconds.
        #[arg(long, default_value_t = 24 * 3600)]
        lifetime: u64,
    },
    /// Check that the producer on this machine is alive; the image's health check runs this command.
    Healthcheck,
    /// Find and settle gaps after a restore of a shard or of the bucket.
    Restore {
        #[command(subcommand)]
        command: commands::restore::Command,
    },
    /// Check every dependency of Docket from this machine and report faults. Exit codes: 0 all is well, 3 warnings, 1 faults.
    Doctor(doctor::Options),
    /// Print the settings as a table.
    Settings,
    /// Print all metrics of producers and workers as a table.
    Metrics,
}

#[derive(Subcommand)]
enum DispatchCommand {
    /// Set every published job waiting again.
    Requeue,
}

#[derive(Subcommand)]
enum AuditCommand {
    /// List actions, newest first.
    List(commands::audit::List),
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct TokenBearer {
    /// Client for whom the token is.
    #[arg(long)]
    client: Option<ClientId>,
    /// Operator for whom the token is.
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
}

impl TokenBearer {
    fn bearer(&self) -> Bearer<'_> {
        match (&self.client, &self.operator) {
            (Some(client), _) => Bearer::Client(client),
            (None, operator) => Bearer::Operator(operator.as_deref().unwrap_or_default()),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("docket-producer: {}", telemetry::chain(error.as_ref()));
            commands::exit_code(&error)
        }
    }
}

async fn run() -> anyhow::Result<ExitCode> {
    let env = Env::of_process();
    match Arguments::parse().command {
        Command::Serve { roles } => {
            let shutdown = Shutdown::on_signals()?;
            let config = ProducerConfig::of_roles(&env, &roles)?;
            let Telemetry { metrics, traces } = telemetry::init(&env, By::Producer)?;
            let served = serve::run(config, &roles, metrics, shutdown).await;
            traces.flush().await;
            served.map(|()| ExitCode::SUCCESS)
        }
        Command::Once(command) => {
            shutdown::exit_on_sigterm()?;
            once(&env, command).await
        }
    }
}

async fn once(env: &Env, command: Once) -> anyhow::Result<ExitCode> {
    let done = match command {
        Once::Doctor(options) => return doctor::run(env, config::of_program(env), &options).await,
        Once::Migrate => commands::migrate::run(env).await,
        Once::Dispatch {
            command: DispatchCommand::Requeue,
        } => commands::requeue::run(env).await,
        Once::Dead { command } => commands::dead::run(env, command).await,
        Once::Parked { command } => commands::parked::run(env, command).await,
        Once::Restore { command } => commands::restore::run(env, command).await,
        Once::Pause(target) => commands::controls::pause(env, target, true).await,
        Once::Resume(target) => commands::controls::pause(env, target, false).await,
        Once::Clients { command } => commands::controls::clients(env, command).await,
        Once::Audit {
            command: AuditCommand::List(list),
        } => commands::audit::list(env, &list).await,
        Once::Token { bearer, lifetime } => commands::token::run(env, bearer.bearer(), Duration::from_secs(lifetime)),
        Once::Healthcheck => probe::check(env.get(&docket_http::settings::ADDR)?).await,
        Once::Settings => {
            print!("{}", settings::table(&config::settings()));
            Ok(())
        }
        Once::Metrics => {
            print!("{}", metrics::table());
            Ok(())
        }
    };
    done.map(|()| ExitCode::SUCCESS)
}
