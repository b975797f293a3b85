//! A broker that is down, restarted and wiped.

use docket_e2e::system::System;
use docket_testing::PrivateBroker;

use crate::{LETTER, long_text};

#[tokio::test]
async fn uploads_are_accepted_without_a_broker_and_done_when_it_is_back() {
    let broker = PrivateBroker::start().await;
    let mut system = System::start_with(&broker).await;
    let _worker = system.worker().await;
    broker.stop().await;
    let caller = system.caller("acme").await;
    let mut accepted = vec![];
    for _ in 0..5 {
        accepted.push(caller.upload(LETTER).await);
    }
    // A producer starts and accepts uploads even without a broker.
    system.restart_producer().await;
    let caller = system.caller("acme").await;
    accepted.push(caller.upload(LETTER).await);
    assert_eq!(caller.job(&accepted[0]).await["state"], "waiting");
    broker.up().await;
    for accepted in &accepted {
        caller.checked_entities(accepted).await;
        assert_eq!(caller.job(accepted).await["attempts"], 1);
    }
}

#[tokio::test]
async fn a_broker_restart_takes_no_healthy_job_away() {
    let broker = PrivateBroker::start().await;
    let system = System::start_with(&broker).await;
    let caller = system.caller("acme").await;
    let (_first, _second) = (system.worker().await, system.worker().await);
    let accepted = caller.upload(&long_text(12)).await;
    caller.until(&accepted, "running").await;
    broker.kill9().await;
    broker.up().await;
    // The message is delivered again, to any worker, while the job runs on.
    caller.checked_entities(&accepted).await;
    let job = caller.job(&accepted).await;
    assert_eq!(job["attempts"], 1, "a running job was taken away: {job}");
}

#[tokio::test]
async fn a_wiped_broker_loses_no_job() {
    let broker = PrivateBroker::start().await;
    let system = System::start_with(&broker).await;
    let caller = system.caller("acme").await;
    let mut accepted = vec![];
    for _ in 0..30 {
        accepted.push(caller.upload(LETTER).await);
    }
    for accepted in &accepted[..4] {
        caller.until(accepted, "queued").await;
    }
    broker.wipe().await;
    broker.up().await;
    system.operator(&["dispatch", "requeue"]).await;
    let _worker = system.worker().await;
    for accepted in &accepted {
        let job = caller.until(accepted, "succeeded").await;
        assert_eq!(job["attempts"], 1);
    }
}
