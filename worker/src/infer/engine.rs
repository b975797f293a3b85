//! The threads that run a model. Each owns a session, because a session runs one pass at a time.
//!
//! An engine takes a pass from the queue, runs it, reads each window's labels and hands them in. Reading takes a
//! thousandth of the time of a pass, and doing it here keeps a float for each label of each word from piling up.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use super::InferError;
use super::labels::Labels;
use super::session::{Logits, ModelSession};
use crate::batch::{BUCKET_TOKENS, Pass, PassLimits, PassRow, Queue};
use crate::cpu::measured;
use crate::decode::{self, WindowScores};
use crate::window::TextTokenizer;

/// A session and what belongs to a pass through it.
#[derive(Debug)]
pub struct Engine {
    session: ModelSession,
    labels: Arc<Labels>,
    before: Vec<u32>,
    after: Vec<u32>,
}

impl Engine {
    /// An engine that puts the tokenizer's special tokens around each window.
    pub fn new(session: ModelSession, labels: Arc<Labels>, tokenizer: &TextTokenizer) -> Self {
        Self {
            session,
            labels,
            before: tokenizer.before().to_vec(),
            after: tokenizer.after().to_vec(),
        }
    }

    /// Runs a pass of every shape that can come, so that no document pays for the first of its kind: every length that
    /// ends a bucket up to `window_tokens`, alone and in as many rows as a pass takes. This also is the model's trial: its
    /// answers must have the right shape and be numbers.
    pub fn warm(&mut self, window_tokens: usize, limits: PassLimits) -> Result<(), InferError> {
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

    /// Scores each window of a pass. Where a pass of several fails, each is tried alone, so that none fails for another.
    pub fn score(&mut self, pass: &Pass) -> Vec<Result<WindowScores, InferError>> {
        match pass.rows() {
            rows if rows.len() > 1 => match self.score_rows(rows) {
                Ok(scores) => scores.into_iter().map(Ok).collect(),
                Err(_) => rows.iter().map(|row| self.score_row(row)).collect(),
            },
            rows => rows.iter().map(|row| self.score_row(row)).collect(),
        }
    }

    fn score_row(&mut self, row: &PassRow) -> Result<WindowScores, InferError> {
        let scores = self.score_rows(std::slice::from_ref(row))?;
        scores.into_iter().next().ok_or(InferError::Stopped)
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

/// Starts an engine's thread. It ends when the queue is stopped.
pub fn spawn(number: usize, mut engine: Engine, queue: Arc<Queue>) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(format!("infer-{number}"))
        .spawn(move || {
            let guard = StopOnPanic(queue);
            while let Some(pass) = guard.0.next() {
                let started = Instant::now();
                let results = pass.span().in_scope(|| measured("infer", || engine.score(&pass)));
                guard.0.finish(&pass, results, started.elapsed());
            }
        })
}

/// A panic in an engine stops the model as a whole: jobs get an error instead of waiting for a thread that is gone.
struct StopOnPanic(Arc<Queue>);

impl Drop for StopOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}
