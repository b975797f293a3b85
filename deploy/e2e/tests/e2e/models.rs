//! Several models and versions at once, changed during the work.

use std::path::Path;

use docket_contract::model::{self, Current};
use docket_e2e::api::{Accepted, Caller};
use docket_e2e::system::{Program, System};
use docket_objects::{BlobConfig, BlobStore};
use docket_process::settings::Env;
use docket_testing::{Fault, TinyModel};
use serde_json::Value;

const TEXT: &str = "Alice wrote to Bob, and Bob to Carol.";

/// A version that knows these parties of the text.
fn version(version: &str, parties: &[&str]) -> TinyModel {
    let model = TinyModel::new("tiny", version).kinds(&["PARTY"]);
    parties.iter().fold(model, |model, party| model.word(party, "B-PARTY"))
}

async fn publish(system: &System, model: &TinyModel) {
    let folder = tempfile::tempdir().unwrap();
    model.write(folder.path());
    system.publish(folder.path()).await;
}

async fn worker(system: &System) -> Program {
    let settings = [("DOCKET_MODELS", "ner-legal,tiny"), ("DOCKET_MODEL_POLL_SECONDS", "1")];
    system.worker_with(&settings).await
}

/// The parties of a document, and the single model that found them.
async fn read(caller: &Caller, accepted: &Accepted) -> (Vec<String>, Option<String>) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let entities = caller.checked_entities(accepted).await;
    let models: Vec<String> = entities.iter().map(|entity| text(&entity["model"])).collect();
    assert!(models.iter().all(|model| *model == models[0]), "{models:?}");
    let parties = entities.iter().map(|entity| text(&entity["text"])).collect();
    (parties, models.into_iter().next())
}

#[tokio::test]
async fn a_worker_serves_several_models_and_the_versions_that_jobs_insist_on() {
    let system = System::start().await;
    publish(&system, &version("1", &["alice"])).await;
    publish(&system, &version("2", &["alice", "bob"])).await;
    let worker = worker(&system).await;
    let caller = system.caller("acme").await;
    let by_current = caller.upload_for("tiny", TEXT).await;
    let by_first = caller.upload_for("tiny@1", TEXT).await;
    let by_default = caller.upload(crate::LETTER).await;
    assert_eq!(read(&caller, &by_current).await.1.as_deref(), Some("tiny@2"));
    let (parties, model) = read(&caller, &by_first).await;
    assert_eq!((parties, model.as_deref()), (vec!["Alice".to_owned()], Some("tiny@1")));
    let (_, model) = read(&caller, &by_default).await;
    assert!(
        model.as_ref().is_some_and(|model| model.starts_with("ner-legal@")),
        "{model:?}"
    );
    let again = caller.analyse_again(&by_first, "tiny@2").await;
    assert_eq!(read(&caller, &again).await.0, ["Alice", "Bob", "Bob"]);
    let jobs = worker.metrics().await;
    assert!(jobs.contains("docket_jobs_total{outcome=\"succeeded\"} 4"), "{jobs}");
}

#[tokio::test]
async fn a_version_is_picked_up_without_a_restart_and_a_broken_one_is_refused() {
    let system = System::start().await;
    publish(&system, &version("1", &["alice"])).await;
    let worker = worker(&system).await;
    let caller = system.caller("acme").await;
    let mut uploads = Vec::new();
    let change = async {
        publish(&system, &version("2", &["alice", "bob"])).await;
        worker
            .until_metric("docket_model_serving{model=\"tiny\",version=\"2\"} 1")
            .await;
    };
    tokio::pin!(change);
    loop {
        tokio::select! {
            accepted = caller.upload_for("tiny", TEXT) => uploads.push(accepted),
            () = &mut change => break,
        }
    }
    for accepted in &uploads {
        let (parties, model) = read(&caller, accepted).await;
        let expected: &[&str] = match model.as_deref() {
            Some("tiny@1") => &["Alice"],
            Some("tiny@2") => &["Alice", "Bob", "Bob"],
            other => panic!("{other:?}"),
        };
        assert_eq!(parties, expected);
        assert_eq!(caller.job(accepted).await["attempts"], 1);
    }
    let broken = tempfile::tempdir().unwrap();
    version("3", &["carol"]).fault(Fault::NotANumber).write(broken.path());
    force(&system, broken.path()).await;
    worker
        .until_metric("docket_model_refusals_total{model=\"tiny\"} 1")
        .await;
    let after = caller.upload_for("tiny", TEXT).await;
    assert_eq!(read(&caller, &after).await.1.as_deref(), Some("tiny@2"));
}

/// Puts a version into the bucket unchecked, as a broken tool would, and makes it the current version.
async fn force(system: &System, folder: &Path) {
    let config = BlobConfig::from_env(&Env::from_map(system.world.env())).unwrap();
    let blobs = BlobStore::connect(&config).await;
    let name = "tiny".parse().unwrap();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let key = model::file_key(
            &name,
            &"3".parse().unwrap(),
            path.file_name().unwrap().to_str().unwrap(),
        );
        blobs.put_file(&key, &path).await.unwrap();
    }
    let current = Current {
        version: "3".parse().unwrap(),
    };
    docket_objects::set_current(&blobs, &name, &current).await.unwrap();
}
