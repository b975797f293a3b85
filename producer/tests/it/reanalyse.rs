//! Another analysis of a document is accepted like an upload, and earlier results stay readable.

use docket_store::work::jobs::OPEN_JOBS_MAX;
use futures::future::join_all;
use reqwest::header::{ETAG, IF_NONE_MATCH, LOCATION};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::{ACME, Api, RIVAL, accepted, assert_problem, eventually};

const TEXT: &str = "Zwischen der Müller GmbH, Ada Lovelace und dem Amtsgericht Köln.";

fn id(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap().to_owned()
}

fn path(document: &Value) -> String {
    format!("/v1/documents/{}", id(document, "document_id"))
}

/// A request for another analysis, still without a body.
fn again(api: &Api, client: &str, document: &Value) -> RequestBuilder {
    let path = format!("{}/jobs", path(document));
    api.anonymous(Method::POST, &path).bearer_auth(api.token(client))
}

async fn again_by(api: &Api, document: &Value, model: &str) -> Response {
    again(api, ACME, document)
        .json(&json!({ "model": model }))
        .send()
        .await
        .unwrap()
}

async fn words(api: &Api, path: &str) -> Vec<String> {
    let page = api.read(ACME, path).await;
    page["entities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entity| id(entity, "text"))
        .collect()
}

/// Asserts that a document has succeeded, and that this job's result is read.
#[track_caller]
fn assert_result_of(document: &Value, job: &Value) {
    let stands = (&document["state"], &document["result_job_id"]);
    assert_eq!(stands, (&json!("succeeded"), &job["job_id"]));
}

#[tokio::test]
async fn an_earlier_result_stays_readable() {
    let api = Api::start().await;
    api.publish("ner-legal", "3").await;
    let document = api.upload(ACME, TEXT).await;
    let (path, first) = (path(&document), id(&document, "job_id"));
    api.analyse(ACME, &document, TEXT, &[("ORG", "Müller GmbH")]).await;
    let (entities, text) = (format!("{path}/entities"), format!("{path}/text"));
    let tag = api.get(ACME, &entities).send().await.unwrap().headers()[ETAG].clone();
    let have = async || {
        api.get(ACME, &entities)
            .header(IF_NONE_MATCH, &tag)
            .send()
            .await
            .unwrap()
            .status()
    };

    let response = again_by(&api, &document, "ner-legal@3").await;
    let location = response.headers()[LOCATION].to_str().unwrap().to_owned();
    let second = accepted(response).await;
    assert_eq!(location, format!("/v1/jobs/{}", id(&second, "job_id")));
    assert_eq!(second["model"], "ner-legal@3");
    assert_eq!(second["document_id"], document["document_id"]);
    let mut job = api.read(ACME, &location).await;
    job.as_object_mut().unwrap().remove("history");
    for field in ["state", "due_at"] {
        job[field] = second[field].clone(); // The job may have been published by now.
    }
    assert_eq!(job, second, "the answer is the job");

    // During the new analysis the document shows it, and still has the first result.
    let shown = api.read(ACME, &path).await;
    assert_eq!(shown["job"]["job_id"], second["job_id"]);
    assert_ne!(shown["job"]["state"], "succeeded");
    assert_result_of(&shown, &document);
    assert_eq!(words(&api, &entities).await, ["Müller GmbH"]);
    assert_eq!(have().await, StatusCode::NOT_MODIFIED);
    assert_eq!(api.get(ACME, &text).send().await.unwrap().text().await.unwrap(), TEXT);
    let named = format!("{entities}?job_id={}", id(&second, "job_id"));
    assert_problem(api.get(ACME, &named).send().await.unwrap(), 409, "not-analysed").await;

    // Once the newer analysis has succeeded, its result is read; the earlier one can be named.
    api.analyse(ACME, &second, TEXT, &[("PERSON", "Ada Lovelace")]).await;
    assert_eq!(have().await, StatusCode::OK);
    let page = api.read(ACME, &entities).await;
    assert_eq!(
        [&page["job_id"], &page["entities"][0]["model"]],
        [&second["job_id"], &json!("ner-legal@3")]
    );
    assert_eq!(words(&api, &entities).await, ["Ada Lovelace"]);
    assert_eq!(words(&api, &named).await, ["Ada Lovelace"]);
    assert_eq!(
        words(&api, &format!("{entities}?job_id={first}")).await,
        ["Müller GmbH"]
    );
    let named = api.get(ACME, &format!("{text}?job_id={first}")).send().await.unwrap();
    assert_eq!(named.text().await.unwrap(), TEXT);

    // A failed analysis removes no result.
    let third = accepted(again(&api, ACME, &document).send().await.unwrap()).await;
    assert_eq!(third["model"], "ner-legal");
    api.fail(ACME, &third, "model_error").await;
    let shown = api.read(ACME, &path).await;
    assert_eq!(
        [&shown["job"]["state"], &shown["job"]["model"]],
        ["failed", "ner-legal"]
    );
    assert_result_of(&shown, &second);
    assert_eq!(words(&api, &entities).await, ["Ada Lovelace"]);
    let named = api
        .get(ACME, &format!("{text}?job_id={}", id(&third, "job_id")))
        .send()
        .await
        .unwrap();
    assert!(assert_problem(named, 409, "not-analysed").await.contains("failed"));
}

#[tokio::test]
async fn an_idle_service_publishes_the_job_itself() {
    let api = Api::start().await; // Without a dispatcher, the jobs keep waiting.
    let document = api.upload(ACME, TEXT).await;
    api.analyse(ACME, &document, TEXT, &[]).await;
    let job = accepted(again(&api, ACME, &document).send().await.unwrap()).await;
    let path = format!("/v1/jobs/{}", id(&job, "job_id"));
    eventually("the job is in the broker", || async {
        api.read(ACME, &path).await["state"] == "queued"
    })
    .await;
}

#[tokio::test]
async fn pages_go_on_in_the_analysis_that_they_began_in() {
    let api = Api::start().await;
    let document = api.upload(ACME, TEXT).await;
    let entities = format!("{}/entities", path(&document));
    let found = [("ORG", "Müller GmbH"), ("PERSON", "Ada Lovelace"), ("PLACE", "Köln")];
    api.analyse(ACME, &document, TEXT, &found).await;
    let begun = api.read(ACME, &format!("{entities}?limit=1")).await;
    let newer = accepted(again(&api, ACME, &document).send().await.unwrap()).await;
    api.analyse(ACME, &newer, TEXT, &[("COURT", "Amtsgericht Köln")]).await;
    let rest = format!("{entities}?cursor={}", id(&begun, "next_cursor"));
    assert_eq!(words(&api, &rest).await, ["Ada Lovelace", "Köln"]);
    assert_eq!(words(&api, &entities).await, ["Amtsgericht Köln"]);
    let contradicting = format!("{rest}&job_id={}", id(&newer, "job_id"));
    assert_problem(
        api.get(ACME, &contradicting).send().await.unwrap(),
        400,
        "invalid-request",
    )
    .await;
    // A cursor of one document does not open another document's entities.
    let other = api.upload(ACME, TEXT).await;
    let strayed = format!("{}/entities?cursor={}", path(&other), id(&begun, "next_cursor"));
    assert_problem(api.get(ACME, &strayed).send().await.unwrap(), 404, "not-found").await;
}

#[tokio::test]
async fn entities_are_filtered_by_score() {
    let api = Api::start().await;
    let document = api.upload(ACME, TEXT).await;
    let found = [
        ("ORG", "Müller GmbH", 0.9),
        ("PERSON", "Ada Lovelace", 0.4),
        ("COURT", "Amtsgericht Köln", 0.75),
        ("ORG", "Müller", 1.0),
        ("PLACE", "Köln", 0.8),
    ];
    api.analyse_scored(ACME, &document, TEXT, &found).await;
    let entities = format!("{}/entities", path(&document));
    assert_eq!(
        words(&api, &format!("{entities}?min_score=0.75")).await,
        ["Müller GmbH", "Amtsgericht Köln", "Müller", "Köln"]
    );
    assert_eq!(
        words(&api, &format!("{entities}?min_score=0.9&label=ORG")).await,
        ["Müller GmbH", "Müller"]
    );
    assert_eq!(words(&api, &format!("{entities}?min_score=1")).await, ["Müller"]);
    assert_eq!(words(&api, &format!("{entities}?min_score=0")).await.len(), found.len());
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = format!("{entities}?min_score=0.75&limit=2{cursor}");
        let answer = api.read(ACME, &page).await;
        seen.push(words(&api, &page).await);
        let Some(next) = answer["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, [["Müller GmbH", "Amtsgericht Köln"], ["Müller", "Köln"]]);
    for bad in ["-0.1", "1.1", "NaN", "inf", "x", ""] {
        let response = api
            .get(ACME, &format!("{entities}?min_score={bad}"))
            .send()
            .await
            .unwrap();
        assert_problem(response, 400, "invalid-request").await;
    }
}

#[tokio::test]
async fn a_documents_jobs_are_listed_newest_first() {
    let api = Api::start().await;
    let document = api.upload(ACME, TEXT).await;
    let jobs = format!("{}/jobs", path(&document));
    let mut made = vec![id(&document, "job_id")];
    for _ in 0..4 {
        made.push(id(
            &accepted(again(&api, ACME, &document).send().await.unwrap()).await,
            "job_id",
        ));
    }
    api.upload(ACME, "another").await;
    made.reverse();
    let (mut seen, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = api.read(ACME, &format!("{jobs}?limit=2{cursor}")).await;
        seen.extend(page["jobs"].as_array().unwrap().iter().map(|job| id(job, "job_id")));
        pages += 1;
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!((seen, pages), (made, 3));
    for bad in ["limit=0", "limit=201", "cursor=x"] {
        let response = api.get(ACME, &format!("{jobs}?{bad}")).send().await.unwrap();
        assert_problem(response, 400, "invalid-request").await;
    }
}

#[tokio::test]
async fn the_same_request_is_answered_the_same_and_accepted_once() {
    let api = Api::start().await;
    api.publish("ner-legal", "3").await;
    let (document, other) = (api.upload(ACME, TEXT).await, api.upload(ACME, "other").await);
    let send = async |document: &Value, body: &'static str| {
        let request = again(&api, ACME, document).header("idempotency-key", "k-1");
        request.body(body).send().await.unwrap()
    };
    let first = send(&document, r#"{"model":"ner-legal@3"}"#).await;
    assert!(first.headers().get("idempotency-replayed").is_none());
    let (location, answer) = (first.headers()[LOCATION].clone(), accepted(first).await);
    let repeat = send(&document, r#"{ "model": "ner-legal@3" }"#).await;
    assert_eq!(repeat.headers()["idempotency-replayed"], "true");
    assert_eq!(repeat.headers()[LOCATION], location);
    assert_eq!(accepted(repeat).await, answer);
    for (document, body) in [
        (&document, r#"{"model":"ner-legal"}"#),
        (&document, ""),
        (&other, r#"{"model":"ner-legal@3"}"#),
    ] {
        assert_problem(send(document, body).await, 422, "idempotency-mismatch").await;
    }
    let upload = api
        .post(ACME, "/v1/documents")
        .header("idempotency-key", "k-1")
        .body(TEXT);
    assert_problem(upload.send().await.unwrap(), 422, "idempotency-mismatch").await;
    assert_eq!(api.rows("jobs").await, 3);

    let sent = (0..12).map(|_| again(&api, ACME, &document).header("idempotency-key", "k-2").send());
    let mut jobs = Vec::new();
    for response in join_all(sent).await {
        let response = response.unwrap();
        if response.status() == StatusCode::ACCEPTED {
            jobs.push(accepted(response).await["job_id"].clone());
        } else {
            assert_problem(response, 409, "idempotency-in-progress").await;
        }
    }
    jobs.dedup();
    assert_eq!(
        (jobs.len(), api.rows("jobs").await, api.rows("dispatch").await),
        (1, 4, 4)
    );
}

#[tokio::test]
async fn what_is_refused_leaves_nothing_and_frees_its_key() {
    let api = Api::start().await;
    let document = api.upload(ACME, TEXT).await;
    let keyed = |client: &str, document: &Value| again(&api, client, document).header("idempotency-key", "k");
    for (body, status, name) in [
        (r#"{"model":"ner-legal@9"}"#.to_owned(), 422, "unknown-model"),
        (r#"{"model":"no-such"}"#.to_owned(), 422, "unknown-model"),
        (r#"{"model":"../x"}"#.to_owned(), 422, "unknown-model"),
        (r#"{"modle":"ner-legal"}"#.to_owned(), 400, "invalid-request"),
        ("model=ner-legal".to_owned(), 400, "invalid-request"),
        ("[1]".to_owned(), 400, "invalid-request"),
        (
            format!(r#"{{"model":"{}"}}"#, "a".repeat(5_000)),
            400,
            "invalid-request",
        ),
    ] {
        let response = keyed(ACME, &document).body(body).send().await.unwrap();
        assert_problem(response, status, name).await;
    }
    // Foreign, unknown and malformed ids get the same answer.
    let mut details = Vec::new();
    for (client, id) in [
        (RIVAL, id(&document, "document_id")),
        (ACME, Uuid::now_v7().to_string()),
        (ACME, id(&document, "job_id")),
        (ACME, "x".to_owned()),
    ] {
        let response = keyed(client, &json!({ "document_id": id })).send().await.unwrap();
        details.push(assert_problem(response, 404, "not-found").await);
    }
    details.dedup();
    assert_eq!(details.len(), 1, "{details:?}");
    assert_eq!(
        (
            api.rows("jobs").await,
            api.rows("dispatch").await,
            api.rows("idempotency_keys").await
        ),
        (1, 1, 0)
    );
    for body in ["{}", r#"{"model":null}"#, ""] {
        accepted(again(&api, ACME, &document).body(body).send().await.unwrap()).await;
    }
    accepted(keyed(ACME, &document).send().await.unwrap()).await;
}

#[tokio::test]
async fn a_documents_open_analyses_are_bounded() {
    let api = Api::start().await;
    let (document, other) = (api.upload(ACME, TEXT).await, api.upload(ACME, "other").await);
    let sent = (0..OPEN_JOBS_MAX + 4).map(|_| again(&api, ACME, &document).send());
    let answers = join_all(sent).await.into_iter().map(Result::unwrap);
    let (good, refused): (Vec<_>, Vec<_>) = answers.partition(|answer| answer.status() == StatusCode::ACCEPTED);
    assert_eq!(good.len() as i64, OPEN_JOBS_MAX - 1, "the upload's own is open too");
    for response in refused {
        assert_problem(response, 409, "too-many-analyses").await;
    }
    accepted(again(&api, ACME, &other).send().await.unwrap()).await;
    api.analyse(ACME, &document, TEXT, &[]).await;
    accepted(again(&api, ACME, &document).send().await.unwrap()).await;
    assert_problem(
        again(&api, ACME, &document).send().await.unwrap(),
        409,
        "too-many-analyses",
    )
    .await;
}
