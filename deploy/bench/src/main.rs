//! Command line of the benchmarks.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use docket_bench::bare::{self, BareArgs};
use docket_bench::contest;
use docket_bench::fairness::{self, FairnessSettings};
use docket_bench::public_files::{self, PublicFilesSettings};
use docket_bench::repeats::{self, RepeatsSettings};
use docket_bench::settings::Settings;
use docket_bench::soak::{self, SoakSettings};
use docket_bench::threads::{self, ThreadsSettings};

/// Measures Docket on the servers of the test stack. Compare ratios within one run; figures of two machines do not compare.
#[derive(Debug, Parser)]
#[command(name = "docket-bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compare the worker with bare onnxruntime and with a Celery pipeline, in turns on the same cores.
    Worker(Settings),
    /// Measure the worker's memory under a long mixed load, and small documents beside a very large document.
    Soak(SoakSettings),
    /// Measure a quiet client's time to result beside noisy clients, with fair dispatch and with a plain queue.
    Fairness(FairnessSettings),
    /// Count the windows that repeat in a folder of texts: the work that a cache of results could save.
    Repeats(RepeatsSettings),
    /// Compare sessions with threads per session, spinning or not, to see how a worker should use its cores.
    Threads(ThreadsSettings),
    /// Read public files, and check what is known of them. Nothing is measured, and no server is needed.
    Corpus(PublicFilesSettings),
    /// Run bare onnxruntime alone; `worker` starts this command as a process.
    #[command(hide = true)]
    Bare(BareArgs),
}

fn main() -> ExitCode {
    docket_extract::serve_if_child(); // The processes that read documents are this program.
    let runtime = tokio::runtime::Runtime::new().context("start a runtime");
    match runtime.and_then(|runtime| runtime.block_on(run(Cli::parse().command))) {
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
        Command::Corpus(settings) => public_files::run(&settings).await,
        Command::Bare(args) => {
            let runs = tokio::task::spawn_blocking(move || bare::run(&args)).await;
            println!("{}", serde_json::to_string(&runs.context("run the model")??)?);
            Ok(())
        }
    }
}
