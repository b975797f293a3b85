//! How fast windows of many jobs become passes: entering the queue, planning, and handing results in.

mod contract;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use docket_contract::ids::ClientId;
use docket_engine::batch::{Batcher, PassLimits};
use docket_engine::decode::WindowScores;
use docket_engine::window::Windows;
use docket_process::metrics::Passes;

const CLIENTS: usize = 20;
const JOBS: usize = 200;
/// Windows per job: ten thousand windows in all, twenty seconds of work for fifty cores.
const JOB_WINDOWS: usize = 50;
/// Special tokens around a window, as BERT wants them.
const SPECIALS: usize = 2;

/// The parts of a long contract, of [`JOB_WINDOWS`] windows each.
fn jobs() -> Vec<Arc<Windows>> {
    let splitter = contract::splitter();
    let text = contract::of_words(20_000);
    let whole = splitter.split(&text).expect("every text can be cut");
    let part = |ranges: &[std::ops::Range<usize>]| {
        let start = whole.tokens().bytes(ranges[0].start).start;
        let end = whole.tokens().bytes(ranges[JOB_WINDOWS - 1].end - 1).end;
        Arc::new(splitter.split(&text[start..end]).expect("every text can be cut"))
    };
    whole.ranges().chunks_exact(JOB_WINDOWS).map(part).collect()
}

/// Queues every job and takes all passes as an engine would, without running the model. Returns the number of passes.
fn plan(limits: PassLimits, jobs: &[(ClientId, Arc<Windows>)]) -> usize {
    let batcher = Batcher::new(limits, SPECIALS, Passes::of("bench"));
    let mut callers: Vec<Pin<Box<_>>> = jobs
        .iter()
        .map(|(client, windows)| Box::pin(batcher.score(client, windows)))
        .collect();
    let mut context = Context::from_waker(Waker::noop());
    for caller in &mut callers {
        assert!(caller.as_mut().poll(&mut context).is_pending(), "the job is queued");
    }
    let queue = batcher.queue();
    let mut missing: usize = jobs.iter().map(|(_, windows)| windows.len()).sum();
    let mut passes = 0;
    while missing > 0 {
        let pass = queue.next().expect("the queue is not stopped");
        let results = pass.rows().iter().map(|_| Ok(WindowScores { words: Vec::new() }));
        queue.finish(&pass, results.collect(), Duration::ZERO);
        missing -= pass.rows().len();
        passes += 1;
    }
    passes
}

fn planner(bench: &mut Criterion) {
    let texts = jobs();
    let client = |job: usize| format!("client-{}", job % CLIENTS).parse().expect("it is a name");
    let jobs: Vec<(ClientId, Arc<Windows>)> = (0..JOBS)
        .map(|job| (client(job), Arc::clone(&texts[job % texts.len()])))
        .collect();
    let windows: usize = jobs.iter().map(|(_, windows)| windows.len()).sum();

    let mut group = bench.benchmark_group("planner");
    group.sample_size(10).throughput(Throughput::Elements(windows as u64));
    for rows_max in [1, 8, 64] {
        let limits = PassLimits {
            tokens_max: usize::MAX,
            rows_max,
        };
        group.bench_function(BenchmarkId::new("rows", rows_max), |bench| {
            bench.iter(|| plan(limits, &jobs));
        });
    }
    group.finish();
}

criterion_group!(benches, planner);
criterion_main!(benches);
