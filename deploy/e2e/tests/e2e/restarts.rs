//! Producers are replaced one after the other while callers upload: no request fails.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use docket_e2e::system::System;
use sqlx::{Connection, PgConnection};
use tokio::task::JoinSet;

use crate::LETTER;

/// Number of callers that upload without a pause.
const CALLERS: usize = 6;
/// How often every producer is replaced.
const ROUNDS: usize = 2;
/// How often the balancer asks for readiness: several times within a stopping process's notice.
const PROBE_EVERY: Duration = Duration::from_millis(100);

/// Sends each request to the next process that said it was ready, as a load balancer does, and repeats no request.
#[derive(Clone, Default)]
struct Balancer {
    known: Arc<Mutex<Vec<String>>>,
    ready: Arc<Mutex<Vec<String>>>,
}

impl Balancer {
    fn add(&self, base: &str) {
        self.known.lock().unwrap().push(base.to_owned());
    }

    fn remove(&self, base: &str) {
        self.known.lock().unwrap().retain(|known| known != base);
    }

    async fn probe(&self) {
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
        loop {
            let known = self.known.lock().unwrap().clone();
            let mut ready = Vec::new();
            for base in known {
                let answer = http.get(format!("{base}/readyz")).send().await;
                if answer.is_ok_and(|answer| answer.status().is_success()) {
                    ready.push(base);
                }
            }
            *self.ready.lock().unwrap() = ready;
            tokio::time::sleep(PROBE_EVERY).await;
        }
    }

    fn next(&self, turn: usize) -> Option<String> {
        let ready = self.ready.lock().unwrap();
        ready.get(turn % ready.len().max(1)).cloned()
    }

    /// Waits until the balancer sends requests to a process.
    async fn until_used(&self, base: &str) {
        while !self.ready.lock().unwrap().iter().any(|ready| ready == base) {
            tokio::time::sleep(PROBE_EVERY).await;
        }
    }
}

#[tokio::test]
async fn producers_are_replaced_under_load_and_no_request_fails() {
    let system = System::start().await;
    let token = system.operator(&["token", "--client", "acme"]).await;
    let balancer = Balancer::default();
    let mut producers = vec![system.another_producer().await, system.another_producer().await];
    producers.iter().for_each(|producer| balancer.add(&producer.base));
    let prober = tokio::spawn({
        let balancer = balancer.clone();
        async move { balancer.probe().await }
    });
    for producer in &producers {
        balancer.until_used(&producer.base).await;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        callers.spawn(upload(balancer.clone(), token.clone(), caller, stop.clone()));
    }
    for _ in 0..ROUNDS {
        for producer in &mut producers {
            let fresh = system.another_producer().await;
            balancer.add(&fresh.base);
            balancer.until_used(&fresh.base).await;
            let mut old = std::mem::replace(producer, fresh);
            old.terminate().await;
            balancer.remove(&old.base);
        }
    }
    stop.store(true, Ordering::Relaxed);
    let uploads = callers.join_all().await;
    prober.abort();
    let failures: Vec<&String> = uploads.iter().filter_map(|upload| upload.as_ref().err()).collect();
    assert!(failures.is_empty(), "{failures:?}");
    let accepted: i64 = uploads.into_iter().flatten().sum();
    assert!(accepted > 100, "{accepted} uploads are no load");
    let mut rows = 0;
    for (_, url) in &system.world.shards {
        let mut shard = PgConnection::connect(url).await.unwrap();
        let jobs = sqlx::query_scalar::<_, i64>("select count(*) from jobs").fetch_one(&mut shard);
        rows += jobs.await.unwrap();
    }
    assert_eq!(rows, accepted);
}

/// Uploads until told to stop or an upload fails; returns the number of accepted uploads.
async fn upload(balancer: Balancer, token: String, first: usize, stop: Arc<AtomicBool>) -> Result<i64, String> {
    let http = reqwest::Client::new();
    let mut accepted = 0;
    for turn in first.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let base = balancer.next(turn).ok_or("nobody is ready")?;
        let request = http.post(format!("{base}/v1/documents")).bearer_auth(&token);
        let request = request.header("content-type", "text/plain").body(LETTER);
        let answer = request.send().await.map_err(|error| format!("{error:?}"))?;
        if answer.status() != 202 {
            return Err(format!("{} of {base}", answer.status()));
        }
        accepted += 1;
    }
    Ok(accepted)
}
