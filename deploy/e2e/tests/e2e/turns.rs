//! When jobs run and when not: turns, pauses, deadlines, cancellations, and overloaded stores.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use docket_e2e::api::{Accepted, Caller};
use docket_e2e::system::{Program, System};
use docket_e2e::wire::Wire;
use docket_process::settings::Env;
use docket_store::operate::controls::{self, Change};
use docket_store::{Shards, StoreConfig};
use jiff::{Timestamp, ToSpan};

use crate::{LETTER, long_text};

#[tokio::test]
async fn cancelled_work_stops_long_before_its_end() {
    let system = System::start().await;
    let worker = system.worker().await;
    let caller = system.caller("acme").await;
    let long = caller.upload(&long_text(60)).await;
    caller.until(&long, "running").await;
    worker.until_metric("docket_jobs_running 1").await;
    let begun = Instant::now();
    let cancelled = caller.cancel(&long).await;
    assert_eq!(cancelled["state"], "cancelled");
    worker.until_metric("docket_jobs_running 0").await;
    // A worker looks every 1 s; the rest is for a machine that runs other tests. The whole work would take a minute.
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let next = caller.upload(LETTER).await;
    caller.until(&next, "succeeded").await;
    assert!(
        begun.elapsed() < Duration::from_secs(45),
        "the engine went on with what nobody wants"
    );
    assert_eq!(caller.job(&long).await["state"], "cancelled");
}

#[tokio::test]
async fn a_long_document_says_how_far_it_is_and_a_cancel_stops_it_long_before_its_end() {
    /// Parts of the long document. It would take about two minutes.
    const PARTS: usize = 120;
    let system = System::start().await;
    let worker = system.worker_with(&[("DOCKET_SESSIONS", "1")]).await;
    let caller = system.caller("acme").await;
    let part = caller.upload(&long_text(1)).await;
    let part = caller.until(&part, "succeeded").await;
    assert_eq!(part["progress"], 1.0);
    let windows = part["windows"].as_f64().unwrap();
    let before = windows_read(&worker).await;
    assert_eq!(before, windows, "the model reads each window once");

    let long = caller.upload(&long_text(PARTS)).await;
    let first = progress_beyond(&caller, &long, 0.0).await;
    let second = progress_beyond(&caller, &long, first).await;
    let (read, all) = (windows_read(&worker).await - before, windows * PARTS as f64);
    // A part on its own may have a window more than within the whole.
    assert!(
        second < 0.5 && second <= read / all * 1.1,
        "{second} of {all}, and {read} are read"
    );

    assert_eq!(caller.cancel(&long).await["state"], "cancelled");
    worker.until_metric(r#"docket_jobs_total{outcome="cancelled"} 1"#).await;
    worker.until_metric("docket_jobs_running 0").await;
    worker.until_metric("docket_worker_memory_reserved_bytes 0").await;
    let stopped = windows_read(&worker).await;
    let letter = caller.upload(LETTER).await;
    let letter = caller.until(&letter, "succeeded").await["windows"].as_f64().unwrap();
    let after = windows_read(&worker).await;
    // The pass that ran when the job was cancelled ends, and nothing of the job runs behind it.
    assert!(after <= stopped + letter + 1.0, "{stopped}, then {after} windows");
    assert!(after - before < all * 0.6, "{after} of {all} windows");
    let ended = caller.job(&long).await;
    assert_eq!(
        (&ended["state"], &ended["progress"]),
        (&"cancelled".into(), &serde_json::Value::Null)
    );
}

/// Waits until a running document's progress is beyond this, and returns it.
async fn progress_beyond(caller: &Caller, accepted: &Accepted, than: f64) -> f64 {
    let path = format!("/v1/documents/{}", accepted.document);
    let growing = async {
        loop {
            let (_, document) = caller.get(&path).await;
            match document["job"]["progress"].as_f64() {
                Some(progress) if progress > than => return progress,
                _ => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    };
    let grown = tokio::time::timeout(Duration::from_secs(90), growing).await;
    grown.unwrap_or_else(|_| panic!("the progress stays at {than}"))
}

/// Windows that a worker's model has read, by the worker's own count.
async fn windows_read(worker: &Program) -> f64 {
    let metrics = worker.metrics().await;
    let line = metrics
        .lines()
        .find(|line| line.starts_with("docket_model_pass_windows_sum"));
    let (_, value) = line.unwrap().rsplit_once(' ').unwrap();
    value.parse().unwrap()
}

#[tokio::test]
async fn work_waits_for_its_time_and_not_longer_than_its_deadline() {
    let system = System::start().await;
    let caller = system.caller("acme").await;
    let soon = |seconds: i64| (Timestamp::now() + seconds.seconds()).to_string();
    let (not_before, deadline) = (soon(3), soon(2));
    let later = caller.upload_with(&format!("not_before={not_before}"), LETTER).await;
    let hurried = caller.upload_with(&format!("deadline={deadline}"), LETTER).await;
    // No worker runs: the job expires where it waits.
    let expired = caller.until(&hurried, "expired").await;
    assert_eq!(expired["error"]["kind"], "deadline_passed");
    let _worker = system.worker().await;
    let done = caller.until(&later, "succeeded").await;
    let at = |time: &serde_json::Value| time.as_str().unwrap().parse::<Timestamp>().unwrap();
    assert!(at(&done["started_at"]) >= at(&not_before.into()), "{done}");
    assert_eq!(done["attempts"], 1);
}

#[tokio::test]
async fn a_paused_client_waits_and_loses_nothing_while_others_go_on() {
    let system = System::start().await;
    let _worker = system.worker().await;
    let config = StoreConfig::from_env(&Env::from_map(system.world.env())).unwrap();
    let shards = Shards::connect(&config).await.unwrap();
    let pause = async |paused| {
        let change = Change {
            paused: Some(paused),
            ..Change::default()
        };
        controls::set_client(&shards, &"acme".parse().unwrap(), change)
            .await
            .unwrap();
    };
    let (caller, other) = (system.caller("acme").await, system.caller("other").await);
    pause(true).await;
    let mut waiting = Vec::new();
    for _ in 0..5 {
        waiting.push(caller.upload(LETTER).await);
    }
    for _ in 0..5 {
        let accepted = other.upload(LETTER).await;
        other.until(&accepted, "succeeded").await;
    }
    for accepted in &waiting {
        let job = caller.job(accepted).await;
        assert_eq!(
            (&job["state"], &job["attempts"]),
            (&"waiting".into(), &0.into()),
            "{job}"
        );
    }
    pause(false).await;
    for accepted in &waiting {
        caller.until(accepted, "succeeded").await;
    }
}

#[tokio::test]
async fn interactive_work_goes_first_and_bulk_work_goes_on() {
    let system = System::start().await;
    let caller = system.caller("acme").await;
    // More jobs than are handed over and kept in the queue: from here on interactive work always waits.
    let mut interactive = VecDeque::new();
    for _ in 0..60 {
        interactive.push_back(caller.upload(&LETTER.repeat(5)).await);
    }
    let mut bulk = Vec::new();
    for _ in 0..40 {
        bulk.push(caller.upload_with("priority=bulk", &LETTER.repeat(5)).await);
    }
    let _worker = system.worker().await;
    let mut done = 0;
    let refill = async {
        while let Some(oldest) = interactive.pop_front() {
            caller.until(&oldest, "succeeded").await;
            done += 1;
            interactive.push_back(caller.upload(&LETTER.repeat(5)).await);
        }
    };
    let bulk_goes_on = async {
        for accepted in &bulk[..6] {
            caller.until(accepted, "succeeded").await;
        }
    };
    tokio::select! {
        () = refill => unreachable!("for each one that is done another one comes"),
        () = bulk_goes_on => {}
    }
    let mut of_bulk = 0;
    for accepted in &bulk {
        of_bulk += usize::from(caller.job(accepted).await["state"] == "succeeded");
    }
    assert!(
        3 * of_bulk < done,
        "{of_bulk} bulk jobs were done with {done} interactive ones, and a tenth is theirs"
    );
}

#[tokio::test]
async fn an_object_store_that_is_away_costs_no_attempts() {
    let system = System::start().await;
    let endpoint = system.world.env()["DOCKET_S3_ENDPOINT"].clone();
    let wire = Wire::to(endpoint.strip_prefix("http://").unwrap()).await;
    let worker = system
        .worker_with(&[("DOCKET_S3_ENDPOINT", &format!("http://{}", wire.address))])
        .await;
    let caller = system.caller("acme").await;
    wire.set_whole(false);
    let mut accepted = Vec::new();
    for _ in 0..12 {
        accepted.push(caller.upload(LETTER).await);
    }
    worker
        .until_metrics(|line| {
            line.strip_prefix("docket_worker_intake_limit ")
                .is_some_and(|limit| limit.parse::<f64>().unwrap() <= 4.0)
        })
        .await;
    wire.set_whole(true);
    for accepted in &accepted {
        let job = caller.until(accepted, "succeeded").await;
        assert_eq!(job["attempts"], 1, "{job}");
        assert!(
            job["history"]
                .as_array()
                .unwrap()
                .iter()
                .all(|entry| entry["event"] != "errored"),
            "{job}"
        );
    }
}
