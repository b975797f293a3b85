//! Uploads of several documents as one form.

use docket_contract::object_key::BlobKey;
use docket_testing::World;
use futures::future::join_all;
use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::{Method, RequestBuilder, StatusCode};

use crate::api::{ACME, Api, FORM, accepted, assert_problem, eventually, form};

const TEXT: &str = "Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain";

fn field(name: &str) -> String {
    format!("Content-Disposition: form-data; name=\"{name}\"")
}

fn post(api: &Api, body: String) -> RequestBuilder {
    let request = api
        .anonymous(Method::POST, "/v1/documents")
        .bearer_auth(api.token(ACME));
    request.header(CONTENT_TYPE, FORM).body(body)
}

#[tokio::test]
async fn fields_hold_for_the_files_after_them() {
    let api = Api::start().await;
    let named = "content-disposition: form-data; name=upload; filename=\"Übernahme 契約.txt\"\r\n\
                 Content-Type: text/plain;charset=UTF-8";
    let body = form(&[
        (&field("external_id"), "first"),
        (TEXT, "one"),
        (&field("external_id"), "second"),
        (&field("metadata"), r#"{"matter": 7}"#),
        (named, "zwei"),
        (TEXT, "three"),
    ]);
    let response = post(&api, body).send().await.unwrap();
    assert!(response.headers().get(LOCATION).is_none());
    let answer = accepted(response).await;
    let documents = answer["documents"].as_array().unwrap();
    let mut read = Vec::new();
    for document in documents {
        read.push(
            api.read(
                ACME,
                &format!("/v1/documents/{}", document["document_id"].as_str().unwrap()),
            )
            .await,
        );
    }
    let told = |name: &str| read.iter().map(|document| document[name].clone()).collect::<Vec<_>>();
    assert_eq!(told("external_id"), ["first", "second", "second"]);
    assert_eq!(told("file_name"), ["a.txt", "Übernahme 契約.txt", "a.txt"]);
    assert_eq!(told("size_bytes"), [3, 4, 5]);
    assert!(read[0]["metadata"].is_null() && read[1]["metadata"]["matter"] == 7 && read[2]["metadata"]["matter"] == 7);
    assert_eq!(api.objects().await.len(), 3);
}

#[tokio::test]
async fn a_form_with_one_file_answers_a_list_and_where_it_is() {
    let api = Api::start().await;
    let response = post(&api, form(&[(TEXT, "text")])).send().await.unwrap();
    let location = response.headers()[LOCATION].to_str().unwrap().to_owned();
    let answer = accepted(response).await;
    assert_eq!(
        location,
        format!(
            "/v1/documents/{}",
            answer["documents"][0]["document_id"].as_str().unwrap()
        )
    );
}

#[tokio::test]
async fn a_form_is_accepted_whole_or_not_at_all() {
    let api = Api::start_with(&[("DOCKET_DOCUMENT_BYTES_MAX", "1000")]).await;
    let large = "a".repeat(1_001);
    let picture = "Content-Disposition: form-data; name=f; filename=a.gif\r\nContent-Type: image/gif";
    let untyped = "Content-Disposition: form-data; name=f; filename=a.txt";
    let long = "a".repeat(5_000);
    for (parts, status, problem) in [
        (vec![(TEXT, "one"), (TEXT, &large)], 413, "payload-too-large"),
        (vec![(TEXT, "one"), (picture, "two")], 415, "unsupported-media-type"),
        (vec![(TEXT, "one"), (untyped, "two")], 415, "unsupported-media-type"),
        (vec![(TEXT, "one"), (TEXT, "")], 422, "empty-document"),
        (
            vec![(TEXT, "one"), (&field("model"), "no-such-model"), (TEXT, "two")],
            422,
            "unknown-model",
        ),
        (vec![(TEXT, "one"), (&field("metadata"), "[]")], 422, "invalid-field"),
        (
            vec![(TEXT, "one"), (&field("external_id"), &long)],
            422,
            "invalid-field",
        ),
        (vec![(TEXT, "one"), (&field("unheard-of"), "x")], 422, "invalid-field"),
        (vec![(TEXT, "one"); 21], 422, "too-many-documents"),
        (vec![(&field("external_id"), "x"); 81], 422, "too-many-documents"),
        (vec![(&field("external_id"), "x")], 422, "empty-document"),
        (vec![], 422, "empty-document"),
    ] {
        assert_problem(post(&api, form(&parts)).send().await.unwrap(), status, problem).await;
    }
    api.assert_nothing_left().await;
    let most = accepted(post(&api, form(&vec![(TEXT, "one"); 20])).send().await.unwrap()).await;
    assert_eq!(most["documents"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn files_of_a_form_are_stored_byte_by_byte() {
    let api = Api::start().await;
    // Larger than one part of an upload to S3, and full of near-boundaries of the form.
    let large = "line\r\n--fron\r\n-".repeat(9 * 1024 * 1024 / 15);
    let answer = accepted(
        post(&api, form(&[(TEXT, &large), (TEXT, "\r\n")]))
            .send()
            .await
            .unwrap(),
    )
    .await;
    for (document, content) in answer["documents"].as_array().unwrap().iter().zip([&*large, "\r\n"]) {
        let id = document["document_id"].as_str().unwrap();
        let key = api.objects().await.into_iter().find(|key| key.ends_with(id)).unwrap();
        let stored = api.blobs.get(&BlobKey::from_stored(key), 20_000_000).await.unwrap();
        assert!(
            stored == content.as_bytes(),
            "{} of {} bytes, or others",
            stored.len(),
            content.len()
        );
    }
}

#[tokio::test]
async fn a_field_after_the_last_file_is_refused_and_told_where_it_belongs() {
    let api = Api::start().await;
    for parts in [
        vec![(TEXT, "one"), (&*field("external_id"), "x")],
        vec![
            (&field("external_id"), "x"),
            (TEXT, "one"),
            (TEXT, "two"),
            (&field("metadata"), "{}"),
        ],
    ] {
        let refused = post(&api, form(&parts)).send().await.unwrap();
        let detail = assert_problem(refused, 422, "invalid-field").await;
        let name = if parts.len() == 2 { "external_id" } else { "metadata" };
        assert!(detail.contains(name) && detail.contains("before"), "{detail}");
    }
    api.assert_nothing_left().await;
}

/// Sends a form byte by byte, whose file has this many bytes of headers.
async fn send_by_bytes(api: &Api, header_bytes: usize) -> reqwest::Response {
    let headers = format!("X-Padding: {}\r\n{TEXT}", "a".repeat(header_bytes - TEXT.len()));
    let body: Vec<u8> = form(&[(&headers, "one")]).into();
    let bytes = body.into_iter().map(|byte| Ok::<_, std::io::Error>(vec![byte]));
    let request = post(api, String::new()).body(reqwest::Body::wrap_stream(futures::stream::iter(bytes)));
    request.send().await.unwrap()
}

#[tokio::test]
async fn a_form_may_come_a_byte_at_a_time_within_the_limit_of_its_headers() {
    let api = Api::start().await;
    accepted(send_by_bytes(&api, 40_000).await).await;
    let detail = assert_problem(send_by_bytes(&api, 100_000).await, 400, "invalid-request").await;
    assert!(detail.contains("more than 65536 bytes"), "{detail}");
}

#[tokio::test]
async fn a_malformed_form_is_refused() {
    let api = Api::start().await;
    let whole = form(&[(TEXT, "one")]);
    let endless_headers = format!("--frontier\r\nX: {}", "a".repeat(3 * 1024 * 1024));
    for body in [
        whole.replace("--frontier--\r\n", ""),
        "not a form".into(),
        endless_headers,
    ] {
        assert_problem(post(&api, body).send().await.unwrap(), 400, "invalid-request").await;
    }
    let unbounded = api
        .anonymous(Method::POST, "/v1/documents")
        .bearer_auth(api.token(ACME));
    let unbounded = unbounded.header(CONTENT_TYPE, "multipart/form-data").body(whole);
    assert_problem(unbounded.send().await.unwrap(), 400, "invalid-request").await;
    api.assert_nothing_left().await;
}

#[tokio::test]
async fn forms_at_once_leave_no_row_leased_that_nobody_publishes() {
    let api = Api::dispatching(World::start().await).await;
    let files = 20;
    let body = form(&vec![(TEXT, "text"); files]);
    let forms = (0..8).map(async |_| {
        // A busy machine may answer 503, so the upload is repeated.
        while post(&api, body.clone()).send().await.unwrap().status() != StatusCode::ACCEPTED {}
    });
    join_all(forms).await;
    assert!(api.rows("dispatch").await >= 8 * 20);
    // This waits less than a lease lasts: a leased job that nobody publishes would show.
    let no_lease = async || {
        api.rows("dispatch where state = 'waiting' and lease_until > now()")
            .await
            == 0
    };
    eventually("what is leased is published", no_lease).await;
    let in_flight = api.rows("dispatch where state = 'queued'").await;
    assert!(
        in_flight >= 16,
        "{in_flight} of an idle system's jobs are with the broker"
    );
}
