//! The threads that run a model. Each owns a session, because a session runs one pass at a time.
//!
//! An engine takes a pass from the queue, runs it, reads each window's labels and hands them in. Reading here takes a thousandth
//! of a pass's time, and keeps floats for each label of each word from piling up.
//!
//! A session that fails several jobs in a row is tried out, as at the start. If the trial succeeds, the documents were at fault,
//! and each job gets its error. If the trial fails, every job would fail: the model stops, and the waiting jobs are given back.

use docket_contract::outcome::Stage;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use docket_process::telemetry;

use crate::batch::{BUCKET_TOKENS, Pass, PassLimits, PassRow, Queue};
use crate::cpu::measured;
use crate::decode::{self, WindowScores};
use crate::infer::InferError;
use crate::infer::labels::Labels;
use crate::infer::session::{Logits, ModelSession};
use crate::window::TextTokenizer;

/// Different jobs that a session fails in a row before it is tried out. One document may be more than a model can bear, and two
/// may be copies of it. The trial costs as much as a few windows, and by then every failed job has lost one of its ten tries.
const FAILED_IN_A_ROW: usize = 3;

/// A session, with what it needs to run passes.
#[derive(Debug)]
pub struct Engine {
    session: ModelSession,
    labels: Arc<Labels>,
    before: Vec<u32>,
    after: Vec<u32>,
    shapes: Shapes,
    failed: Vec<u64>,
}

/// The shapes that passes can have.
#[derive(Debug, Clone, Copy)]
pub struct Shapes {
    /// Longest window in tokens, special ones included.
    pub window_tokens: usize,
    /// How large a pass may be.
    pub limits: PassLimits,
}

impl Engine {
    /// An engine that puts the tokenizer's special tokens around each window.
    pub fn new(session: ModelSession, labels: Arc<Labels>, tokenizer: &TextTokenizer, shapes: Shapes) -> Self {
        Self {
            session,
            labels,
            before: tokenizer.before().to_vec(),
            after: tokenizer.after().to_vec(),
            shapes,
            failed: Vec::new(),
        }
    }

    /// Runs a pass of every shape that can come, so that no document pays for the first of its shape: every length that ends a
    /// bucket up to `window_tokens`, alone and in as many rows as a pass takes. This is also the model's trial: its answers must
    /// have the right shape and be numbers.
    pub fn warm(&mut self) -> Result<(), InferError> {
        let Shapes { window_tokens, limits } = self.shapes;
        let filler = self.before.first().copied().unwrap_or_default();
        let buckets = (1..=window_tokens.div_ceil(BUCKET_TOKENS)).map(|bucket| bucket * BUCKET_TOKENS);
        for length in buckets.map(|length| length.min(window_tokens)) {
            let rows_max = (limits.tokens_max / length).clamp(1, limits.rows_max.max(1));
            for rows in [1, rows_max].into_iter().take(rows_max) {
                let logits = self.session.run(&vec![vec![filler; length]; rows], self.labels.len())?;
                decode::read(&self.labels, &[logits.at(rows - 1, length - 1)])?;
            }
        }
        Ok(())
    }

    /// Scores each window of a pass. When a pass of several windows fails, each is tried alone, so that none fails for another.
    pub fn score(&mut self, pass: &Pass) -> Vec<Result<WindowScores, InferError>> {
        match pass.rows() {
            rows if rows.len() > 1 => match unless_panicked(|| self.score_rows(rows)) {
                Ok(scores) => scores.into_iter().map(Ok).collect(),
                Err(_) => rows.iter().map(|row| self.score_row(row)).collect(),
            },
            rows => rows.iter().map(|row| self.score_row(row)).collect(),
        }
    }

    /// Notes which jobs of a pass failed. Returns the outcome of a trial, if the session has now failed so many in a row that it
    /// was tried out.
    fn doubt(&mut self, pass: &Pass, results: &[Result<WindowScores, InferError>]) -> Option<Result<(), InferError>> {
        if results.iter().any(Result::is_ok) {
            self.failed.clear();
            return None;
        }
        for job in pass.rows().iter().map(PassRow::job) {
            if !self.failed.contains(&job) {
                self.failed.push(job);
            }
        }
        if self.failed.len() < FAILED_IN_A_ROW {
            return None;
        }
        self.failed.clear();
        Some(unless_panicked(|| self.warm()))
    }

    fn score_row(&mut self, row: &PassRow) -> Result<WindowScores, InferError> {
        unless_panicked(|| {
            let mut scores = self.score_rows(std::slice::from_ref(row))?;
            Ok(scores.swap_remove(0))
        })
    }

    fn score_rows(&mut self, rows: &[PassRow]) -> Result<Vec<WindowScores>, InferError> {
        let ids: Vec<Vec<u32>> = rows.iter().map(|row| self.input(row)).collect();
        let logits = self.session.run(&ids, self.labels.len())?;
        rows.iter()
            .enumerate()
            .map(|(place, row)| self.read(&logits, place, row))
            .collect()
    }

    fn input(&self, row: &PassRow) -> Vec<u32> {
        [&self.before, row.windows.ids(row.window()), &self.after].concat()
    }

    fn read(&self, logits: &Logits, place: usize, row: &PassRow) -> Result<WindowScores, InferError> {
        let first = self.before.len();
        let words: Vec<&[f32]> = row
            .windows
            .word_starts(row.window())
            .map(|token| logits.at(place, first + token))
            .collect();
        decode::read(&self.labels, &words)
    }
}

/// The outcome of a pass, or an error if it panics. A panic does not harm the session: each pass fills its inputs anew.
fn unless_panicked<T>(pass: impl FnOnce() -> Result<T, InferError>) -> Result<T, InferError> {
    catch_unwind(AssertUnwindSafe(pass)).unwrap_or(Err(InferError::Panicked))
}

/// Starts an engine's thread. The thread ends when the queue is stopped, and stops the queue when its session fails its trial.
pub fn spawn(number: usize, mut engine: Engine, queue: Arc<Queue>) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(format!("infer-{number}"))
        .spawn(move || {
            let guard = StopOnPanic(queue);
            while let Some(pass) = guard.0.next() {
                let started = Instant::now();
                let results = pass.span().in_scope(|| measured(Stage::Infer, || engine.score(&pass)));
                let took = started.elapsed();
                let trial = engine.doubt(&pass, &results);
                if let Some(trial) = &trial {
                    guard.0.tried(trial.is_ok());
                }
                if let Some(Err(error)) = trial {
                    let error = telemetry::chain(&error);
                    tracing::error!(error, "a session of the model fails whatever it is given");
                    guard.0.stop();
                    return;
                }
                guard.0.finish(&pass, results, took);
            }
        })
}

/// Stops the whole model when an engine panics: jobs get an error instead of waiting for a thread that is gone.
struct StopOnPanic(Arc<Queue>);

impl Drop for StopOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}
