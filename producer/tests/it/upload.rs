//! Uploads of one document: what is accepted and stored, and refusals that leave nothing.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream;
use reqwest::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use reqwest::{Body, Method};
use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::api::{ACME, Api, accepted, assert_problem, bucket_of, eventually, upload_path};

/// A body of unknown length, with this many chunks of 64 KiB.
fn chunked(chunks: usize) -> Body {
    let chunk = Bytes::from(vec![b'a'; 64 * 1024]);
    Body::wrap_stream(stream::iter(vec![chunk; chunks]).map(Ok::<_, std::io::Error>))
}

#[tokio::test]
async fn everything_that_is_said_of_a_document_is_kept() {
    let api = Api::start().await;
    let text = "Zwischen der Müller GmbH und Ada Lovelace.";
    let metadata = json!({"matter": "2024/7", "tags": ["nda", "draft"], "nested": {"ü": null}});
    let path = upload_path(&[("external_id", "dms:42"), ("metadata", &metadata.to_string())]);
    let request = api.post(ACME, &path).header(
        CONTENT_DISPOSITION,
        "attachment; filename=\"x.txt\"; filename*=UTF-8''%C3%9Cbernahme%20%E5%A5%91.txt",
    );
    let response = request.body(text).send().await.unwrap();
    let location = response.headers()[LOCATION].to_str().unwrap().to_owned();
    let answer = accepted(response).await;
    assert_eq!(
        location,
        format!("/v1/documents/{}", answer["document_id"].as_str().unwrap())
    );
    assert_eq!(
        [&answer["state"], &answer["external_id"]],
        [&json!("waiting"), &json!("dms:42")]
    );

    let document = api.read(ACME, &location).await;
    assert_eq!(document["document_id"], answer["document_id"]);
    assert_eq!(document["job"]["job_id"], answer["job_id"]);
    assert_eq!(document["file_name"], "Übernahme 契.txt");
    assert_eq!(document["external_id"], "dms:42");
    assert_eq!(document["metadata"], metadata);
    assert_eq!(document["media_type"], "text/plain");
    assert_eq!(document["size_bytes"], text.len());
    assert_eq!(document["job"]["model"], "ner-legal");

    let key = docket_contract::object_key::BlobKey::from_stored(api.objects().await.pop().unwrap());
    assert_eq!(api.blobs.get(&key, 1_000).await.unwrap(), text.as_bytes());
}

#[tokio::test]
async fn a_body_without_a_length_is_taken_whatever_its_size() {
    let api = Api::start().await;
    for chunks in [1, 200] {
        let answer = accepted(
            api.post(ACME, "/v1/documents")
                .body(chunked(chunks))
                .send()
                .await
                .unwrap(),
        )
        .await;
        let document = api
            .read(
                ACME,
                &format!("/v1/documents/{}", answer["document_id"].as_str().unwrap()),
            )
            .await;
        assert_eq!(document["size_bytes"], chunks * 64 * 1024);
    }
    assert_eq!(api.objects().await.len(), 2);
}

#[tokio::test]
async fn an_upload_may_be_slow() {
    let api = Api::start().await;
    let trickle = stream::iter(0..12).then(|_| async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        Ok::<_, std::io::Error>("trickle ")
    });
    let request = api.post(ACME, "/v1/documents").header(CONTENT_LENGTH, 12 * 8);
    accepted(request.body(Body::wrap_stream(trickle)).send().await.unwrap()).await;
}

#[tokio::test]
async fn a_document_over_the_limit_is_refused_in_mid_stream_and_leaves_nothing() {
    // More than one part, so that an upload in parts has begun when the limit is reached.
    let limit = 10 * 1024 * 1024;
    let api = Api::start_with(&[("DOCKET_DOCUMENT_BYTES_MAX", &limit.to_string())]).await;
    let at_limit = limit / (64 * 1024);
    let refused = api
        .post(ACME, "/v1/documents")
        .body(chunked(at_limit + 1))
        .send()
        .await
        .unwrap();
    assert_problem(refused, 413, "payload-too-large").await;
    let announced = api
        .post(ACME, "/v1/documents")
        .body(vec![b'a'; limit + 1])
        .send()
        .await
        .unwrap();
    let detail = assert_problem(announced, 413, "payload-too-large").await;
    assert!(detail.contains(&limit.to_string()), "{detail}");
    api.assert_nothing_left().await;
    accepted(
        api.post(ACME, "/v1/documents")
            .body(chunked(at_limit))
            .send()
            .await
            .unwrap(),
    )
    .await;
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_by_its_type() {
    let api = Api::start().await;
    let typed = |content_type: Option<&'static str>| {
        let request = api
            .anonymous(Method::POST, "/v1/documents")
            .bearer_auth(api.token(ACME))
            .body("text");
        content_type
            .into_iter()
            .fold(request, |request, value| request.header(CONTENT_TYPE, value))
    };
    for content_type in [
        None,
        Some("image/gif"),
        Some("text/plain; charset=klingon"),
        Some("text"),
        Some(""),
    ] {
        assert_problem(typed(content_type).send().await.unwrap(), 415, "unsupported-media-type").await;
    }
    let encoded = api
        .post(ACME, "/v1/documents")
        .header("content-encoding", "gzip")
        .body("text");
    assert_problem(encoded.send().await.unwrap(), 415, "unsupported-media-type").await;
    let twice = api.post(ACME, "/v1/documents").header("content-encoding", "identity");
    let twice = twice.header("content-encoding", "gzip").body("text");
    assert_problem(twice.send().await.unwrap(), 415, "unsupported-media-type").await;
    api.assert_nothing_left().await;
    for identity in ["identity", "Identity"] {
        let as_is = api.post(ACME, "/v1/documents").header("content-encoding", identity);
        accepted(as_is.body("text").send().await.unwrap()).await;
    }
}

#[tokio::test]
async fn metadata_come_back_byte_for_byte() {
    let api = Api::start().await;
    let sent = r#"{ "id":12345678901234567890123, "b" : 0.10, "a":1e2,"a":[ ] ,"name":"M\u00fcller"}"#;
    let send = || {
        let request = api.post(ACME, &upload_path(&[("metadata", &format!(" {sent}\n"))]));
        request.header("idempotency-key", "k").body("text").send()
    };
    let document = accepted(send().await.unwrap()).await;
    let again = send().await.unwrap();
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    let id = document["document_id"].as_str().unwrap();
    let read = async |path: &str| api.get(ACME, path).send().await.unwrap().text().await.unwrap();
    let path = format!("/v1/documents/{id}");
    for path in [&*path, "/v1/documents"] {
        let text = read(path).await;
        assert!(text.contains(&format!("\"metadata\":{sent},")), "{text}");
    }
    // A document from an earlier release has only what that release wrote, and that release reads what this one writes.
    let (_, shard) = &api
        .world
        .shards
        .iter()
        .find(|(name, _)| api.shards.owner(bucket_of(ACME)).as_str() == name)
        .unwrap();
    let mut db = PgConnection::connect(shard).await.unwrap();
    sqlx::query("update documents set metadata_sent = null")
        .execute(&mut db)
        .await
        .unwrap();
    let earlier = api.read(ACME, &path).await;
    assert_eq!(
        earlier["metadata"],
        serde_json::from_str::<serde_json::Value>(sent).unwrap()
    );
}

#[tokio::test]
async fn what_is_said_of_a_document_is_checked() {
    let api = Api::start().await;
    let long = "ä".repeat(201);
    let large = format!(r#"{{"a":"{}"}}"#, "b".repeat(4 * 1024));
    for (name, value, problem) in [
        ("external_id", long.as_str(), "invalid-field"),
        ("external_id", "", "invalid-field"),
        ("external_id", "a\0b", "invalid-field"),
        ("metadata", "[1]", "invalid-field"),
        ("metadata", "{", "invalid-field"),
        ("metadata", r#"{"a":"\u0000"}"#, "invalid-field"),
        ("metadata", &large, "invalid-field"),
        ("model", "no-such-model", "unknown-model"),
        ("model", "../x", "unknown-model"),
    ] {
        let request = api.post(ACME, &upload_path(&[(name, value)])).body("text");
        assert_problem(request.send().await.unwrap(), 422, problem).await;
    }
    let named = api
        .post(ACME, "/v1/documents")
        .header(CONTENT_DISPOSITION, format!("x; filename={}", "a".repeat(256)));
    assert_problem(named.body("text").send().await.unwrap(), 422, "invalid-field").await;
    for empty in [Body::from(""), chunked(0)] {
        let request = api.post(ACME, "/v1/documents").body(empty);
        assert_problem(request.send().await.unwrap(), 422, "empty-document").await;
    }
    let twice = api.post(ACME, "/v1/documents?external_id=a&external_id=b").body("text");
    assert_problem(twice.send().await.unwrap(), 400, "invalid-request").await;
    api.assert_nothing_left().await;
}

#[tokio::test]
async fn a_refused_caller_reads_why_although_it_was_still_sending() {
    let api = Api::start().await;
    let request = api
        .anonymous(Method::POST, "/v1/documents")
        .bearer_auth("not a token")
        .body(chunked(200));
    assert_problem(request.send().await.unwrap(), 401, "invalid-token").await;
}

#[tokio::test]
async fn a_caller_that_leaves_in_mid_upload_leaves_nothing() {
    let api = Api::start().await;
    // More than one part, and then nothing more.
    let endless = stream::repeat(Bytes::from(vec![b'a'; 64 * 1024]))
        .map(Ok::<_, std::io::Error>)
        .take(200);
    let endless = endless.chain(stream::pending());
    let request = api
        .post(ACME, "/v1/documents")
        .header("idempotency-key", "k")
        .body(Body::wrap_stream(endless));
    let upload = tokio::spawn(request.send());
    let s3 = api.world.s3_client();
    eventually("the upload has begun", || async {
        let unfinished = s3.list_multipart_uploads().bucket(&api.world.bucket).send().await;
        !unfinished.unwrap().uploads().is_empty()
    })
    .await;
    upload.abort();
    eventually("its key is free", || async { api.rows("idempotency_keys").await == 0 }).await;
    api.assert_nothing_left().await;
}
