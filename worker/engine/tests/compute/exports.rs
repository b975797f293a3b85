//! Token classifiers of every supported shape, each through all steps: load, split, score, decode.

use std::path::PathBuf;

use docket_engine::infer::InferError;
use docket_engine::infer::manifest::ManifestError;
use docket_engine::infer::session::LoadError;
use docket_engine::model::{Model, ModelError};
use docket_testing::{Fault, Scheme, TinyModel};

use crate::fixture::{entities, settings, text};

/// Writes a model into a folder of the test's own, and loads it.
async fn load(model: &TinyModel, test: &str) -> Result<Model, ModelError> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("exports").join(test);
    model.write(&folder);
    Model::load(&folder, &settings().await).await
}

/// A text's entities as label, text, place in scalar values and place in bytes.
async fn found(tiny: &TinyModel, test: &str, given: &str) -> Vec<(String, String, [u32; 2], [u32; 2])> {
    let model = load(tiny, test).await.expect("the tiny model loads");
    let entities = entities(&model, &text(given)).await;
    model.stop().await;
    let row = |entity: docket_contract::entity::Entity| {
        assert!(entity.score > 0.9, "{entity:?}");
        let span = entity.span;
        let bytes = [span.start_byte, span.end_byte];
        (entity.label, entity.text, [span.start, span.end], bytes)
    };
    entities.into_iter().map(row).collect()
}

fn row(label: &str, text: &str, scalars: [u32; 2], bytes: [u32; 2]) -> (String, String, [u32; 2], [u32; 2]) {
    (label.to_owned(), text.to_owned(), scalars, bytes)
}

#[tokio::test]
async fn bio_with_token_types() {
    let tiny = TinyModel::new("tiny", "1")
        .kinds(&["PARTY", "PLACE"])
        .word("alice", "B-PARTY")
        .word("smith", "I-PARTY")
        .word("paris", "B-PLACE")
        .word("##ian", "I-PLACE")
        .token_types();
    // Accents and capitals are the tokenizer's business, "x" is unknown, and a word is labelled by its first piece.
    let given = "\u{2014} Alice  SMITH alice, of Par\u{ed}sian x Alice";
    assert_eq!(
        found(&tiny, "bio", given).await,
        [
            row("PARTY", "Alice  SMITH", [2, 14], [4, 16]),
            row("PARTY", "alice", [15, 20], [17, 22]),
            row("PLACE", "Par\u{ed}sian", [25, 33], [27, 36]),
            row("PARTY", "Alice", [36, 41], [39, 44]),
        ]
    );
}

#[tokio::test]
async fn bioes_without_token_types_and_its_labels_in_any_order() {
    let tiny = TinyModel::new("tiny", "1")
        .scheme(Scheme::Bioes)
        .labels(&["S-PARTY", "I-DATE", "E-DATE", "O", "B-DATE", "B-PARTY", "E-PARTY"])
        .word("alice", "S-PARTY")
        .word("1", "B-DATE")
        .word("may", "I-DATE")
        .word("2024", "E-DATE");
    assert_eq!(
        found(&tiny, "bioes", "\u{a7} 1 May 2024 1 2024 Alice alice").await,
        [
            row("DATE", "1 May 2024", [2, 12], [3, 13]),
            row("DATE", "1 2024", [13, 19], [14, 20]),
            row("PARTY", "Alice", [20, 25], [21, 26]),
            row("PARTY", "alice", [26, 31], [27, 32]),
        ]
    );
}

#[tokio::test]
async fn bilou_in_its_own_letters() {
    let tiny = TinyModel::new("tiny", "1")
        .scheme(Scheme::Bilou)
        .kinds(&["PARTY"])
        .word("alice", "B-PARTY")
        .word("smith", "L-PARTY")
        .word("bob", "U-PARTY");
    assert_eq!(
        found(&tiny, "bilou", "Alice Smith Bob").await,
        [
            row("PARTY", "Alice Smith", [0, 11], [0, 11]),
            row("PARTY", "Bob", [12, 15], [12, 15])
        ]
    );
}

#[tokio::test]
async fn plain_labels_with_another_output_and_another_order_of_inputs() {
    let tiny = TinyModel::new("tiny", "1")
        .scheme(Scheme::Plain)
        .kinds(&["PARTY", "PLACE"])
        .word("alice", "PARTY")
        .word("smith", "PARTY")
        .word("paris", "PLACE")
        .inputs(&["token_type_ids", "attention_mask", "input_ids"])
        .output("scores");
    assert_eq!(
        found(&tiny, "plain", "\u{1f600} Alice Smith Paris, alice").await,
        [
            row("PARTY", "Alice Smith", [2, 13], [5, 16]),
            row("PLACE", "Paris", [14, 19], [17, 22]),
            row("PARTY", "alice", [21, 26], [24, 29]),
        ]
    );
}

#[tokio::test]
async fn what_the_scheme_forbids_is_read_as_the_likeliest_that_it_allows() {
    let tiny = TinyModel::new("tiny", "1").scheme(Scheme::Bioes).kinds(&["PARTY"]);
    let tiny = tiny.word("alice", "B-PARTY").word("smith", "E-PARTY");
    let model = load(&tiny, "forbidden").await.expect("the tiny model loads");
    // Nothing may end that has not begun, nor begin and not end: for each the cheapest path mislabels one word.
    let entities = entities(&model, &text("smith x alice smith x alice")).await;
    let whole = entities.iter().filter(|entity| entity.text == "alice smith").count();
    assert_eq!(whole, 1, "{entities:?}");
    let certain: Vec<&str> = entities
        .iter()
        .filter(|entity| entity.score > 0.9)
        .map(|entity| entity.text.as_str())
        .collect();
    assert_eq!(certain, ["alice smith"]);
}

#[tokio::test]
async fn a_broken_model_is_refused_before_it_works() {
    let tiny = TinyModel::new("tiny", "1").kinds(&["PARTY"]).word("alice", "B-PARTY");
    let refusal = async |fault: Fault, test: &str| {
        let broken = tiny.clone().fault(fault);
        load(&broken, test).await.expect_err("the model is broken")
    };
    let shape = refusal(Fault::Shape, "shape").await;
    assert!(
        matches!(&shape, ModelError::Trial(InferError::Shape { got, .. }) if got.ends_with(&[4])),
        "{shape:?}"
    );
    let numbers = refusal(Fault::NotANumber, "numbers").await;
    assert!(
        matches!(numbers, ModelError::Trial(InferError::NotFinite)),
        "{numbers:?}"
    );
    let cut = refusal(Fault::CutShort, "cut").await;
    assert!(
        matches!(&cut, ModelError::Manifest(ManifestError::Changed { name, .. }) if name == "model.onnx"),
        "{cut:?}"
    );
    let no_graph = refusal(Fault::NoGraph, "no-graph").await;
    assert!(
        matches!(no_graph, ModelError::Load(LoadError::Model { .. })),
        "{no_graph:?}"
    );
}

#[tokio::test]
async fn inputs_that_nobody_can_fill_are_refused_by_name() {
    let inputs: [(&[&str], &str); 2] = [
        (&["input_ids", "attention_mask", "bbox"], "wants the input bbox"),
        (&["input_ids"], "does not take the input attention_mask"),
    ];
    for (inputs, reason) in inputs {
        let tiny = TinyModel::new("tiny", "1").kinds(&["PARTY"]).inputs(inputs);
        let refused = load(&tiny, "inputs").await.expect_err("the inputs are not known");
        let told = std::error::Error::source(&refused)
            .map(ToString::to_string)
            .unwrap_or_default();
        assert!(told.contains(reason), "{told}");
    }
}
