//! What callers see while a part is away, or this process stops.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::StreamExt;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Body, Method, StatusCode};
use tokio::sync::mpsc;

use crate::api::{ACME, Api, accepted, assert_problem, bucket_of, eventually};

/// An address at which nothing listens.
const NOWHERE: &str = "127.0.0.1:9";

#[tokio::test]
async fn uploads_are_accepted_without_the_broker() {
    let api = Api::start_with(&[("DOCKET_AMQP_URL", &format!("amqp://{NOWHERE}/x"))]).await;
    let begun = Instant::now();
    let answer = api.upload(ACME, "text").await;
    assert!(begun.elapsed() < Duration::from_secs(2), "the broker was waited for");
    let ready = api.anonymous(Method::GET, "/readyz").send().await.unwrap();
    assert_eq!(ready.status(), StatusCode::OK);
    let path = format!("/v1/documents/{}", answer["document_id"].as_str().unwrap());
    assert_eq!(api.read(ACME, &path).await["state"], "waiting");
}

#[tokio::test]
async fn without_its_bucket_a_process_is_not_ready_and_says_so() {
    let api = Api::start_with(&[("DOCKET_S3_ENDPOINT", &format!("http://{NOWHERE}"))]).await;
    let refused = api.post(ACME, "/v1/documents").body("text").send().await.unwrap();
    assert_problem(refused, 503, "unavailable").await;
    for probe in ["/readyz", "/startupz"] {
        assert_problem(
            api.anonymous(Method::GET, probe).send().await.unwrap(),
            503,
            "not-ready",
        )
        .await;
    }
    for alive in ["/livez", "/metrics"] {
        assert_eq!(
            api.anonymous(Method::GET, alive).send().await.unwrap().status(),
            StatusCode::OK,
            "{alive}"
        );
    }
}

#[tokio::test]
async fn a_shard_that_is_away_concerns_its_own_clients_only() {
    let api = Api::start().await;
    let down = api.world.shards[0].0.clone();
    let clients: Vec<String> = (0..64).map(|n| format!("client-{n}")).collect();
    let find = |on_it: bool| {
        let owned = |client: &&String| (api.shards.owner(bucket_of(client)).as_str() == down) == on_it;
        clients
            .iter()
            .find(owned)
            .expect("64 clients are on two shards")
            .as_str()
    };
    let (unlucky, lucky) = (find(true), find(false));
    api.world.shard_down(&down).await;
    let keyed = |client| {
        api.post(client, "/v1/documents")
            .header("idempotency-key", "k")
            .body("text")
            .send()
    };
    assert_problem(keyed(unlucky).await.unwrap(), 503, "unavailable").await;
    let plain = api.post(unlucky, "/v1/documents").body("text").send().await.unwrap();
    assert_problem(plain, 503, "unavailable").await;
    assert_problem(
        api.get(unlucky, "/v1/documents").send().await.unwrap(),
        503,
        "unavailable",
    )
    .await;
    assert_eq!(
        api.objects().await,
        Vec::<String>::new(),
        "a refused upload left its object"
    );
    accepted(keyed(lucky).await.unwrap()).await;
    assert_eq!(
        api.anonymous(Method::GET, "/readyz").send().await.unwrap().status(),
        StatusCode::OK
    );
    api.world.shard_up(&down).await;
    eventually("its clients are served again", || async {
        keyed(unlucky).await.unwrap().status() == StatusCode::ACCEPTED
    })
    .await;
}

#[tokio::test]
async fn a_stopping_process_ends_what_it_has_and_takes_nothing_new() {
    let api = Api::start().await;
    let (chunks, body) = mpsc::unbounded_channel::<Result<Bytes, std::io::Error>>();
    let body = futures::stream::unfold(body, |mut body| async { Some((body.recv().await?, body)) });
    chunks.send(Ok("te".into())).unwrap();
    let request = api.post(ACME, "/v1/documents").header("idempotency-key", "k");
    let upload = tokio::spawn(request.body(Body::wrap_stream(body.boxed())).send());
    eventually("the upload has begun", || async {
        api.rows("idempotency_keys").await == 1
    })
    .await;
    api.shutdown.begin();
    // The process says that it is not ready before it refuses connections.
    assert_problem(
        api.anonymous(Method::GET, "/readyz").send().await.unwrap(),
        503,
        "not-ready",
    )
    .await;
    eventually("connections are refused", || async {
        reqwest::get(format!("http://{}/livez", api.address)).await.is_err()
    })
    .await;
    chunks.send(Ok("xt".into())).unwrap();
    drop(chunks);
    accepted(upload.await.unwrap().unwrap()).await;
    let begun = Instant::now();
    api.shutdown.drain(Duration::from_secs(30)).await;
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "the drain waited for its deadline"
    );
    assert_eq!(api.rows("documents").await, 1);
}

#[tokio::test]
async fn a_stop_cuts_an_upload_that_does_not_end_and_leaves_nothing_of_it() {
    let api = Api::start().await;
    let stuck = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from("te"))]).chain(futures::stream::pending());
    let request = api.post(ACME, "/v1/documents").header("idempotency-key", "k");
    let upload = tokio::spawn(request.body(Body::wrap_stream(stuck)).send());
    eventually("the upload has begun", || async {
        api.rows("idempotency_keys").await == 1
    })
    .await;
    api.shutdown.drain(Duration::from_millis(100)).await;
    match upload.await.unwrap() {
        Ok(response) => assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE),
        Err(error) => assert!(error.is_request() || error.is_body(), "{error}"),
    }
    api.assert_nothing_left().await;
}

#[tokio::test]
async fn a_connection_that_says_nothing_keeps_nobody_waiting() {
    let api = Api::start().await;
    let _silent = tokio::net::TcpStream::connect(api.address).await.unwrap();
    let begun = Instant::now();
    api.shutdown.drain(Duration::from_secs(30)).await;
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "the drain waited for a silent connection"
    );
    let gone = api
        .post(ACME, "/v1/documents")
        .header(CONTENT_TYPE, "text/plain")
        .body("text")
        .send()
        .await;
    assert!(gone.is_err());
}
