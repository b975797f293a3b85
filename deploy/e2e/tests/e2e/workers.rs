//! Workers that are killed, frozen or stopped during their work.

use docket_e2e::system::System;

use crate::{LETTER, long_text};

#[tokio::test]
async fn a_killed_worker_leads_to_a_second_run_and_one_set_of_results() {
    let system = System::start().await;
    let caller = system.caller("acme").await;
    let mut first = system.worker().await;
    let accepted = caller.upload(&long_text(3)).await;
    caller.until(&accepted, "running").await;
    first.kill9().await;
    system.silence(&accepted).await;
    let _second = system.worker().await;
    let entities = caller.checked_entities(&accepted).await;
    assert!(!entities.is_empty());
    let job = caller.job(&accepted).await;
    assert_eq!(
        (job["attempts"].as_i64(), job["entities"].as_u64()),
        (Some(2), Some(entities.len() as u64))
    );
    let events: Vec<&str> = job["history"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|e| e["event"].as_str())
        // A worker may claim a job before the row is marked published.
        .filter(|event| *event != "published")
        .collect();
    assert_eq!(events, ["claimed", "crashed", "claimed", "succeeded"]);
}

#[tokio::test]
async fn a_frozen_worker_that_wakes_up_changes_nothing() {
    let system = System::start().await;
    let caller = system.caller("acme").await;
    let frozen = system.worker().await;
    let accepted = caller.upload(&long_text(3)).await;
    caller.until(&accepted, "running").await;
    frozen.freeze();
    // The broker does not notice a frozen consumer for 20 s, so its connection is closed, as an operator would.
    while system.world.close_connections().await == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    system.silence(&accepted).await;
    let _second = system.worker().await;
    let entities = caller.checked_entities(&accepted).await;
    frozen.wake();
    // The woken worker finishes, finds that the job is no longer its own, and goes on with others.
    let next = caller.upload(LETTER).await;
    caller.until(&next, "succeeded").await;
    assert_eq!(caller.entities(&accepted).await, entities);
    assert_eq!(caller.job(&accepted).await["attempts"], 2);
}

#[tokio::test]
async fn a_stopped_worker_gives_its_jobs_back_unharmed() {
    let system = System::start().await;
    let caller = system.caller("acme").await;
    let mut first = system.worker_with(&[("DOCKET_DRAIN_SECONDS", "0")]).await;
    let running = caller.upload(&long_text(4)).await;
    caller.until(&running, "running").await;
    let waiting = caller.upload(LETTER).await;
    first.terminate().await;
    let state = caller.job(&running).await["state"].clone();
    assert!(
        state == "queued" || state == "waiting",
        "it was not given back: {state}"
    );
    let _second = system.worker().await;
    for accepted in [&running, &waiting] {
        caller.checked_entities(accepted).await;
        assert_eq!(caller.job(accepted).await["attempts"], 1, "a drain is not an attempt");
    }
}

#[tokio::test]
async fn a_drain_lets_running_jobs_end() {
    let system = System::start().await;
    let caller = system.caller("acme").await;
    let mut worker = system.worker_with(&[("DOCKET_DRAIN_SECONDS", "100")]).await;
    let accepted = caller.upload(&long_text(1)).await;
    caller.until(&accepted, "running").await;
    worker.terminate().await;
    assert_eq!(caller.job(&accepted).await["state"], "succeeded");
}

#[tokio::test]
async fn a_job_that_kills_its_workers_is_found_out_and_its_neighbour_is_not_charged() {
    let system = System::start().await;
    let caller = system.caller("acme").await;
    let poison = caller.upload(&long_text(20)).await;
    for round in 0..4 {
        let mut worker = system.worker().await;
        // Twice in company, then alone: this neighbour cannot be what kills the worker.
        let neighbour = (round < 2).then(|| caller.upload(LETTER));
        caller.until_attempt(&poison, round + 1).await;
        if let Some(neighbour) = neighbour {
            caller.until(&neighbour.await, "succeeded").await;
        }
        worker.kill9().await;
        system.silence(&poison).await;
    }
    let _last = system.worker().await;
    let job = caller.until(&poison, "failed").await;
    assert_eq!(job["error"]["kind"], "poison", "{job}");
    let next = caller.upload(LETTER).await;
    let next = caller.until(&next, "succeeded").await;
    assert_eq!(next["attempts"], 1);
}
