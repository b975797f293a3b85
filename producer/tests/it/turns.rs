//! When jobs run, and how callers cancel them.

use docket_store::work::claims::{self, Beat};
use jiff::{Timestamp, ToSpan};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::api::{ACME, Api, RIVAL, accepted, assert_problem, upload_path};

fn job_path(accepted: &Value) -> String {
    format!("/v1/jobs/{}", accepted["job_id"].as_str().unwrap())
}

async fn cancel(api: &Api, client: &str, job: &Value) -> reqwest::Response {
    let request = api.anonymous(Method::DELETE, &job_path(job));
    request.bearer_auth(api.token(client)).send().await.unwrap()
}

fn in_minutes(minutes: i64) -> String {
    (Timestamp::now() + minutes.minutes()).to_string()
}

#[tokio::test]
async fn a_caller_says_when_a_document_is_analysed() {
    let api = Api::start().await;
    let (not_before, deadline) = (in_minutes(30), in_minutes(90));
    let fields = [
        ("priority", "bulk"),
        ("not_before", &*not_before),
        ("deadline", &*deadline),
    ];
    let answer = api.post(ACME, &upload_path(&fields)).body("text").send().await.unwrap();
    let job = api.read(ACME, &job_path(&accepted(answer).await)).await;
    let time = |name: &str| job[name].as_str().unwrap().parse::<Timestamp>().unwrap();
    let near = |a: Timestamp, b: &str| a.duration_since(b.parse().unwrap()).as_millis().abs() < 1;
    assert!(
        near(time("due_at"), &not_before) && near(time("deadline"), &deadline),
        "{job}"
    );
    assert_eq!((&job["priority"], &job["state"]), (&"bulk".into(), &"waiting".into()));
    let at_once = api.upload(ACME, "text").await;
    let job = api.read(ACME, &job_path(&at_once)).await;
    assert_eq!(
        (&job["priority"], &job["deadline"]),
        (&"interactive".into(), &Value::Null)
    );
}

#[tokio::test]
async fn times_that_make_no_sense_are_refused_and_leave_nothing() {
    let api = Api::start().await;
    let (past, soon, later) = (in_minutes(-1), in_minutes(1), in_minutes(2));
    for fields in [
        &[("deadline", &*past)][..],
        &[("not_before", &*later), ("deadline", &*soon)],
        &[("not_before", "2999-01-01T00:00:00Z")],
        &[("deadline", "tomorrow")],
        &[("priority", "urgent")],
    ] {
        let refused = api.post(ACME, &upload_path(fields)).body("text").send().await.unwrap();
        assert_problem(refused, 422, "invalid-field").await;
    }
    api.assert_nothing_left().await;
}

#[tokio::test]
async fn an_answer_is_repeated_after_its_deadline() {
    let api = Api::start().await;
    let deadline = (Timestamp::now() + 1.seconds()).to_string();
    let send = async || {
        let request = api.post(ACME, &upload_path(&[("deadline", &deadline)]));
        let request = request.header("idempotency-key", "once").body("text");
        accepted(request.send().await.unwrap()).await
    };
    let first = send().await;
    while Timestamp::now() <= deadline.parse().unwrap() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(send().await, first);
}

#[tokio::test]
async fn a_caller_calls_a_job_off() {
    let api = Api::start().await;
    let waiting = api.upload(ACME, "text").await;
    assert_problem(cancel(&api, RIVAL, &waiting).await, 404, "not-found").await;
    for _ in 0..2 {
        let cancelled = cancel(&api, ACME, &waiting).await;
        assert_eq!(cancelled.status(), StatusCode::OK);
        let job: Value = cancelled.json().await.unwrap();
        assert_eq!(
            (&job["state"], &job["job_id"]),
            (&"cancelled".into(), &waiting["job_id"])
        );
        assert!(job["ended_at"].is_string() && job["error"].is_null(), "{job}");
    }
    let path = format!("/v1/documents/{}/entities", waiting["document_id"].as_str().unwrap());
    let asked = api.get(ACME, &path).send().await.unwrap();
    assert_problem(asked, 409, "not-analysed").await;
    assert_eq!(
        api.read(ACME, "/v1/documents?state=cancelled").await["documents"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let running = api.upload(ACME, "text").await;
    let claim = api.claim(ACME, &running).await;
    assert_eq!(cancel(&api, ACME, &running).await.status(), StatusCode::OK);
    let held = [Beat {
        key: claim.key,
        token: claim.token,
        progress: None,
    }];
    let shard = api.shards.shard(&api.shards.owner(claim.key.bucket)).unwrap();
    let lost = claims::lost(shard, &held).await.unwrap();
    assert!(
        lost.len() == 1 && lost[0].job() == claim.key.job && lost[0].unwanted,
        "its worker is told"
    );
    let done = api.upload(ACME, "text").await;
    api.analyse(ACME, &done, "text", &[]).await;
    assert_problem(cancel(&api, ACME, &done).await, 409, "already-ended").await;
}
