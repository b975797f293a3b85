//! A model runs on the provider asked for or, where that is missing, on the CPU.

use std::path::Path;

use docket_engine::infer::manifest::MODEL_FILE;
use docket_engine::infer::session::{ModelSession, Provider, Runtime, Threads};
use docket_engine::model::{Model, ModelSettings};
use docket_testing::TinyModel;

use crate::fixture::{entities, library, text};

/// Token ids for the tiny model: `[CLS] alice [SEP]`, and the same with one more word.
const ROWS: [&[u32]; 2] = [&[2, 4, 3], &[2, 4, 1, 3]];
const LABELS: usize = 3;

#[tokio::test]
async fn whoever_asks_for_a_gpu_gets_the_same_answers_with_and_without_one() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("provider");
    let tiny = TinyModel::new("tiny", "1").kinds(&["PARTY"]).word("alice", "B-PARTY");
    tiny.write(&folder);
    let runtime = Runtime::load(&library().await).expect("the library is there");
    let load = |provider| {
        let runtime = runtime.clone().on(provider);
        ModelSession::load(&runtime, &folder.join(MODEL_FILE), Threads::of(1), 0).expect("the tiny model loads")
    };
    let (mut on_cpu, mut on_gpu) = (load(Provider::Cpu), load(Provider::Cuda));
    assert_eq!(on_cpu.provider(), Provider::Cpu);
    if !cfg!(feature = "cuda") {
        assert_eq!(on_gpu.provider(), Provider::Cpu, "this worker knows no GPU");
    }
    let rows = ROWS.map(<[u32]>::to_vec);
    let expected = on_cpu.run(&rows, LABELS).expect("the model runs");
    let got = on_gpu.run(&rows, LABELS).expect("the model runs");
    for (row, ids) in rows.iter().enumerate() {
        for token in 0..ids.len() {
            assert_eq!(got.at(row, token), expected.at(row, token));
        }
    }
    assert_eq!(expected.at(1, 1), [0.0, 8.0, 0.0], "alice is a B-PARTY");
}

#[tokio::test]
async fn a_model_with_a_gpus_large_passes_gives_the_same_entities() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("provider-passes");
    let tiny = TinyModel::new("tiny", "1").kinds(&["PARTY"]).word("alice", "B-PARTY");
    tiny.write(&folder);
    let given = text(&"Alice pays the rent. ".repeat(200));
    let mut found = Vec::new();
    for settings in [
        ModelSettings::for_cpu(library().await, 1),
        ModelSettings::for_cuda(library().await, 2),
    ] {
        let model = Model::load(&folder, &settings).await.expect("the tiny model loads");
        if !cfg!(feature = "cuda") {
            assert_eq!(
                model.batcher().limits().rows_max,
                1,
                "a CPU's passes, whatever was asked for"
            );
        }
        found.push(entities(&model, &given).await);
        model.stop().await;
    }
    assert_eq!(found[0].len(), 200);
    assert_eq!(found[1], found[0]);
}

#[test]
fn providers_are_told_by_name() {
    for provider in [Provider::Cpu, Provider::Cuda] {
        assert_eq!(provider.to_string().parse(), Ok(provider));
    }
    assert!("gpu".parse::<Provider>().is_err());
}
