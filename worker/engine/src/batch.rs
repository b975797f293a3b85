//! Windows of many jobs -> passes through the model.
//!
//! Jobs put their windows into one queue. Each engine thread takes its next pass from the queue when it is done with the last. So
//! nothing is planned before it can run: an idle engine never waits for a fuller pass, and the newest job can be next. `planner`
//! decides which windows make a pass.
//!
//! The queue holds no windows, only who waits for which. How much may wait is bounded by whoever admits jobs.

mod planner;
mod read_so_far;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use docket_contract::ids::ClientId;
use docket_process::metrics::Passes;
use tokio::sync::oneshot;
use tracing::Span;

pub use planner::{BUCKET_TOKENS, PassLimits};
pub use read_so_far::ReadSoFar;

use crate::decode::WindowScores;
use crate::infer::InferError;
use crate::window::Windows;
use planner::{Planner, Row};

/// Hands a model's windows to its engines. Dropping the batcher stops the engines.
#[derive(Debug)]
pub struct Batcher {
    queue: Arc<Queue>,
    engines: Vec<JoinHandle<()>>,
}

/// The queue from which the engines take their passes.
#[derive(Debug)]
pub struct Queue {
    state: Mutex<State>,
    work: Condvar,
    limits: PassLimits,
    specials: usize,
    passes: Passes,
}

/// One pass: the windows that run together.
#[derive(Debug)]
pub struct Pass {
    rows: Vec<PassRow>,
}

/// One window of a pass.
#[derive(Debug)]
pub struct PassRow {
    row: Row,
    /// The text's windows, of which this row is one.
    pub windows: Arc<Windows>,
    span: Span,
}

/// What all engines together have done since the model was loaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Passes run.
    pub passes: u64,
    /// Windows read.
    pub windows: u64,
    /// Tokens of these windows, special ones included, padding excluded.
    pub tokens: u64,
    /// Tokens of padding, which were run for nothing.
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

/// Where a text's scores go.
type Reply = oneshot::Sender<Result<Vec<WindowScores>, InferError>>;

#[derive(Debug)]
struct Waiting {
    windows: Arc<Windows>,
    scores: Vec<Option<WindowScores>>,
    missing: usize,
    read: ReadSoFar,
    reply: Reply,
    span: Span,
}

impl Batcher {
    /// A queue without engines yet. `specials` is the number of special tokens around each window.
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

    /// Takes in an engine's thread, so that [`Batcher::stop`] can wait for it.
    pub fn attach(&mut self, engine: JoinHandle<()>) {
        self.engines.push(engine);
    }

    /// Scores all windows of a text, in their order. When the caller leaves, its windows that have not run leave the queue.
    pub async fn score(&self, client: &ClientId, windows: &Arc<Windows>) -> Result<Vec<WindowScores>, InferError> {
        self.score_and_count(client, windows, ReadSoFar::default()).await
    }

    /// Does the same as [`Batcher::score`], and counts each window in `read` as soon as it is read.
    pub async fn score_and_count(
        &self,
        client: &ClientId,
        windows: &Arc<Windows>,
        read: ReadSoFar,
    ) -> Result<Vec<WindowScores>, InferError> {
        if windows.is_empty() {
            return Ok(Vec::new());
        }
        let (reply, scores) = oneshot::channel();
        let _leave = self.queue.enter(client, windows, (read, reply))?;
        scores.await.unwrap_or(Err(InferError::Stopped))
    }

    /// How large a pass may be.
    pub fn limits(&self) -> PassLimits {
        self.queue.limits
    }

    /// What the engines have done so far. The difference over some seconds gives the speed.
    pub fn progress(&self) -> Progress {
        self.queue.lock().progress
    }

    /// Stops the engines and waits until each has ended its pass. Jobs that still wait get [`InferError::Stopped`].
    pub async fn stop(mut self) {
        self.queue.stop();
        for engine in std::mem::take(&mut self.engines) {
            // An engine that panicked has stopped the queue, and its jobs have their error.
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
    /// The next pass, as soon as there is one; `None` once the queue is stopped. Blocks, so call it on an engine's own thread
    /// only.
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

    /// Hands in a pass: one result for each of its rows, and how long the pass took.
    pub fn finish(&self, pass: &Pass, results: Vec<Result<WindowScores, InferError>>, took: Duration) {
        let (tokens, padding) = pass.tokens(self.specials);
        self.passes.note(pass.rows.len(), (tokens, padding), took);
        let mut state = self.lock();
        state.progress.add(pass.rows.len(), (tokens, padding), took);
        for (PassRow { row, .. }, result) in pass.rows.iter().zip(results) {
            state.settle(*row, result);
        }
    }

    /// A session that failed several jobs in a row was tried out.
    pub fn tried(&self, went_well: bool) {
        self.passes.tried(went_well);
    }

    /// Stops the queue: engines get no further pass, and callers get an error.
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
        (read, reply): (ReadSoFar, Reply),
    ) -> Result<Leave, InferError> {
        let mut state = self.lock();
        if state.stopped {
            return Err(InferError::Stopped);
        }
        read.begin(windows.len());
        let number = state.jobs_ever;
        state.jobs_ever += 1;
        let waiting = Waiting {
            windows: Arc::clone(windows),
            scores: vec![None; windows.len()],
            missing: windows.len(),
            read,
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

    /// A poisoned lock is used all the same: no code here panics between two changes that belong together.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Keeps a window's scores for its job. The job is answered with its last scores or its first error. Jobs that have left or
    /// failed are no longer here.
    fn settle(&mut self, row: Row, result: Result<WindowScores, InferError>) {
        let Some(job) = self.jobs.get_mut(&row.job) else {
            return;
        };
        let answer = match result {
            Err(error) => Err(error),
            Ok(scores) => {
                job.scores[row.window] = Some(scores);
                job.missing -= 1;
                job.read.add();
                if job.missing > 0 {
                    return;
                }
                Ok(std::mem::take(&mut job.scores).into_iter().flatten().collect())
            }
        };
        if let Some(job) = self.forget(row.job) {
            let _ = job.reply.send(answer); // The caller may have left just now.
        }
    }

    fn forget(&mut self, number: u64) -> Option<Waiting> {
        let job = self.jobs.remove(&number)?;
        self.planner.remove(number);
        Some(job)
    }
}

impl Pass {
    /// The windows of the pass.
    pub fn rows(&self) -> &[PassRow] {
        &self.rows
    }

    /// Tokens of the pass's windows, and tokens of padding beside them.
    fn tokens(&self, specials: usize) -> (usize, usize) {
        let lengths = self
            .rows
            .iter()
            .map(|row| row.windows.ranges()[row.row.window].len() + specials);
        let tokens: usize = lengths.clone().sum();
        let run = lengths.max().unwrap_or(0) * self.rows.len();
        (tokens, run - tokens)
    }

    /// The span of running the pass. It belongs to no job's trace, and links to each job that it serves.
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
    /// Number of the window's job, unique among the jobs of this model.
    pub fn job(&self) -> u64 {
        self.row.job
    }

    /// Place of the window among the text's windows.
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
