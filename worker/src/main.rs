//! `docket-worker`: parse, wire, wait.
// What is awaited below `main` is nested deeper than the compiler looks by default.
#![recursion_limit = "256"]

use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use docket_shared::config::{Env, table};
use docket_shared::metrics::By;
use docket_shared::probe;
use docket_shared::shutdown::Shutdown;
use docket_shared::telemetry::{self, Telemetry};
use docket_worker::config::{self, WorkerConfig};
use docket_worker::{evaluate, models, run};

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
        command: models::Command,
    },
    /// Say how good a model is on labelled text.
    Evaluate(evaluate::command::Options),
    /// Say whether the worker on this machine is alive: for the image's health check.
    Healthcheck,
    /// Print the settings as a table.
    Settings,
}

#[tokio::main]
async fn main() -> ExitCode {
    let shutdown = Shutdown::on_signals();
    match run_command(Arguments::parse().command.unwrap_or(Command::Run), shutdown).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("docket-worker: {}", telemetry::chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run_command(command: Command, shutdown: io::Result<Shutdown>) -> anyhow::Result<()> {
    let (env, shutdown) = (Env::of_process(), shutdown?);
    if !matches!(command, Command::Run) {
        shutdown.exits();
    }
    match command {
        Command::Run => {
            let config = WorkerConfig::from_env(&env)?;
            let Telemetry { metrics, traces } = telemetry::init(&env, By::Worker)?;
            let ran = run::run(config, metrics, shutdown).await;
            traces.flush().await;
            ran
        }
        Command::Models { command } => models::run(&env, command).await,
        Command::Evaluate(options) => evaluate::command::run(&env, options).await,
        Command::Healthcheck => probe::check(env.get(&config::HTTP_ADDR)?).await,
        Command::Settings => {
            print!("{}", table(&config::settings()));
            Ok(())
        }
    }
}
