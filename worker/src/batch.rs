//! Windows of many jobs -> passes through the model: step 9 of a document's way.
//!
//! Jobs put their windows into one queue; each engine thread takes its next pass from it when it is done with the last
//! one. So nothing is planned sooner than it can run: an idle engine never waits for a fuller pass, and what arrives last
//! can be next. Which windows those are, `planner` decides.
//!
//! The queue holds no windows of its own, only who waits for which; how much may wait is bounded by whoever admits jobs.

mod planner;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use docket_shared::ids::ClientId;
use docket_shared::metrics::Passes;
use tokio::sync::oneshot;
use tracing::Span;

pub use planner::{BUCKET_TOKENS, PassLimits};

use crate::decode::WindowScores;
use crate::infer::InferError;
use crate::window::Windows;
use planner::{Planner, Row};

/// The way to a model's engines. Dropping it stops them.
#[derive(Debug)]
pub struct Batcher {
    queue: Arc<Queue>,
    engines: Vec<JoinHandle<()>>,
}

/// What the engines take their passes from.
#[derive(Debug)]
pub struct Queue {
    state: Mutex<State>,
    work: Condvar,
    limits: PassLimits,
    specials: usize,
    passes: Passes,
}

/// One pass: the windows to run together.
#[derive(Debug)]
pub struct Pass {
    rows: Vec<PassRow>,
}

/// One window of a pass.
#[derive(Debug)]
pub struct PassRow {
    row: Row,
    /// The text it is a window of.
    pub windows: Arc<Windows>,
    span: Span,
}

/// What the engines have done since the model was loaded, all of them together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Passes.
    pub passes: u64,
    /// Windows.
    pub windows: u64,
    /// Tokens of these windows, special ones included, padding not.
    pub tokens: u64,
    /// Tokens of padding, run for nothing.
    pub padding_tokens: u64,
    /// Time spent in passes, summed over the engines.
    pub busy: Duration,
}

#[derive(Debug, Default)]
struct State {
    planner: Planner,
    jobs: HashMap<u64, Waiting>,
    jobs_ever: u64,
    progress: Progress,
    stopped: bool,
}

#[derive(Debug)]
struct Waiting {
    windows: Arc<Windows>,
    scores: Vec<Option<WindowScores>>,
    missing: usize,
    reply: oneshot::Sender<Result<Vec<WindowScores>, InferError>>,
    span: Span,
}

impl Batcher {
    /// A queue without engines yet; `specials` tokens are added to each window.
    pub fn new(limits: PassLimits, specials: usize, passes: Passes) -> Self {
        let queue = Queue {
            state: Mutex::default(),
            work: Condvar::new(),
            limits,
            specials,
            passes,
        };
        Self {
            queue: Arc::new(queue),
            engines: Vec::new(),
        }
    }

    /// The queue, for an engine to take its passes from.
    pub fn queue(&self) -> Arc<Queue> {
        Arc::clone(&self.queue)
    }

    /// Takes in an engine's thread, to be waited for at the end.
    pub fn attach(&mut self, engine: JoinHandle<()>) {
        self.engines.push(engine);
    }

    /// Scores all windows of a text, in their order. A caller who leaves takes the windows that have not run along.
    pub async fn score(&self, client: &ClientId, windows: &Arc<Windows>) -> Result<Vec<WindowScores>, InferError> {
        if windows.is_empty() {
            return Ok(Vec::new());
        }
        let (reply, scores) = oneshot::channel();
        let _leave = self.queue.enter(client, windows, reply)?;
        scores.await.unwrap_or(Err(InferError::Stopped))
    }

    /// How large a pass may be.
    pub fn limits(&self) -> PassLimits {
        self.queue.limits
    }

    /// What has been done so far: the difference over some seconds is the speed.
    pub fn progress(&self) -> Progress {
        self.queue.lock().progress
    }

    /// Stops the engines and waits until each has ended the pass it was in. Jobs still waiting fail as stopped.
    pub async fn stop(mut self) {
        self.queue.stop();
        for engine in std::mem::take(&mut self.engines) {
            // An engine that panicked has told its jobs already.
            let _ = tokio::task::spawn_blocking(move || engine.join()).await;
        }
    }
}

impl Drop for Batcher {
    fn drop(&mut self) {
        self.queue.stop();
    }
}

impl Queue {
    /// The next pass, as soon as there is one; none once the queue is stopped. Blocks: for the engines' own threads only.
    pub fn next(&self) -> Option<Pass> {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return None;
            }
            if let Some(rows) = state.planner.next(self.limits) {
                let rows = rows.into_iter().filter_map(|row| {
                    let job = state.jobs.get(&row.job)?;
                    let (windows, span) = (Arc::clone(&job.windows), job.span.clone());
                    Some(PassRow { row, windows, span })
                });
                return Some(Pass { rows: rows.collect() });
            }
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Hands in what became of a pass, a result for each of its rows, and how long it took.
    pub fn finish(&self, pass: &Pass, results: Vec<Result<WindowScores, InferError>>, took: Duration) {
        let (tokens, padding) = pass.tokens(self.specials);
        self.passes.note(pass.rows.len(), (tokens, padding), took);
        let mut state = self.lock();
        state.progress.add(pass.rows.len(), (tokens, padding), took);
        for (PassRow { row, .. }, result) in pass.rows.iter().zip(results) {
            state.settle(*row, result);
        }
    }

    /// A session failed several jobs in a row and was tried out; whether that went well.
    pub fn tried(&self, went_well: bool) {
        self.passes.tried(went_well);
    }

    /// Ends it all: engines get no further pass, callers get an error.
    pub fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        state.jobs.clear();
        self.work.notify_all();
    }

    fn enter(
        self: &Arc<Self>,
        client: &ClientId,
        windows: &Arc<Windows>,
        reply: oneshot::Sender<Result<Vec<WindowScores>, InferError>>,
    ) -> Result<Leave, InferError> {
        let mut state = self.lock();
        if state.stopped {
            return Err(InferError::Stopped);
        }
        let number = state.jobs_ever;
        state.jobs_ever += 1;
        let waiting = Waiting {
            windows: Arc::clone(windows),
            scores: vec![None; windows.len()],
            missing: windows.len(),
            reply,
            span: Span::current(),
        };
        state.jobs.insert(number, waiting);
        let lengths = windows.ranges().iter().map(|range| range.len() + self.specials);
        state.planner.add(client, number, lengths);
        self.work.notify_all();
        Ok(Leave {
            queue: Arc::clone(self),
            number,
        })
    }

    /// A panic elsewhere leaves the state whole: nothing here panics between two changes that belong together.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Puts a window's scores to its job's, and answers the job with the last of them or the first error. Jobs that have
    /// left, or failed, are no longer here.
    fn settle(&mut self, row: Row, result: Result<WindowScores, InferError>) {
        let Some(job) = self.jobs.get_mut(&row.job) else {
            return;
        };
        let answer = match result {
            Err(error) => Err(error),
            Ok(scores) => {
                job.scores[row.window] = Some(scores);
                job.missing -= 1;
                if job.missing > 0 {
                    return;
                }
                Ok(std::mem::take(&mut job.scores).into_iter().flatten().collect())
            }
        };
        if let Some(job) = self.forget(row.job) {
            let _ = job.reply.send(answer); // The caller may have left in this moment.
        }
    }

    fn forget(&mut self, number: u64) -> Option<Waiting> {
        let job = self.jobs.remove(&number)?;
        self.planner.remove(number);
        Some(job)
    }
}

impl Pass {
    /// Its windows.
    pub fn rows(&self) -> &[PassRow] {
        &self.rows
    }

    /// Tokens of its windows, and those of padding beside them.
    fn tokens(&self, specials: usize) -> (usize, usize) {
        let lengths = self
            .rows
            .iter()
            .map(|row| row.windows.ranges()[row.row.window].len() + specials);
        let tokens: usize = lengths.clone().sum();
        let run = lengths.max().unwrap_or(0) * self.rows.len();
        (tokens, run - tokens)
    }

    /// The span of running it, which is of no one job's trace and has a link to each that it serves.
    pub fn span(&self) -> Span {
        let span = tracing::debug_span!(parent: None, "infer batch", docket.batch.windows = self.rows.len() as i64);
        if !span.is_disabled() {
            let mut served = HashSet::new();
            for row in self.rows.iter().filter(|row| served.insert(row.row.job)) {
                span.follows_from(&row.span);
            }
        }
        span
    }
}

impl PassRow {
    /// Which job's, among those that wait for this model.
    pub fn job(&self) -> u64 {
        self.row.job
    }

    /// Which of the text's windows.
    pub fn window(&self) -> usize {
        self.row.window
    }
}

impl Progress {
    fn add(&mut self, windows: usize, (tokens, padding): (usize, usize), took: Duration) {
        self.passes += 1;
        self.windows += windows as u64;
        self.tokens += tokens as u64;
        self.padding_tokens += padding as u64;
        self.busy += took;
    }
}

/// A caller's place in the queue, given up when the caller leaves, served or not.
#[derive(Debug)]
struct Leave {
    queue: Arc<Queue>,
    number: u64,
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.queue.lock().forget(self.number);
    }
}
