//! The settings of a run.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

/// How to make chaos.
#[derive(Debug, Clone, Args, Serialize)]
pub struct Settings {
    /// Faults to inject.
    #[arg(long, default_value_t = 60)]
    pub faults: usize,
    /// Seed of the plan of faults and of the callers' actions.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Inject only faults whose name begins with this text, such as `worker` or `shard-kill`.
    #[arg(long, value_name = "NAME")]
    pub only: Option<String>,
    /// Plant a bug, to test that the checker finds the bug: the run must then fail.
    #[arg(long, value_enum, value_name = "NAME")]
    pub plant: Option<Plant>,
    /// Print the plan of faults and end.
    #[arg(long)]
    #[serde(skip)]
    pub show_plan: bool,
    /// Write all figures to a file, as one JSON object.
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub json: Option<PathBuf>,
}

/// Bugs that can be planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Plant {
    /// A producer answers 202 before its transaction is committed.
    AckBeforeCommit,
    /// A worker writes its result even if the job has another claim by then.
    FinishWithoutTheClaim,
}

impl Plant {
    /// The value of `DOCKET_FAILPOINTS` for this bug.
    pub fn failpoint(self) -> &'static str {
        match self {
            Self::AckBeforeCommit => "bug.ack_before_commit=on",
            Self::FinishWithoutTheClaim => "bug.finish_without_the_claim=on",
        }
    }

    /// The faults that make this bug show soonest.
    pub fn faults(self) -> &'static str {
        match self {
            Self::AckBeforeCommit => "producer-kill",
            Self::FinishWithoutTheClaim => "worker-suspend",
        }
    }
}
