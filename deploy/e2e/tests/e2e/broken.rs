//! A model that fails on every document, from some moment on.

use docket_e2e::api::events;
use docket_e2e::system::System;
use docket_testing::TinyModel;

/// Jobs that wait when the worker starts: fewer than the worker takes at a time.
const JOBS: usize = 12;
/// Errors before the worker doubts its model: one less than it needs.
const ERRORS_MAX: usize = 2;

#[tokio::test]
async fn a_worker_whose_model_fails_every_job_gives_them_back_and_ends() {
    let system = System::start().await;
    let folder = tempfile::tempdir().unwrap();
    let model = TinyModel::new("tiny", "1").kinds(&["PARTY"]).word("alice", "B-PARTY");
    model.write(folder.path());
    system.publish(folder.path()).await;
    let caller = system.caller("acme").await;
    let mut jobs = Vec::new();
    for number in 0..JOBS {
        let text = format!("Alice wrote letter {number}.");
        jobs.push(caller.upload_for("tiny", &text).await);
    }
    // Two passes warm the model. Each later pass panics, even one of a trial.
    let mut broken = system.spawn_worker(&[
        ("DOCKET_MODELS", "tiny"),
        ("DOCKET_FAILPOINTS", "worker.infer=panic#3+"),
    ]);
    let status = broken.until_ended().await;
    assert!(!status.success(), "{status}");
    let said = |line: &str| broken.log().contains(line);
    assert!(said("a session of the model fails whatever it is given"));
    assert!(said("a model failed whatever it was given"));
    let mut errors = 0;
    for job in &jobs {
        let job = caller.job(job).await;
        assert!(["queued", "waiting"].contains(&job["state"].as_str().unwrap()), "{job}");
        errors += events(&job, "errored");
    }
    assert!(errors <= ERRORS_MAX, "{errors} of {JOBS} jobs have lost a try");
    let _worker = system.worker_with(&[("DOCKET_MODELS", "tiny")]).await;
    for job in &jobs {
        assert_eq!(caller.checked_entities(job).await.len(), 1);
        assert_eq!(events(&caller.job(job).await, "crashed"), 0);
    }
}
