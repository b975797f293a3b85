//! A model's folder is taken as a whole or not at all, and in time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use docket_engine::infer::manifest::{CONFIG_FILE, MANIFEST_FILE, Manifest, ManifestError, TOKENIZER_FILE};
use docket_engine::infer::session::LoadError;
use docket_engine::model::{Model, ModelError, ModelSettings};

use crate::fixture::{folder, library, settings};

/// A copy of the default model for one test to break.
fn copy(name: &str) -> PathBuf {
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&copy).expect("the folder can be made");
    for entry in std::fs::read_dir(folder()).expect("the model is there") {
        let path = entry.expect("the folder can be read").path();
        let name = path.file_name().expect("files have names");
        std::fs::copy(&path, copy.join(name)).expect("the file can be copied");
    }
    copy
}

/// Writes a manifest of the folder's present files, after `change`.
fn seal(folder: &Path, change: impl FnOnce(&mut Manifest)) {
    let about = Manifest::from_folder(folder).expect("the manifest is valid").about;
    let mut manifest = Manifest::for_folder(folder, about).expect("the folder is a model");
    change(&mut manifest);
    std::fs::write(folder.join(MANIFEST_FILE), manifest.to_json()).expect("the manifest can be written");
}

async fn refusal(folder: &Path) -> ModelError {
    Model::load(folder, &settings().await)
        .await
        .expect_err("this is no model")
}

#[test]
fn the_default_models_manifest_is_that_of_its_files() {
    let manifest = Manifest::from_folder(&folder()).expect("the manifest is valid");
    manifest.verify(&folder()).expect("the files are unchanged");
    let anew = Manifest::for_folder(&folder(), manifest.about.clone()).expect("the folder is a model");
    assert_eq!(anew, manifest);
}

#[tokio::test]
async fn a_changed_file_is_refused() {
    let folder = copy("changed");
    let path = folder.join(TOKENIZER_FILE);
    let tokenizer = std::fs::read_to_string(&path).expect("it can be read");
    std::fs::write(&path, tokenizer.replacen("the", "teh", 1)).expect("it can be written");
    assert!(
        matches!(refusal(&folder).await, ModelError::Manifest(ManifestError::Changed { name, .. }) if name == TOKENIZER_FILE)
    );
}

#[tokio::test]
async fn labels_that_are_not_the_models_are_refused() {
    let folder = copy("labels");
    let config = r#"{"id2label": {"0": "O", "1": "B-X", "2": "I-X"}}"#;
    std::fs::write(folder.join(CONFIG_FILE), config).expect("it can be written");
    seal(&folder, |_| ());
    assert!(
        matches!(refusal(&folder).await, ModelError::Trial(_)),
        "the trial finds 17 outputs for 3 labels"
    );
}

#[tokio::test]
async fn windows_longer_than_the_model_are_refused() {
    let folder = copy("windows");
    seal(&folder, |manifest| manifest.about.window_tokens = 513);
    assert!(matches!(refusal(&folder).await, ModelError::Unfit(_)));
}

#[tokio::test]
async fn what_is_no_model_is_an_error_and_not_a_crash() {
    let folder = copy("broken");
    std::fs::write(folder.join("model.onnx"), b"not a graph").expect("it can be written");
    seal(&folder, |_| ());
    assert!(matches!(
        refusal(&folder).await,
        ModelError::Load(LoadError::Model { .. })
    ));
    let nowhere = refusal(&folder.join("nowhere")).await;
    assert!(matches!(nowhere, ModelError::Manifest(ManifestError::Read { .. })));
}

#[tokio::test]
async fn one_process_has_one_library() {
    crate::fixture::model().await;
    let other = folder().join("config.json");
    let mut settings = ModelSettings::for_cpu(other, 1);
    let refused = Model::load(&folder(), &settings)
        .await
        .expect_err("another library is in use");
    assert!(matches!(refused, ModelError::Load(LoadError::OtherLibrary { .. })));
    settings.onnxruntime = "/nowhere/libonnxruntime.so".into();
    let missing = Model::load(&folder(), &settings)
        .await
        .expect_err("there is no such library");
    assert!(matches!(missing, ModelError::Load(LoadError::Library { .. })));
}

#[tokio::test]
async fn loading_has_a_deadline() {
    let mut settings = ModelSettings::for_cpu(library().await, 1);
    settings.load_max = Duration::ZERO;
    let late = Model::load(&folder(), &settings).await.expect_err("there is no time");
    assert!(matches!(late, ModelError::TooSlow(_)));
}
