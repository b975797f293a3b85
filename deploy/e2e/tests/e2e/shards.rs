//! Shards that are down.

use std::time::Duration;

use docket_e2e::system::{Program, System};

use crate::{LETTER, long_text};

/// Waits until a job's message is in the delay queue because its shard is away; the result is held for a minute before that.
async fn until_unreachable(worker: &Program) {
    let delayed = worker.until_metrics(|line| {
        let count = line.strip_prefix("docket_jobs_total{outcome=\"shard_unreachable\"} ");
        count.is_some_and(|count| count != "0")
    });
    tokio::time::timeout(Duration::from_secs(150), delayed)
        .await
        .expect("the message is delayed");
}

#[tokio::test]
async fn a_shard_that_is_down_touches_only_its_clients() {
    let system = System::start().await;
    let _worker = system.worker().await;
    let (down, up) = (system.client_of("s1").await, system.client_of("s2").await);
    let (down, up) = (system.caller(&down).await, system.caller(&up).await);
    let before = down.upload(LETTER).await;
    down.until(&before, "succeeded").await;
    system.world.shard_down("s1").await;
    assert_eq!(down.try_upload(LETTER).await, 503);
    let accepted = up.upload(LETTER).await;
    up.checked_entities(&accepted).await;
    assert_eq!(up.job(&accepted).await["attempts"], 1);
    system.world.shard_up("s1").await;
    down.until_answered().await;
    let after = down.upload(LETTER).await;
    down.checked_entities(&after).await;
}

#[tokio::test]
async fn a_job_whose_shard_goes_away_is_done_when_it_is_back() {
    let system = System::start().await;
    let client = system.client_of("s1").await;
    let caller = system.caller(&client).await;
    let accepted = caller.upload(LETTER).await;
    caller.until(&accepted, "queued").await;
    system.world.shard_down("s1").await;
    // The worker gets the message, cannot claim the job, and puts the message into the delay queue.
    let worker = system.worker().await;
    until_unreachable(&worker).await;
    system.world.shard_up("s1").await;
    caller.until_answered().await;
    let job = caller.until(&accepted, "succeeded").await;
    assert_eq!(job["attempts"], 1, "an outage of the shard is not an attempt");
}

/// When the shard is back, the claim has been silent for a minute, as a dead worker's is.
#[tokio::test]
async fn a_result_that_its_shard_could_not_take_counts_nothing() {
    let system = System::start().await;
    let worker = system.worker().await;
    let client = system.client_of("s1").await;
    let caller = system.caller(&client).await;
    let accepted = caller.upload(&long_text(10)).await;
    caller.until(&accepted, "running").await;
    worker.freeze();
    system.world.shard_down("s1").await;
    worker.wake();
    until_unreachable(&worker).await;
    system.world.shard_up("s1").await;
    caller.until_answered().await;
    let job = caller.until(&accepted, "succeeded").await;
    assert_eq!(job["attempts"], 1, "{job}");
    let crashed = |entry: &serde_json::Value| entry["event"] == "crashed";
    assert!(!job["history"].as_array().unwrap().iter().any(crashed), "{job}");
    let given_back = |entry: &serde_json::Value| entry["event"] == "given_back";
    assert!(job["history"].as_array().unwrap().iter().any(given_back), "{job}");
}
