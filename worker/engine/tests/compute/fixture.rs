//! The default model, loaded once per process, and what the tests do with it.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use docket_contract::entity::Entity;
use docket_contract::ids::ClientId;
use docket_engine::batch::PassLimits;
use docket_engine::cpu::CpuPool;
use docket_engine::decode;
use docket_engine::infer::labels::{Labels, ModelConfig};
use docket_engine::infer::manifest::{CONFIG_FILE, LabelScheme, TOKENIZER_FILE};
use docket_engine::model::{Model, ModelSettings};
use docket_engine::window::{self, Splitter, TextTokenizer, Windows};
use docket_extract::ExtractedText;
use proptest::test_runner::{Config, RngSeed};
use tokio::sync::OnceCell;

/// Names in four kinds, a date and a sum, as contracts have them.
pub const CONTRACT: &str = "This Loan Agreement is made on March 9, 2015 between Acme Widgets, Inc., a Delaware \
    corporation, and Maria L. Gonzalez, residing in Austin, Texas. The Borrower shall pay $2,500,000 to the Lender. \
    This Agreement is governed by the Securities Exchange Act of 1934, and any dispute shall be brought before the \
    United States District Court for the Southern District of New York.";

/// Seed of the search for counter-examples. `PROPTEST_RNG_SEED` replaces it.
const SEED: u64 = 20_240_229;

/// Properties are tried on the same texts in every run, so that a failing test fails again while somebody looks into it.
pub fn properties(cases: u32) -> Config {
    let config = Config::default();
    let rng_seed = match config.rng_seed {
        RngSeed::Random => RngSeed::Fixed(SEED),
        RngSeed::Fixed(seed) => RngSeed::Fixed(seed),
    };
    Config {
        cases,
        rng_seed,
        failure_persistence: None,
        ..config
    }
}

/// The folder of the default model.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy/models/ner-legal")
}

/// The tests run windows alone, in one session, so that the order of passes is known.
pub async fn settings() -> ModelSettings {
    ModelSettings::for_cpu(library().await, 1)
}

/// The model with the default settings.
pub async fn model() -> &'static Model {
    static MODEL: OnceCell<Model> = OnceCell::const_new();
    let load = || async {
        Model::load(&folder(), &settings().await)
            .await
            .expect("the default model loads")
    };
    MODEL.get_or_init(load).await
}

/// The model with several windows in a pass.
pub async fn batching_model() -> &'static Model {
    static MODEL: OnceCell<Model> = OnceCell::const_new();
    let load = || async {
        let mut settings = settings().await;
        settings.pass = PassLimits {
            tokens_max: 2048,
            rows_max: 8,
        };
        Model::load(&folder(), &settings)
            .await
            .expect("the default model loads")
    };
    MODEL.get_or_init(load).await
}

/// The splitter of the default model, for tests that need no more of it.
pub fn splitter() -> &'static Arc<Splitter> {
    static SPLITTER: LazyLock<Arc<Splitter>> = LazyLock::new(|| {
        let tokenizer = TextTokenizer::from_file(&folder().join(TOKENIZER_FILE)).expect("the tokenizer loads");
        Arc::new(Splitter::new(tokenizer, 192, 32))
    });
    &SPLITTER
}

/// The default model's labels.
pub fn labels() -> Labels {
    let config = ModelConfig::from_file(&folder().join(CONFIG_FILE)).expect("the configuration is there");
    Labels::of(&config, LabelScheme::Bio).expect("the labels are BIO")
}

/// A text as an upload brings it.
pub fn text(text: &str) -> Arc<ExtractedText> {
    Arc::new(text.to_owned().into())
}

/// A text's windows.
pub async fn windows(model: &Model, text: &Arc<ExtractedText>) -> Arc<Windows> {
    let split = window::split(&CpuPool::new(1), model.splitter(), text).await;
    Arc::new(split.expect("every text can be cut"))
}

/// Takes a text through all steps, with no other text in the passes.
pub async fn entities(model: &Model, text: &Arc<ExtractedText>) -> Vec<Entity> {
    let windows = windows(model, text).await;
    let scores = model
        .batcher()
        .score(&client("alone"), &windows)
        .await
        .expect("the model runs");
    decode::entities(text, &windows, scores, model.labels())
}

pub fn client(name: &str) -> ClientId {
    name.parse().expect("it is a name")
}

/// Path of onnxruntime: the operator's setting, or else the test stack's.
pub async fn library() -> PathBuf {
    match std::env::var_os("DOCKET_ONNXRUNTIME_LIB") {
        Some(path) => path.into(),
        None => docket_testing::stack().await.onnxruntime.clone(),
    }
}
