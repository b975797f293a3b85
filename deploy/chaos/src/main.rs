//! Command line of the chaos runs.

use std::process::ExitCode;

use clap::Parser;
use docket_chaos::run;
use docket_chaos::settings::Settings;

/// Uploads documents while faults are injected, then checks that no accepted document was lost and that no job took effect twice.
#[derive(Debug, Parser)]
#[command(name = "docket-chaos", version)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run::run(&Cli::parse().settings).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("docket-chaos: {error:#}");
            ExitCode::from(2)
        }
    }
}
