//! One document, among many good ones, ends every process that reads it.

use std::time::Duration;

use docket_e2e::api::events;
use docket_e2e::system::System;
use docket_testing::TinyModel;

/// The word that marks the one document.
const MARK: &str = "Mephistopheles";
/// Documents before the marked one in the queue, and as many behind it.
const NEIGHBOURS: usize = 20;
/// How long the marked job may take: five runs, and pauses of 5 s in the delay queue between them.
const FOUND_MAX: Duration = Duration::from_secs(180);

#[tokio::test]
async fn a_document_that_ends_every_process_fails_and_its_many_neighbours_succeed() {
    let system = System::start().await;
    let folder = tempfile::tempdir().unwrap();
    let model = TinyModel::new("tiny", "1").kinds(&["PARTY"]).word("alice", "B-PARTY");
    model.write(folder.path());
    system.publish(folder.path()).await;
    let caller = system.caller("acme").await;
    let mut neighbours = Vec::new();
    let mut marked = None;
    for number in 0..=2 * NEIGHBOURS {
        if number == NEIGHBOURS {
            let text = format!("Alice wrote to {MARK}.");
            marked = Some(caller.upload_for("tiny", &text).await);
        } else {
            neighbours.push(
                caller
                    .upload_for("tiny", &format!("Alice wrote letter {number}."))
                    .await,
            );
        }
    }
    let marked = marked.unwrap();
    let failpoints = format!("worker.after_extract=kill~{MARK}");
    let settings = [("DOCKET_MODELS", "tiny"), ("DOCKET_FAILPOINTS", failpoints.as_str())];
    let mut worker = system.spawn_worker(&settings);
    let mut deaths = 0;
    let found = async {
        while caller.job(&marked).await["state"] != "failed" {
            if worker.has_ended() {
                deaths += 1;
                system.silence_all().await;
                worker = system.spawn_worker(&settings);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let found = tokio::time::timeout(FOUND_MAX, found).await;
    assert!(found.is_ok(), "not found out after {FOUND_MAX:?} and {deaths} deaths");
    let job = caller.job(&marked).await;
    assert_eq!(job["error"]["kind"], "poison", "{job}");
    assert_eq!(deaths, 4, "twice in company, twice alone: {job}");
    for neighbour in &neighbours {
        let entities = caller.checked_entities(neighbour).await;
        assert_eq!(entities.len(), 1);
        let job = caller.job(neighbour).await;
        // Beside the marked job, a job may crash twice; alone, where crashes count, never.
        assert!(events(&job, "crashed") <= 2 && events(&job, "errored") == 0, "{job}");
    }
}
