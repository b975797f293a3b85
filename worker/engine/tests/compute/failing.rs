//! What a model does with documents that it cannot read.

use docket_engine::infer::InferError;
use docket_engine::model::Model;
use docket_testing::TinyModel;

use crate::fixture::{client, settings, text, windows};

/// More jobs in a row than a session may fail before it is tried out.
const JOBS: usize = 10;

#[tokio::test]
async fn documents_that_a_model_cannot_read_fail_alone_however_many_come_in_a_row() {
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let model = TinyModel::new("tiny", "1").kinds(&["PARTY"]).word("alice", "B-PARTY");
    model.poison("mephisto").write(folder.path());
    let model = Model::load(folder.path(), &settings().await)
        .await
        .expect("it is sound");
    let unreadable = windows(&model, &text("Mephisto wrote to Alice.")).await;
    for _ in 0..JOBS {
        let failed = model.batcher().score(&client("acme"), &unreadable).await;
        assert!(matches!(failed, Err(InferError::NotFinite)), "{failed:?}");
    }
    let readable = windows(&model, &text("Alice wrote to Bob.")).await;
    let scores = model.batcher().score(&client("acme"), &readable).await;
    assert_eq!(scores.expect("the model works").len(), 1);
}
