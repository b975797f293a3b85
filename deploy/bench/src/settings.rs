//! The settings of `bench worker`, from the command line.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::corpus::Kind;

/// The worker against bare onnxruntime and against a Celery pipeline, in turns on the same cores.
#[derive(Debug, Clone, Args, Serialize)]
pub struct Settings {
    /// Documents of the corpus.
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub documents: u32,
    /// Kind of documents.
    #[arg(long, default_value = "contracts")]
    pub corpus: Kind,
    /// Seed of the corpus.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Turns of each contestant; the figures are medians over the turns.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub rounds: u32,
    /// Model calls at the same time: sessions of Docket and of bare onnxruntime, processes of the Celery pipeline.
    #[arg(long, default_value_t = 1)]
    pub sessions: usize,
    /// Cores for each contestant, as a list for `taskset -c`; by default all cores. The servers may use any core.
    #[arg(long, value_name = "LIST")]
    pub cores: Option<String>,
    /// Labelled records (JSONL of `tokens` and BIO `labels`), to measure F1 on.
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Python with `deploy/bench/peer/requirements.txt` installed; without this option the Celery pipeline is left out.
    #[arg(long, value_name = "PYTHON")]
    pub peer_python: Option<PathBuf>,
    /// The model in fp32, for the typical build of the Celery pipeline; without this option that variant is left out.
    #[arg(long, value_name = "FILE")]
    pub fp32: Option<PathBuf>,
    /// Write all figures to a file, as one JSON object.
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub json: Option<PathBuf>,
}

impl Settings {
    /// Cores that a contestant may use.
    pub fn cores(&self) -> Option<&str> {
        self.cores.as_deref()
    }
}
