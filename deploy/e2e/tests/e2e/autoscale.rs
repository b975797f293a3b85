//! Workers that come and go with the waiting work, and the signal that they follow.

use docket_e2e::api::{Accepted, Caller};
use docket_e2e::system::System;
use sqlx::{Connection, PgConnection};

use crate::{LETTER, long_text};

/// Limit of jobs of the burst. On the fastest machine, two workers must not finish them before the third is wanted.
const BURST_MAX: usize = 2_000;

#[tokio::test]
async fn workers_come_with_a_burst_and_go_without_losing_a_job_or_spending_an_attempt() {
    let system = System::start().await;
    let (caller, other) = (system.caller("acme").await, system.caller("other").await);
    // Two long jobs are 20 s of work, enough for one worker.
    let mut scaled = system.autoscaler(&["--max=3", "--messages=4", "--seconds=25", "--stabilisation=5"]);
    let mut burst = Vec::new();
    while scaled.sizes().last() != Some(&3) && burst.len() < BURST_MAX {
        burst.push(caller.upload(&LETTER.repeat(5)).await);
    }
    scaled.until(3).await;
    let out = scaled.sizes();
    assert!(out[0] == 1 && out.is_sorted(), "{out:?}");
    all_done_at_once(&caller, &burst).await;

    // Workers are removed while each holds jobs: two have a long job, and letters arrive one by one.
    let long = [
        caller.upload(&long_text(150)).await,
        caller.upload(&long_text(150)).await,
    ];
    let mut letters = Vec::new();
    while scaled.sizes().last() != Some(&1) {
        let letter = other.upload(LETTER).await;
        other.until(&letter, "succeeded").await;
        letters.push(letter);
    }
    all_done_at_once(&other, &letters).await;
    let mut given_back = 0;
    for job in &long {
        let job = caller.until(job, "running").await;
        assert_eq!(job["attempts"], 1, "{job}");
        let events = job["history"].as_array().unwrap().iter();
        given_back += events.filter(|entry| entry["event"] == "given_back").count();
    }
    assert!(given_back > 0, "no worker had a long job when it was stopped");

    // Without work no worker stays. Then there is work again.
    for job in &long {
        caller.cancel(job).await;
    }
    scaled.until(0).await;
    let last = caller.upload(LETTER).await;
    caller.checked_entities(&last).await;
    all_done_at_once(&caller, &[last]).await;
    assert_eq!(
        scaled.sizes()[out.len()..],
        [2, 1, 0, 1],
        "one after the other, and back"
    );
    scaled.terminate().await;
}

/// Asserts that every job succeeded in its first attempt.
async fn all_done_at_once(caller: &Caller, jobs: &[Accepted]) {
    for job in jobs {
        let job = caller.until(job, "succeeded").await;
        assert_eq!(job["attempts"], 1, "{job}");
    }
}

#[tokio::test]
async fn the_signal_is_there_without_any_worker_and_only_from_who_acts() {
    let system = System::start().await;
    let caller = system.caller(&system.client_of("s1").await).await;
    let seconds = |line: &str| -> Option<f64> {
        let value = line.strip_prefix("docket_work_waiting_seconds{shard=\"s1\",model=\"ner-legal\"} ")?;
        value.parse().ok()
    };
    let until = async |wished: &dyn Fn(f64) -> bool| {
        let found = system.producer.until_metrics(|line| seconds(line).is_some_and(wished));
        let found = tokio::time::timeout(std::time::Duration::from_secs(60), found).await;
        assert!(found.is_ok(), "{}", system.producer.metrics().await);
    };
    // 44,000 bytes are 10,000 tokens. Before any worker has reported its speed, 2,000 tokens a second are assumed.
    caller.upload(&"x".repeat(44_000)).await;
    until(&|seconds| (4.9..5.1).contains(&seconds)).await;
    system.operator(&["pause", "--model", "ner-legal"]).await;
    until(&|seconds| seconds == 0.0).await;
    system.operator(&["resume", "--model", "ner-legal"]).await;
    until(&|seconds| seconds > 0.0).await;
    let (_, url) = system.world.shards.iter().find(|(name, _)| name == "s1").unwrap();
    let mut shard = PgConnection::connect(url).await.unwrap();
    let taken = "update leases set holder = gen_random_uuid(), until = now() + interval '1 hour'";
    sqlx::query(taken).execute(&mut shard).await.unwrap();
    until(&|seconds| seconds == 0.0).await;
    sqlx::query("delete from leases").execute(&mut shard).await.unwrap();
    until(&|seconds| seconds > 0.0).await;
}
