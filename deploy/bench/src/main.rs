//! Command line of the benchmarks.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use docket_bench::bare::{self, BareArgs};
use docket_bench::contest;
use docket_bench::fairness::{self, FairnessSettings};
use docket_bench::repeats::{self, RepeatsSettings};
use docket_bench::settings::Settings;
use docket_bench::soak::{self, SoakSettings};
use docket_bench::threads::{self, ThreadsSettings};

/// Measures Docket on the servers of the test stack. Say ratios of one run, not figures of one machine.
#[derive(Debug, Parser)]
#[command(name = "docket-bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The worker against bare onnxruntime and against a Celery pipeline, in turns on the same cores.
    Worker(Settings),
    /// The worker's memory under a long mixed load, and small documents beside a very large one.
    Soak(SoakSettings),
    /// A quiet client's time to result beside noisy ones, and what a queue without an order of clients makes of it.
    Fairness(FairnessSettings),
    /// How many windows of a folder of texts repeat: what a cache of results could save.
    Repeats(RepeatsSettings),
    /// Sessions against threads of a pass, spinning or not: how a worker should use its cores.
    Threads(ThreadsSettings),
    /// Bare onnxruntime alone; `worker` runs this in a process of its own.
    #[command(hide = true)]
    Bare(BareArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("docket-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<()> {
    match command {
        Command::Worker(settings) => contest::run(&settings).await,
        Command::Soak(settings) => soak::run(&settings).await,
        Command::Fairness(settings) => fairness::run(&settings).await,
        Command::Repeats(settings) => repeats::run(&settings),
        Command::Threads(settings) => threads::run(&settings).await,
        Command::Bare(args) => {
            let runs = tokio::task::spawn_blocking(move || bare::run(&args)).await;
            println!("{}", serde_json::to_string(&runs.context("run the model")??)?);
            Ok(())
        }
    }
}
