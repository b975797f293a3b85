//! The default model, for tests of the worker.

use std::path::PathBuf;

use docket_engine::model::{Model, ModelSettings};
use tokio::sync::OnceCell;

/// The folder of the default model.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy/models/ner-legal")
}

/// The tests run windows alone, in one session, so that the order of passes is known.
pub async fn settings() -> ModelSettings {
    ModelSettings::for_cpu(library().await, 1)
}

/// The model with the default settings.
pub async fn model() -> &'static Model {
    static MODEL: OnceCell<Model> = OnceCell::const_new();
    let load = || async {
        let settings = ModelSettings::for_cpu(library().await, 1);
        Model::load(&folder(), &settings)
            .await
            .expect("the default model loads")
    };
    MODEL.get_or_init(load).await
}

/// Path of onnxruntime: the operator's setting, or else the test stack's.
pub async fn library() -> PathBuf {
    match std::env::var_os("DOCKET_ONNXRUNTIME_LIB") {
        Some(path) => path.into(),
        None => docket_testing::stack().await.onnxruntime.clone(),
    }
}
