//! `docket-worker`: parse, wire, wait.
// The futures below `main` are nested deeper than the compiler's default limit.
#![recursion_limit = "256"]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use docket_process::metrics::By;
use docket_process::probe;
use docket_process::settings::{Env, table};
use docket_process::shutdown::{self, Shutdown};
use docket_process::telemetry::{self, Telemetry};
use docket_worker::config::{self, WorkerConfig};
use docket_worker::{entities, evaluate, models, run};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Claims jobs, runs an entity model over their documents, writes the entities. `settings` prints the settings, which are
/// environment variables.
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
    #[command(flatten)]
    Once(Once),
}

/// What does one thing and ends.
#[derive(Subcommand)]
enum Once {
    /// Publish, list, check, switch and remove models of the bucket.
    Models {
        #[command(subcommand)]
        command: models::Command,
    },
    /// Measure how good a model is on labelled text.
    Evaluate(evaluate::Options),
    /// Print the entities of texts, as a worker finds them. No service is needed.
    Entities(entities::Options),
    /// Check that the worker on this machine is alive; the image's health check runs this command.
    Healthcheck,
    /// Print the settings as a table.
    Settings,
}

fn main() -> ExitCode {
    // Before anything else: a child that parses a document starts no thread and opens nothing.
    docket_extract::serve_if_child();
    serve()
}

#[tokio::main]
async fn serve() -> ExitCode {
    match run_command().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("docket-worker: {}", telemetry::chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run_command() -> anyhow::Result<()> {
    let env = Env::of_process();
    match Arguments::parse().command.unwrap_or(Command::Run) {
        Command::Run => {
            let shutdown = Shutdown::on_signals()?;
            let config = WorkerConfig::from_env(&env)?;
            let Telemetry { metrics, traces } = telemetry::init(&env, By::Worker)?;
            let ran = run::run(config, metrics, shutdown).await;
            traces.flush().await;
            ran
        }
        Command::Once(command) => {
            shutdown::exit_on_sigterm()?;
            once(&env, command).await
        }
    }
}

async fn once(env: &Env, command: Once) -> anyhow::Result<()> {
    match command {
        Once::Models { command } => models::run(env, command).await,
        Once::Evaluate(options) => evaluate::run(env, options).await,
        Once::Entities(options) => entities::run(env, options).await,
        Once::Healthcheck => probe::check(env.get(&config::HTTP_ADDR)?).await,
        Once::Settings => {
            print!("{}", table(&config::settings()));
            Ok(())
        }
    }
}
