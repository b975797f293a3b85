//! Bare onnxruntime on the worker's very windows: only the model runs. This is a process of its own, so that its cores and memory
//! are measured alone.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use docket_engine::infer::labels::ModelConfig;
use docket_engine::infer::manifest::{CONFIG_FILE, MODEL_FILE};
use docket_engine::infer::session::{ModelSession, Runtime, Threads};
use serde::{Deserialize, Serialize};

use crate::corpus::{self, Kind};
use crate::{proc, windows};

/// One pass of this many is run in advance, so that no length of window pays for being the first.
const WARM_EVERY: usize = 32;

/// What to run.
#[derive(Debug, Clone, Args)]
pub struct BareArgs {
    /// Which corpus.
    #[arg(long)]
    pub corpus: Kind,
    /// How many documents of it.
    #[arg(long)]
    pub documents: usize,
    /// Its seed.
    #[arg(long)]
    pub seed: u64,
    /// The model's folder.
    #[arg(long)]
    pub model: PathBuf,
    /// onnxruntime's shared library.
    #[arg(long)]
    pub onnxruntime: PathBuf,
    /// Passes at the same time, each on a session of its own.
    #[arg(long)]
    pub sessions: usize,
    /// Threads of a pass.
    #[arg(long, default_value_t = 1)]
    pub threads: usize,
    /// Whether they spin while they have nothing to do.
    #[arg(long)]
    pub spinning: bool,
    /// Windows of a pass, sorted by length; several to try several.
    #[arg(long)]
    pub rows: Vec<usize>,
}

/// The result of one batching.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BareRun {
    /// Windows of one pass.
    pub rows: usize,
    /// Wall time of all passes, in seconds.
    pub seconds: f64,
    /// CPU time of all passes, in seconds.
    pub cpu_seconds: f64,
    /// Tokens that only pad windows.
    pub padding_tokens: usize,
    /// Largest memory of the process so far, in bytes.
    pub rss_peak_bytes: u64,
}

/// Runs every window once for each number of rows.
pub fn run(args: &BareArgs) -> Result<Vec<BareRun>> {
    let texts = corpus::texts(args.corpus, args.documents, args.seed);
    run_on(windows::cut(&args.model, &texts)?.windows, args)
}

/// The same for given windows.
pub fn run_on(mut windows: Vec<Vec<u32>>, args: &BareArgs) -> Result<Vec<BareRun>> {
    windows.sort_by_key(|window| std::cmp::Reverse(window.len()));
    let runtime = Runtime::load(&args.onnxruntime)?;
    let config = ModelConfig::from_file(&args.model.join(CONFIG_FILE))?;
    let threads = Threads {
        count: args.threads,
        spinning: args.spinning,
    };
    let load = |_| ModelSession::load(&runtime, &args.model.join(MODEL_FILE), threads, config.pad_token_id);
    let mut sessions: Vec<ModelSession> = (0..args.sessions).map(load).collect::<Result<_, _>>()?;
    let labels = config.id2label.len();
    let mut runs = Vec::new();
    for &rows in &args.rows {
        let passes: Vec<Vec<Vec<u32>>> = windows.chunks(rows.max(1)).map(<[_]>::to_vec).collect();
        let warming: Vec<Vec<Vec<u32>>> = passes.iter().step_by(WARM_EVERY).cloned().collect();
        for session in &mut sessions {
            run_all(std::slice::from_mut(session), &warming, labels)?;
        }
        let (began, cpu_before) = (Instant::now(), own_cpu_seconds());
        run_all(&mut sessions, &passes, labels)?;
        runs.push(BareRun {
            rows,
            seconds: began.elapsed().as_secs_f64(),
            cpu_seconds: own_cpu_seconds() - cpu_before,
            padding_tokens: padding(&passes),
            rss_peak_bytes: proc::peak_bytes(&[std::process::id()]),
        });
    }
    Ok(runs)
}

/// Runs the passes: each session takes the next pass when it is free.
fn run_all(sessions: &mut [ModelSession], passes: &[Vec<Vec<u32>>], labels: usize) -> Result<()> {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let threads: Vec<_> = sessions
            .iter_mut()
            .map(|session| {
                let next = &next;
                scope.spawn(move || -> Result<()> {
                    while let Some(pass) = passes.get(next.fetch_add(1, Ordering::Relaxed)) {
                        std::hint::black_box(session.run(pass, labels).context("run the model")?);
                    }
                    Ok(())
                })
            })
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| anyhow!("a thread panicked"))?)
    })
}

/// Tokens that only pad windows to the longest of their pass.
fn padding(passes: &[Vec<Vec<u32>>]) -> usize {
    let of_pass = |pass: &Vec<Vec<u32>>| {
        let longest = pass.iter().map(Vec::len).max().unwrap_or(0);
        pass.iter().map(|row| longest - row.len()).sum::<usize>()
    };
    passes.iter().map(of_pass).sum()
}

fn own_cpu_seconds() -> f64 {
    proc::cpu_seconds(&[std::process::id()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_fills_rows_to_the_longest_of_their_pass() {
        let row = |tokens| vec![7; tokens];
        assert_eq!(padding(&[vec![row(5), row(3)], vec![row(2)]]), 2);
        assert_eq!(padding(&[]), 0);
    }
}
