//! `Idempotency-Key`: an upload that is sent again is accepted once.

use bytes::Bytes;
use futures::StreamExt;
use futures::future::join_all;
use reqwest::header::{CONTENT_DISPOSITION, LOCATION};
use reqwest::{Body, RequestBuilder};
use tokio::sync::mpsc;

use crate::api::{ACME, Api, RIVAL, accepted, assert_problem, eventually, upload_path};

fn keyed(api: &Api, client: &str, key: &str) -> RequestBuilder {
    keyed_with(api, client, key, &[])
}

fn keyed_with(api: &Api, client: &str, key: &str, fields: &[(&str, &str)]) -> RequestBuilder {
    api.post(client, &upload_path(fields)).header("idempotency-key", key)
}

#[tokio::test]
async fn the_same_upload_is_answered_the_same_and_accepted_once() {
    let api = Api::start().await;
    let send = |body: &'static str| {
        let request = keyed_with(&api, ACME, "k-1", &[("metadata", r#"{"a":1}"#)]);
        request
            .header(CONTENT_DISPOSITION, "attachment; filename=a.txt")
            .body(body)
            .send()
    };
    let first = send("text").await.unwrap();
    assert!(first.headers().get("idempotency-replayed").is_none());
    let (location, answer) = (first.headers()[LOCATION].clone(), accepted(first).await);
    let again = send("text").await.unwrap();
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!(again.headers()[LOCATION], location);
    assert_eq!(accepted(again).await, answer);

    assert_problem(send("other text").await.unwrap(), 422, "idempotency-mismatch").await;
    let renamed = keyed_with(&api, ACME, "k-1", &[("metadata", r#"{"a":1}"#)]).body("text");
    assert_problem(renamed.send().await.unwrap(), 422, "idempotency-mismatch").await;

    // Two clients may use the same key.
    let foreign = accepted(keyed(&api, RIVAL, "k-1").body("text").send().await.unwrap()).await;
    assert_ne!(foreign["document_id"], answer["document_id"]);
    assert_eq!((api.objects().await.len(), api.rows("documents").await), (2, 2));
}

#[tokio::test]
async fn a_second_request_waits_for_the_first() {
    let api = Api::start().await;
    let (chunks, body) = mpsc::unbounded_channel::<Result<Bytes, std::io::Error>>();
    let body = futures::stream::unfold(body, |mut body| async { Some((body.recv().await?, body)) });
    chunks.send(Ok("te".into())).unwrap();
    let first = tokio::spawn(keyed(&api, ACME, "k").body(Body::wrap_stream(body.boxed())).send());
    eventually("the key is reserved", || async {
        api.rows("idempotency_keys").await == 1
    })
    .await;
    let second = keyed(&api, ACME, "k").body("text").send().await.unwrap();
    assert_problem(second, 409, "idempotency-in-progress").await;
    chunks.send(Ok("xt".into())).unwrap();
    drop(chunks);
    let answer = accepted(first.await.unwrap().unwrap()).await;
    let third = keyed(&api, ACME, "k").body("text").send().await.unwrap();
    assert_eq!(accepted(third).await, answer);
}

#[tokio::test]
async fn many_at_once_are_accepted_once() {
    let api = Api::start().await;
    let sent = (0..12).map(|_| keyed(&api, ACME, "k").body("text").send());
    let mut accepted_ids = Vec::new();
    for response in join_all(sent).await {
        let response = response.unwrap();
        if response.status() == 202 {
            accepted_ids.push(accepted(response).await["document_id"].clone());
        } else {
            assert_problem(response, 409, "idempotency-in-progress").await;
        }
    }
    accepted_ids.dedup();
    assert_eq!(accepted_ids.len(), 1);
    assert_eq!((api.objects().await.len(), api.rows("documents").await), (1, 1));
}

#[tokio::test]
async fn a_refused_upload_frees_its_key() {
    let api = Api::start_with(&[("DOCKET_DOCUMENT_BYTES_MAX", "1000")]).await;
    let large = Body::wrap_stream(futures::stream::iter([Ok::<_, std::io::Error>(vec![b'a'; 1_001])]));
    assert_problem(
        keyed(&api, ACME, "k").body(large).send().await.unwrap(),
        413,
        "payload-too-large",
    )
    .await;
    let unknown = keyed_with(&api, ACME, "k", &[("model", "no-such-model")]).body("text");
    assert_problem(unknown.send().await.unwrap(), 422, "unknown-model").await;
    api.assert_nothing_left().await;
    accepted(keyed(&api, ACME, "k").body("text").send().await.unwrap()).await;
    for bad in ["", "a b", &"k".repeat(256)] {
        assert_problem(
            keyed(&api, ACME, bad).body("text").send().await.unwrap(),
            400,
            "invalid-request",
        )
        .await;
    }
}
