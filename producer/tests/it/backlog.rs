//! Back-pressure: which requests a full backlog refuses, and which it does not touch.

use std::collections::HashMap;

use docket_store::work::backlog;
use jiff::{Timestamp, ToSpan};
use reqwest::{Response, StatusCode};

use crate::api::{ACME, Api, RIVAL, accepted, assert_problem, bucket_of, eventually, upload_path};

async fn send(api: &Api, client: &str) -> Response {
    api.post(client, "/v1/documents").body("text").send().await.unwrap()
}

fn header(response: &Response, name: &str) -> String {
    response.headers()[name].to_str().unwrap().to_owned()
}

fn pace() -> backlog::Pace {
    backlog::Pace {
        bytes_per_second: HashMap::new(),
        otherwise: 1.0,
        document_seconds: 0.0..=10.0,
    }
}

/// Another client on the same shard.
fn neighbour(api: &Api, client: &str) -> String {
    let owner = |client: &str| api.shards.owner(bucket_of(client));
    let mut names = (0..).map(|number| format!("neighbour-{number}"));
    names.find(|name| owner(name) == owner(client)).unwrap()
}

async fn defer(api: &Api, client: &str) -> Response {
    let not_before = (Timestamp::now() + 1.hour()).to_string();
    let path = upload_path(&[("not_before", &not_before)]);
    api.post(client, &path).body("text").send().await.unwrap()
}

#[tokio::test]
async fn a_client_with_a_full_backlog_is_told_when_to_come_back() {
    let api = Api::start_with(&[("DOCKET_BACKLOG_CLIENT_MAX", "3")]).await;
    let mut last = None;
    for left in ["2", "1", "0"] {
        let response = send(&api, ACME).await;
        assert_eq!(
            header(&response, "ratelimit-policy"),
            r#""backlog";q=3;qu="concurrent-requests""#
        );
        assert!(header(&response, "ratelimit").starts_with(&format!(r#""backlog";r={left}"#)));
        last = Some(accepted(response).await);
    }
    let refused = send(&api, ACME).await;
    assert_eq!(
        (header(&refused, "retry-after"), header(&refused, "ratelimit")),
        ("10".into(), r#""backlog";r=0;t=10"#.into())
    );
    assert_problem(refused, 429, "backlog-full").await;
    let last = last.unwrap();
    let again = format!("/v1/documents/{}/jobs", last["document_id"].as_str().unwrap());
    let refused = api
        .anonymous(reqwest::Method::POST, &again)
        .bearer_auth(api.token(ACME));
    assert_problem(refused.send().await.unwrap(), 429, "backlog-full").await;
    accepted(send(&api, RIVAL).await).await;
    assert_eq!(api.objects().await.len(), 4, "a refused document was stored");
    // Accepted jobs are not touched; each that ends makes room.
    api.analyse(ACME, &last, "text", &[]).await;
    eventually("there is room", async || {
        send(&api, ACME).await.status() == StatusCode::ACCEPTED
    })
    .await;
}

#[tokio::test]
async fn an_earlier_answer_is_repeated_whatever_the_backlog() {
    let api = Api::start_with(&[("DOCKET_BACKLOG_CLIENT_MAX", "1")]).await;
    let keyed = async || {
        let request = api.post(ACME, "/v1/documents").header("idempotency-key", "once");
        accepted(request.body("text").send().await.unwrap()).await
    };
    let first = keyed().await;
    assert_problem(send(&api, ACME).await, 429, "backlog-full").await;
    assert_eq!(keyed().await, first);
}

#[tokio::test]
async fn a_full_shard_takes_no_more_of_anybody() {
    let api = Api::start_with(&[("DOCKET_BACKLOG_SHARD_MAX", "2")]).await;
    let shard = api.shards.shard(&api.shards.owner(bucket_of(ACME))).unwrap();
    for _ in 0..2 {
        accepted(send(&api, ACME).await).await;
    }
    let counted = backlog::count(shard, &pace()).await.unwrap();
    assert_eq!((counted.len(), counted[0].jobs, counted[0].bytes), (1, 2, 8));
    let is_full = async || send(&api, ACME).await.status() == StatusCode::SERVICE_UNAVAILABLE;
    eventually("the shard is full", is_full).await;
    let refused = send(&api, ACME).await;
    assert_eq!(header(&refused, "retry-after"), "2");
    assert_problem(refused, 503, "overloaded").await;
}

#[tokio::test]
async fn deferred_jobs_fill_no_shard_and_have_a_limit_of_their_own() {
    let changed = [("DOCKET_BACKLOG_SHARD_MAX", "3"), ("DOCKET_BACKLOG_DEFERRED_MAX", "3")];
    let api = Api::start_with(&changed).await;
    let shard = api.shards.shard(&api.shards.owner(bucket_of(ACME))).unwrap();
    let other = neighbour(&api, ACME);
    for _ in 0..3 {
        accepted(defer(&api, ACME).await).await;
    }
    let detail = assert_problem(defer(&api, ACME).await, 429, "backlog-full").await;
    assert!(
        detail.contains("DOCKET_BACKLOG_DEFERRED_MAX") && detail.contains('3'),
        "{detail}"
    );
    assert_eq!(backlog::count(shard, &pace()).await.unwrap()[0].jobs, 3);
    // One more deferred job would fill the shard once all are due. Jobs that are due now are accepted, of this client and of
    // others.
    let detail = assert_problem(defer(&api, &other).await, 429, "backlog-full").await;
    assert!(detail.contains("DOCKET_BACKLOG_SHARD_MAX"), "{detail}");
    accepted(send(&api, &other).await).await;
    eventually("its count is of now", async || {
        send(&api, ACME).await.status() == StatusCode::ACCEPTED
    })
    .await;
}

#[tokio::test]
async fn a_new_analysis_that_is_deferred_counts_as_such() {
    let api = Api::start_with(&[("DOCKET_BACKLOG_DEFERRED_MAX", "1")]).await;
    let document = api.upload(ACME, "text").await;
    let path = format!("/v1/documents/{}/jobs", document["document_id"].as_str().unwrap());
    let not_before = (Timestamp::now() + 1.hour()).to_string();
    let again = async || {
        let body = serde_json::json!({ "not_before": not_before }).to_string();
        api.post(ACME, &path).body(body).send().await.unwrap()
    };
    accepted(again().await).await;
    assert_problem(again().await, 429, "backlog-full").await;
    assert_problem(defer(&api, ACME).await, 429, "backlog-full").await;
    accepted(send(&api, ACME).await).await;
}

#[tokio::test]
async fn a_client_has_at_most_as_many_jobs_as_are_left_for_others() {
    let api = Api::start_with(&[("DOCKET_BACKLOG_SHARD_MAX", "4")]).await;
    let shard = api.shards.shard(&api.shards.owner(bucket_of(ACME))).unwrap();
    let other = neighbour(&api, ACME);
    for _ in 0..2 {
        accepted(send(&api, ACME).await).await;
    }
    backlog::count(shard, &pace()).await.unwrap();
    let is_refused = async || send(&api, ACME).await.status() == StatusCode::TOO_MANY_REQUESTS;
    eventually("it has its share", is_refused).await;
    let refused = send(&api, ACME).await;
    assert!(header(&refused, "ratelimit").starts_with(r#""backlog";r=0"#));
    assert_problem(refused, 429, "backlog-full").await;
    accepted(send(&api, &other).await).await;
}
