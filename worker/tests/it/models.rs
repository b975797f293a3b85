//! Models in a real bucket, as operators handle them.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use docket_contract::ids::ModelRef;
use docket_contract::model::{self, Current};
use docket_contract::object_key::BlobKey;
use docket_engine::infer::manifest::{CONFIG_FILE, MANIFEST_FILE};
use docket_engine::release::Release;
use docket_objects::{BlobConfig, BlobStore};
use docket_process::settings::Env;
use docket_testing::{Fault, TinyModel, World};
use docket_worker::evaluate;
use docket_worker::models::publish::{Options, publish};
use docket_worker::models::{check, gate, list, remove, switch};
use serde_json::{Value, json};

use crate::fixture;

/// Labelled text in which a tiny model finds every entity.
const GATE: &str = r#"{"tokens": ["Alice", "Smith", "v", "Paris"], "labels": ["B-PARTY", "I-PARTY", "O", "B-PLACE"]}"#;
/// Labelled text of two entities, of which the model finds one.
const HARDER_GATE: &str =
    r#"{"tokens": ["Alice", "Smith", "v", "Bob"], "labels": ["B-PARTY", "I-PARTY", "O", "B-PARTY"]}"#;

/// A bucket, and how programs reach it.
struct Bucket {
    blobs: BlobStore,
    env: Env,
    folders: PathBuf,
    _world: World,
}

impl Bucket {
    async fn new() -> Self {
        let world = World::start().await;
        let mut settings = world.env();
        let library = fixture::library().await.display().to_string();
        let folders = Path::new(env!("CARGO_TARGET_TMPDIR")).join("models").join(&world.id);
        settings.insert("DOCKET_ONNXRUNTIME_LIB".into(), library);
        let cache = folders.join("cache").display().to_string();
        settings.insert("DOCKET_MODEL_CACHE_DIR".into(), cache);
        let env = Env::from_map(settings);
        let config = BlobConfig::from_env(&env).expect("the settings are complete");
        Self {
            blobs: BlobStore::connect(&config).await,
            folders,
            env,
            _world: world,
        }
    }

    fn write(&self, model: &TinyModel, name: &str) -> PathBuf {
        let folder = self.folders.join(name);
        model.write(&folder);
        folder
    }

    async fn publish(&self, folder: &Path) -> Result<String, String> {
        let published = publish(&self.blobs, &self.env, folder, Options::default()).await;
        published.map_err(|error| format!("{error:#}"))
    }

    async fn keep_current(&self, folder: &Path) -> String {
        let options = Options { keep_current: true };
        let published = publish(&self.blobs, &self.env, folder, options).await;
        published.expect("it can be published")
    }

    async fn check(&self, model: &str) -> Result<String, String> {
        let model: ModelRef = model.parse().expect("it is a name");
        let checked = check::check(&self.blobs, &self.env, &model).await;
        checked.map_err(|error| format!("{error:#}"))
    }

    async fn evaluate(&self, model: &str, data: &Path) -> Value {
        let report = self.folders.join("report.json");
        let options = evaluate::Options {
            model: Some(model.parse().expect("it is a name")),
            folder: None,
            data: data.to_owned(),
            onnx: None,
            join: NonZeroUsize::MIN,
            labels: None,
            understanding: evaluate::Switch::Off,
            json: Some(report.clone()),
        };
        let evaluated = evaluate::run(&self.env, options).await;
        evaluated.expect("a published model can be evaluated");
        serde_json::from_slice(&std::fs::read(report).expect("it was written")).expect("it is JSON")
    }

    async fn list(&self) -> String {
        list::list(&self.blobs).await.expect("the bucket can be listed")
    }

    async fn remove(&self, model: &str) -> Result<String, String> {
        let removed = remove::remove(&self.blobs, &release(model)).await;
        removed.map_err(|error| format!("{error:#}"))
    }

    async fn current(&self) -> String {
        let Current { version } = docket_objects::current(&self.blobs, &release("tiny@1").name)
            .await
            .expect("one is current");
        version.to_string()
    }
}

fn release(model: &str) -> Release {
    model.parse().expect("it is a version")
}

fn key(model: &str, file: &str) -> BlobKey {
    let Release { name, version } = release(model);
    model::file_key(&name, &version, file)
}

fn tiny(version: &str) -> TinyModel {
    TinyModel::new("tiny", version)
        .kinds(&["PARTY", "PLACE"])
        .word("alice", "B-PARTY")
        .word("smith", "I-PARTY")
        .word("paris", "B-PLACE")
}

fn with_gate(model: TinyModel, data: &str, reference_f1: f64) -> TinyModel {
    let gate = json!({"data": "gate.jsonl", "reference_f1": reference_f1, "loss_max": 0.01});
    model.about("gate", gate).file("gate.jsonl", data)
}

#[tokio::test]
async fn a_model_is_published_listed_checked_and_switched() {
    let bucket = Bucket::new().await;
    assert_eq!(bucket.list().await, "there are no models in the bucket");
    let first = bucket.write(&with_gate(tiny("1"), GATE, 1.0), "1");
    assert_eq!(bucket.publish(&first).await.as_deref(), Ok("published: tiny@1"));
    let second = bucket.write(&tiny("2").word("rome", "B-PLACE"), "2");
    assert_eq!(bucket.keep_current(&second).await, "published: tiny@2; current is 1");
    assert_eq!(bucket.current().await, "1");

    let listed = bucket.list().await;
    let rows: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0][..4], ["name", "version", "current", "size"]);
    assert_eq!(rows[1][..3], ["tiny", "1", "yes"]);
    assert_eq!(rows[1][5..], ["64", "PARTY", "PLACE", "Apache-2.0"]);
    assert_eq!(rows[2][..2], ["tiny", "2"]);
    assert!(!rows[2].contains(&"yes"), "{listed}");

    let checked = bucket.check("tiny").await.expect("it works");
    assert!(
        checked.contains("tiny@1 works: 4 files") && checked.contains("F1 1.0000"),
        "{checked}"
    );
    let checked = bucket.check("tiny@2").await.expect("it works");
    assert!(checked.contains("it has no gate"), "{checked}");

    let switched = switch(&bucket.blobs, &release("tiny@2")).await.expect("it is there");
    assert_eq!(switched, "current: tiny@2; before it was 1");
    assert_eq!(bucket.current().await, "2");
    let missing = switch(&bucket.blobs, &release("tiny@3"))
        .await
        .expect_err("it is not there");
    assert_eq!(missing.to_string(), "tiny@3 is not in the bucket");
    assert_eq!(bucket.check("tiny@3").await, Err("tiny@3 is not in the bucket".into()));
    let unknown = bucket.check("other").await.expect_err("there is no such model");
    assert!(unknown.contains("no version of other is current"), "{unknown}");
}

#[tokio::test]
async fn the_gate_refuses_what_is_not_accurate_enough() {
    let bucket = Bucket::new().await;
    let folder = bucket.write(&with_gate(tiny("1"), HARDER_GATE, 0.9), "refused");
    let refused = bucket.publish(&folder).await.expect_err("it misses one of two");
    // The model finds one of two entities and nothing else, so F1 is 2/3.
    for figure in [
        "tiny@1 is not accurate enough",
        "F1 0.6667",
        "at least 0.8900",
        "reference 0.9000 less 0.0100",
    ] {
        assert!(refused.contains(figure), "{refused}");
    }
    assert_eq!(
        bucket.list().await,
        "there are no models in the bucket",
        "nothing was stored"
    );
    let folder = bucket.write(&with_gate(tiny("1"), HARDER_GATE, 0.67), "accepted");
    assert_eq!(bucket.publish(&folder).await.as_deref(), Ok("published: tiny@1"));
}

#[tokio::test]
async fn what_is_broken_is_not_published() {
    let bucket = Bucket::new().await;
    for (fault, reason) in [
        (Fault::CutShort, "model.onnx is not the file of the manifest"),
        (Fault::NoGraph, "load the model"),
        (Fault::Shape, "instead of"),
        (Fault::NotANumber, "no numbers"),
    ] {
        let folder = bucket.write(&tiny("1").fault(fault), &format!("{fault:?}"));
        let refused = bucket.publish(&folder).await.expect_err(reason);
        assert!(refused.contains(reason), "{refused}");
    }
    let gate_less = with_gate(tiny("1"), "not JSON", 0.5);
    let refused = bucket.publish(&bucket.write(&gate_less, "data")).await;
    assert!(refused.expect_err("the data is none").contains("line 1 of"));
    assert_eq!(bucket.list().await, "there are no models in the bucket");
}

#[tokio::test]
async fn a_published_version_never_changes_and_is_not_tried_again() {
    let mut bucket = Bucket::new().await;
    let folder = bucket.write(&tiny("1"), "1");
    bucket.publish(&folder).await.expect("it is sound");
    for (changed, name) in [
        (tiny("1").word("rome", "B-PLACE"), "files"),
        (tiny("1").windows(32, 8), "manifest"),
    ] {
        let refused = bucket.publish(&bucket.write(&changed, name)).await;
        let refused = refused.expect_err("another one is there");
        assert!(refused.contains("tiny@1 is in the bucket already"), "{refused}");
    }
    // Without the library nothing can be tried out, but a version that is published needs no trial.
    bucket.env = Env::from_map([("DOCKET_ONNXRUNTIME_LIB".to_owned(), "/nowhere".to_owned())].into());
    assert_eq!(bucket.publish(&folder).await.as_deref(), Ok("published: tiny@1"));
    let other = bucket.publish(&bucket.write(&tiny("2"), "2")).await;
    assert!(other.expect_err("it must be tried").contains("DOCKET_ONNXRUNTIME_LIB"));
}

#[tokio::test]
async fn the_current_version_stays_and_others_are_removed_whole() {
    let bucket = Bucket::new().await;
    for version in ["1", "2"] {
        let folder = bucket.write(&tiny(version), version);
        bucket.publish(&folder).await.expect("it is sound");
    }
    let refused = bucket.remove("tiny@2").await.expect_err("it is current");
    assert!(refused.contains("tiny@2 is the current version of tiny"), "{refused}");
    let removed = bucket.remove("tiny@1").await.expect("it is not current");
    assert!(
        removed.starts_with("removed: tiny@1; jobs that ask for this version will fail"),
        "{removed}"
    );
    let left = bucket
        .blobs
        .list("models/tiny/1/", None, 10)
        .await
        .expect("it can be listed");
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(
        bucket.remove("tiny@1").await.as_deref(),
        Ok("tiny@1 is not in the bucket")
    );
    assert!(bucket.check("tiny@2").await.is_ok(), "its neighbour is whole");

    // A removal interrupted after its first step shows in the list, and the next removal ends it.
    bucket.keep_current(&bucket.write(&tiny("3"), "3")).await;
    let manifest = key("tiny@3", MANIFEST_FILE);
    bucket.blobs.delete(&manifest).await.expect("it can be removed");
    assert!(bucket.list().await.contains("half published or half removed"));
    assert!(
        bucket
            .remove("tiny@3")
            .await
            .expect("it is ended")
            .starts_with("removed: tiny@3")
    );
    assert!(!bucket.list().await.contains("half"));
}

/// What every installation and every start of a stack does. An operator's roll-back outlives it.
#[tokio::test]
async fn the_first_version_holds_and_what_an_operator_chose_stays() {
    let bucket = Bucket::new().await;
    let (first, second) = (bucket.write(&tiny("1"), "1"), bucket.write(&tiny("2"), "2"));
    assert_eq!(bucket.keep_current(&first).await, "published: tiny@1");
    assert_eq!(bucket.publish(&second).await.as_deref(), Ok("published: tiny@2"));
    switch(&bucket.blobs, &release("tiny@1")).await.expect("it is there");
    assert_eq!(bucket.keep_current(&second).await, "published: tiny@2; current is 1");
}

#[tokio::test]
async fn a_check_reads_what_the_bucket_has() {
    let bucket = Bucket::new().await;
    bucket
        .publish(&bucket.write(&tiny("1"), "1"))
        .await
        .expect("it is sound");
    let config = key("tiny@1", CONFIG_FILE);
    bucket
        .blobs
        .put_bytes(&config, "{}".into())
        .await
        .expect("it can be stored");
    let spoiled = bucket.check("tiny@1").await.expect_err("a file was changed");
    assert!(
        spoiled.contains("config.json is not the file of the manifest"),
        "{spoiled}"
    );
    bucket.blobs.delete(&config).await.expect("it can be removed");
    let lost = bucket.check("tiny@1").await.expect_err("a file was lost");
    assert!(lost.contains("config.json"), "{lost}");
}

#[tokio::test]
async fn the_default_model_passes_its_gate() {
    let verdict = gate::judge(fixture::model().await, &fixture::folder()).await;
    let verdict = verdict.expect("its data can be read").expect("it has a gate");
    assert!(verdict.is_pass(), "{verdict}");
    assert!(verdict.f1 < 1.0, "a gate without a miss tells nothing");
}

#[tokio::test]
async fn a_published_version_is_evaluated_by_its_name() {
    let bucket = Bucket::new().await;
    let with_places = |version| {
        let tiny = TinyModel::new("tiny", version).kinds(&["PARTY", "PLACE"]);
        tiny.word("alice", "B-PARTY").word("smith", "I-PARTY")
    };
    let knowing = bucket.write(&with_places("1").word("paris", "B-PLACE"), "knowing");
    let simple = bucket.write(&with_places("2"), "simple");
    for folder in [&knowing, &simple] {
        bucket.publish(folder).await.expect("it can be published");
    }
    let data = bucket.folders.join("data.jsonl");
    std::fs::write(&data, GATE).expect("it can be written");
    for (model, version, recall) in [("tiny@1", "tiny@1", 1.0), ("tiny", "tiny@2", 0.5)] {
        let report = bucket.evaluate(model, &data).await;
        assert_eq!(report["model"], json!(version));
        assert_eq!(report["micro"]["recall"], json!(recall), "{model}");
    }
}
