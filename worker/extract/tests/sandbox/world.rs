//! Pools of hostile children.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use docket_extract::place_for_any_scan;
use docket_extract::sandbox::{Allowance, Options, ParseError, Parsed, Pool, StartError, Task};

use crate::deeds::Deed;

pub const CHILD: &str = "a-child";
pub const WEAK_CHILD: &str = "a-weak-child";
pub const PARENT: &str = "a-parent";

pub const MEMORY_BYTES: u64 = 512 << 20;
pub const CPU_SECONDS: u64 = 1;
/// Longer than a child's CPU time, on a machine that does other things too.
pub const WALL: Duration = Duration::from_secs(20);
pub const ANSWER_BYTES_MAX: usize = 80 << 20;
/// What a busy machine needs at most to do what takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

pub type Outcome = Result<Parsed<String>, ParseError<Infallible>>;

pub fn run<F: Future>(fact: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.unwrap().block_on(fact)
}

pub fn options() -> Options {
    Options {
        program: "/proc/self/exe".into(),
        arguments: vec![CHILD.into()],
        at_work_max: 2,
        warm: 1,
        allowance: Allowance {
            memory_bytes: MEMORY_BYTES,
            cpu_seconds: CPU_SECONDS,
        },
        answer_bytes_max: ANSWER_BYTES_MAX,
        required: false,
    }
}

pub async fn pool() -> Pool {
    pool_of(options()).await.unwrap()
}

pub async fn pool_of(options: Options) -> Result<Pool, StartError> {
    Pool::start(options, None).await
}

/// A deed for a child, with a document.
pub fn task(deed: &Deed, document: impl Into<Bytes>) -> Task {
    Task {
        request: serde_json::to_vec(deed).unwrap(),
        document: document.into(),
        wall: WALL,
    }
}

pub async fn outcome(pool: &Pool, deed: Deed) -> Outcome {
    outcome_of(pool, task(&deed, Bytes::from_static(b"a document"))).await
}

pub async fn outcome_of(pool: &Pool, task: Task) -> Outcome {
    pool.parse(task, place_for_any_scan, async |_| Ok(())).await
}

/// What a new child says of its deed.
pub async fn said(deed: Deed) -> String {
    outcome(&pool().await, deed).await.unwrap().about
}

/// Waits until something is so.
pub async fn until(what: &str, mut so: impl FnMut() -> bool) {
    let waiting = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .unwrap_or_else(|_| panic!("{what}"));
}
