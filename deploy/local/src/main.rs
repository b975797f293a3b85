//! Command line of the launcher.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use docket_local::autoscale::formula::Policy;
use docket_local::checkout::Checkout;
use docket_local::demo::{self, DemoOptions};
use docket_local::postgres::Login;
use docket_local::running::{self, Running};
use docket_local::stack::SHARDS_MAX;
use docket_local::{autoscale, daemon, suite};

/// Workers one machine may run: each holds the model in memory.
const WORKERS_MAX: i64 = 64;

/// Starts everything that Docket needs on one machine.
#[derive(Debug, Parser)]
#[command(name = "docket-local", version)]
struct Cli {
    /// The checkout to use; by default the checkout of the current directory.
    #[arg(long, value_name = "FOLDER")]
    checkout: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start Docket with all its servers, analyse sample documents, and stay up until Ctrl-C.
    Run(RunArgs),
    /// Start and stop workers beside `run --workers 0`, according to the work that waits.
    Autoscale(AutoscaleArgs),
    /// Print the settings of the Docket that `run` started, for other commands: `eval "$(docket-local env)"`.
    Env {
        /// Login whose settings are printed: operators need `producer`, migrations need `owner`.
        #[arg(value_enum, default_value = "producer")]
        login: Login,
    },
    /// Run all tests of the workspace on real servers.
    Test {
        /// Arguments for `cargo test --workspace`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Run the servers that tests share, until no test needs the servers.
    Stack,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// End after the documents are analysed; the exit code is 0 only if every document was read, and every text has entities.
    #[arg(long)]
    exit: bool,
    /// Delete all state of earlier runs first.
    #[arg(long)]
    fresh: bool,
    /// Number of PostgreSQL shards, 2 at first. Later runs keep the number; to change the number, add --fresh.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=SHARDS_MAX as i64))]
    shards: Option<u16>,
    /// Number of worker processes. With 0, documents wait until `autoscale` starts workers.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(0..=WORKERS_MAX))]
    workers: u16,
    /// Port of the HTTP API; by default 8080 if it is free, or else the port of the last run or a new port.
    #[arg(long, value_name = "PORT")]
    api_port: Option<u16>,
    /// Documents to upload instead of the samples.
    paths: Vec<PathBuf>,
}

#[derive(Debug, Args)]
struct AutoscaleArgs {
    /// Fewest workers.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=WORKERS_MAX))]
    min: u32,
    /// Most workers.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=WORKERS_MAX))]
    max: u32,
    /// Target of messages in the model queues per worker, unacknowledged messages included.
    #[arg(long, value_name = "N", default_value_t = 1)]
    messages: u32,
    /// Target of seconds of waiting work per worker.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    seconds: u32,
    /// Seconds for which fewer workers must be wanted before a worker stops; workers start after a tenth of this time. The manifests
    /// in deploy/k8s have 300 s.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    stabilisation: u32,
    /// File that describes the running Docket; by default the file of the checkout.
    #[arg(long, value_name = "FILE")]
    running: Option<PathBuf>,
}

impl AutoscaleArgs {
    fn policy(&self) -> Policy {
        Policy {
            min: self.min,
            max: self.max.max(self.min),
            messages_a_worker: self.messages.max(1).into(),
            seconds_a_worker: self.seconds.max(1).into(),
            stabilisation: Duration::from_secs(self.stabilisation.into()),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match dispatch(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("docket-local: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(cli: Cli) -> Result<ExitCode> {
    let checkout = cli.checkout.map_or_else(Checkout::find, |root| Checkout::at(&root))?;
    match cli.command {
        Command::Stack => daemon::run(&checkout).await.map(|()| ExitCode::SUCCESS),
        Command::Test { arguments } => suite::run(&checkout, &arguments).await,
        Command::Env { login } => {
            let running = Running::read(&running::file(&checkout.state()?))?;
            print!("{}", running::exports(&running, login));
            Ok(ExitCode::SUCCESS)
        }
        Command::Autoscale(args) => {
            let file = match &args.running {
                Some(file) => file.clone(),
                None => running::file(&checkout.state()?),
            };
            autoscale::run(&file, args.policy()).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Run(args) => {
            let options = DemoOptions {
                exits: args.exit,
                fresh: args.fresh,
                shards: args.shards.map(usize::from),
                workers: args.workers.into(),
                api_port: args.api_port,
                paths: args.paths,
            };
            demo::run(&checkout, options).await
        }
    }
}
