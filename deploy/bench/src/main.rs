//! Command line of the benchmarks.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use docket_bench::bare::{self, BareArgs};
use docket_bench::contest;
use docket_bench::documents::{self, DocumentsSettings};
use docket_bench::fairness::{self, FairnessSettings};
use docket_bench::hostile::{self, HostileSettings};
use docket_bench::public_files::{self, PublicFilesSettings};
use docket_bench::quality::{self, QualitySettings};
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
    /// Send hostile files through the service: every one must end, every worker must live, and nothing may leave the sandbox.
    Hostile(HostileSettings),
    /// Measure reading PDFs: pages a CPU second beside `pdftotext`, the time that a PDF takes more than its text, and letters beside
    /// large PDFs.
    Documents(DocumentsSettings),
    /// Count how many entities and citations are found, by Docket and by other people's tools on the same texts. Needs no server.
    Quality(QualitySettings),
    /// Run bare onnxruntime alone; `worker` starts this command as a process.
    #[command(hide = true)]
    Bare(BareArgs),
}

// As in the worker: a child's limits on memory hold for its allocator too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Before anything else: `documents` reads documents in children that run this very program.
    docket_extract::serve_if_child();
    measure()
}

#[tokio::main]
async fn measure() -> ExitCode {
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
        Command::Corpus(settings) => public_files::run(&settings).await,
        Command::Hostile(settings) => hostile::run(&settings).await,
        Command::Documents(settings) => documents::run(&settings).await,
        Command::Quality(settings) => quality::run(&settings).await,
        Command::Bare(args) => {
            let runs = tokio::task::spawn_blocking(move || bare::run(&args)).await;
            println!("{}", serde_json::to_string(&runs.context("run the model")??)?);
            Ok(())
        }
    }
}
