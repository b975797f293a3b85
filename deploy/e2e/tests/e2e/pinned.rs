//! Jobs that insist on versions: more versions than a worker holds.

use docket_e2e::api::{Accepted, Caller};
use docket_e2e::system::System;
use docket_testing::TinyModel;
use serde_json::Value;

/// Jobs that together take all memory for small documents in a worker with the least memory.
const WAITING: usize = 16;
const LEAST_MEMORY: &str = "67108864";
/// Smallest document that takes a sixteenth of that memory, in bytes.
const DOCUMENT_BYTES: usize = 16_000;

/// A system with these versions of one model; the last version is current.
async fn with_versions(versions: &[&str]) -> System {
    let system = System::start().await;
    for version in versions {
        let folder = tempfile::tempdir().unwrap();
        let model = TinyModel::new("tiny", version)
            .kinds(&["PARTY"])
            .word("alice", "B-PARTY");
        model.write(folder.path());
        system.publish(folder.path()).await;
    }
    system
}

async fn succeeded(caller: &Caller, accepted: &Accepted, model: &str) -> Value {
    let entities = caller.checked_entities(accepted).await;
    assert!(entities.iter().all(|entity| entity["model"] == model), "{entities:?}");
    let job = caller.job(accepted).await;
    assert_eq!(job["attempts"], 1, "to be put off costs nothing: {job}");
    job
}

#[tokio::test]
async fn jobs_that_wait_for_a_version_hold_neither_memory_nor_the_places_of_others() {
    let system = with_versions(&["1", "2"]).await;
    let worker = system
        .worker_with(&[
            ("DOCKET_MODELS", "tiny"),
            ("DOCKET_PREFETCH", "20"),
            ("DOCKET_MEMORY_BYTES", LEAST_MEMORY),
            // The first load is the current version's. The second is delayed by 60 s: long enough even beside other tests.
            ("DOCKET_FAILPOINTS", "worker.model_load=delay:60000#2"),
        ])
        .await;
    let (many, one) = (system.caller("many").await, system.caller("one").await);
    let text = "Alice wrote. ".repeat(DOCUMENT_BYTES / 13 + 1);
    let mut waiting = Vec::new();
    for _ in 0..WAITING {
        waiting.push(many.upload_for("tiny@1", &text).await);
    }
    let claims = |line: &str| {
        let count = line.strip_prefix("docket_turn_wait_seconds_count{priority=\"interactive\"} ");
        count.is_some_and(|count| count.parse::<usize>().unwrap() >= WAITING)
    };
    worker.until_metrics(claims).await;
    let letter = one.upload_for("tiny", "Alice wrote to Bob.").await;
    succeeded(&one, &letter, "tiny@2").await;
    let loaded = "docket_model_loads_total{model=\"tiny\",outcome=\"loaded\"} 1";
    let metrics = worker.metrics().await;
    assert!(
        metrics.lines().any(|line| line == loaded),
        "the letter waited for a version that it did not want"
    );
    for accepted in &waiting {
        succeeded(&many, accepted, "tiny@1").await;
    }
}

#[tokio::test]
async fn every_client_gets_its_version_where_there_is_room_for_one() {
    let system = with_versions(&["1", "2", "3", "4"]).await;
    let settings = [("DOCKET_MODELS", "tiny"), ("DOCKET_MODEL_VERSIONS", "1")];
    let _worker = system.worker_with(&settings).await;
    let (many, one) = (system.caller("many").await, system.caller("one").await);
    let mut accepted = Vec::new();
    for version in ["tiny@1", "tiny@2", "tiny@1", "tiny@2"] {
        accepted.push((&many, many.upload_for(version, "Alice wrote to Bob.").await, version));
    }
    accepted.push((&one, one.upload_for("tiny@3", "Alice wrote to Bob.").await, "tiny@3"));
    for (caller, accepted, version) in &accepted {
        let job = succeeded(caller, accepted, version).await;
        let history = job["history"].as_array().unwrap();
        assert!(history.iter().all(|entry| entry["event"] != "errored"), "{job}");
    }
}
