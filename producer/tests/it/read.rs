//! What callers read: only their own documents, page by page, and only what has changed.

use reqwest::StatusCode;
use reqwest::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::{ACME, Api, RIVAL, assert_problem};

const TEXT: &str = "Zwischen der Müller GmbH, Ada Lovelace und dem Amtsgericht Köln.";
const FOUND: [(&str, &str); 4] = [
    ("ORG", "Müller GmbH"),
    ("PERSON", "Ada Lovelace"),
    ("COURT", "Amtsgericht Köln"),
    ("PLACE", "Köln"),
];

fn id(accepted: &Value, name: &str) -> String {
    accepted[name].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_document_is_followed_to_its_entities_and_its_text() {
    let api = Api::start().await;
    let accepted = api.upload(ACME, TEXT).await;
    let path = format!("/v1/documents/{}", id(&accepted, "document_id"));
    for result in ["entities", "text"] {
        let early = api.get(ACME, &format!("{path}/{result}")).send().await.unwrap();
        let detail = assert_problem(early, 409, "not-analysed").await;
        assert!(detail.contains("waiting") || detail.contains("queued"), "{detail}");
    }
    api.analyse(ACME, &accepted, TEXT, &FOUND).await;

    let document = api.read(ACME, &path).await;
    assert_eq!(document["state"], "succeeded");
    assert_eq!(document["job"]["model"], "ner-legal@2");
    assert_eq!(document["job"]["entities"], FOUND.len());
    assert_eq!(document["job"]["attempts"], 1);
    assert!(document["job"]["error"].is_null() && document["job"]["ran_seconds"].as_f64().unwrap() >= 0.0);
    let job = api.read(ACME, &format!("/v1/jobs/{}", id(&accepted, "job_id"))).await;
    let events: Vec<_> = job["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["event"])
        // The claim may come before the row is marked published.
        .filter(|event| *event != "published")
        .collect();
    assert_eq!(events, ["claimed", "succeeded"]);
    assert_eq!(
        [&job["document_id"], &job["created_at"]],
        [&accepted["document_id"], &document["job"]["created_at"]]
    );

    let text = api.get(ACME, &format!("{path}/text")).send().await.unwrap();
    assert_eq!(text.headers()[CONTENT_TYPE], "text/plain; charset=utf-8");
    let text = text.text().await.unwrap();
    assert_eq!(text, TEXT);
    let page = api.read(ACME, &format!("{path}/entities")).await;
    let entities = page["entities"].as_array().unwrap();
    for (entity, (label, words)) in entities.iter().zip(FOUND) {
        let at = |name: &str| usize::try_from(entity[name].as_u64().unwrap()).unwrap();
        assert_eq!(&text[at("start_byte")..at("end_byte")], words);
        assert_eq!(
            text.chars()
                .skip(at("start"))
                .take(at("end") - at("start"))
                .collect::<String>(),
            words
        );
        assert_eq!(
            [&entity["label"], &entity["text"], &entity["model"]],
            [label, words, "ner-legal@2"]
        );
        assert!(entity["page"].is_null() && entity["score"] == 0.5);
    }
    assert!(page["next_cursor"].is_null() && entities.len() == FOUND.len());
}

#[tokio::test]
async fn entities_are_paged_and_filtered() {
    let api = Api::start().await;
    let accepted = api.upload(ACME, TEXT).await;
    api.analyse(ACME, &accepted, TEXT, &FOUND).await;
    let path = format!("/v1/documents/{}/entities", id(&accepted, "document_id"));
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.read(ACME, &format!("{path}?limit=3{cursor}")).await;
        seen.extend(
            page["entities"]
                .as_array()
                .unwrap()
                .iter()
                .map(|entity| id(entity, "text")),
        );
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, FOUND.map(|(_, words)| words));
    let courts = api.read(ACME, &format!("{path}?label=COURT")).await;
    assert_eq!(courts["entities"].as_array().unwrap().len(), 1);
    assert_eq!(
        api.read(ACME, &format!("{path}?label=STATUTE")).await["entities"],
        json!([])
    );
    for bad in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "cursor=x",
        "cursor=AAAA",
        "label=%00",
    ] {
        let response = api.get(ACME, &format!("{path}?{bad}")).send().await.unwrap();
        assert_problem(response, 400, "invalid-request").await;
    }
}

#[tokio::test]
async fn a_failed_job_says_why() {
    let api = Api::start().await;
    let accepted = api.upload(ACME, TEXT).await;
    api.fail(ACME, &accepted, "unreadable_document").await;
    let path = format!("/v1/documents/{}", id(&accepted, "document_id"));
    let document = api.read(ACME, &path).await;
    assert_eq!(document["state"], "failed");
    assert_eq!(
        document["job"]["error"],
        json!({"kind": "unreadable_document", "detail": "it cannot be read"})
    );
    let response = api.get(ACME, &format!("{path}/entities")).send().await.unwrap();
    let detail = assert_problem(response, 409, "not-analysed").await;
    assert!(detail.contains("failed"), "{detail}");
}

#[tokio::test]
async fn what_went_wrong_inside_is_told_to_operators_and_not_to_callers() {
    let api = Api::start().await;
    let accepted = api.upload(ACME, TEXT).await;
    api.fail(ACME, &accepted, "storage_unavailable").await;
    let job = id(&accepted, "job_id");
    let seen = api.read(ACME, &format!("/v1/jobs/{job}")).await;
    assert_eq!(seen["error"]["kind"], "storage_unavailable");
    assert!(!seen.to_string().contains("it cannot be read"), "{seen}");
    let shown = api.operate(reqwest::Method::GET, &format!("/v1/operator/dead/{job}"));
    let shown: serde_json::Value = shown.send().await.unwrap().json().await.unwrap();
    assert_eq!(shown["detail"], "it cannot be read");
}

#[tokio::test]
async fn documents_are_listed_newest_first_page_by_page() {
    let api = Api::start().await;
    let mut uploaded = Vec::new();
    for text in ["one", "two", "three", "four", "five"] {
        uploaded.push(api.upload(ACME, text).await);
    }
    api.upload(RIVAL, "theirs").await;
    api.analyse(ACME, &uploaded[1], "two", &[]).await;
    api.fail(ACME, &uploaded[3], "invalid_text").await;
    let newest_first: Vec<_> = uploaded
        .iter()
        .rev()
        .map(|accepted| id(accepted, "document_id"))
        .collect();

    let (mut seen, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = api.read(ACME, &format!("/v1/documents?limit=2{cursor}")).await;
        seen.extend(
            page["documents"]
                .as_array()
                .unwrap()
                .iter()
                .map(|document| id(document, "document_id")),
        );
        pages += 1;
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!((seen, pages), (newest_first, 3));

    for (state, which) in [("succeeded", 1), ("failed", 3)] {
        let page = api.read(ACME, &format!("/v1/documents?state={state}")).await;
        let documents = page["documents"].as_array().unwrap();
        assert_eq!(documents.len(), 1);
        assert_eq!(documents[0]["document_id"], uploaded[which]["document_id"]);
    }
    assert_eq!(
        api.read(ACME, "/v1/documents?state=running").await["documents"],
        json!([])
    );
    for bad in ["limit=0", "limit=201", "limit=-1", "state=done", "cursor=x", "cursor="] {
        let response = api.get(ACME, &format!("/v1/documents?{bad}")).send().await.unwrap();
        assert_problem(response, 400, "invalid-request").await;
    }
}

#[tokio::test]
async fn a_caller_never_sees_what_is_another_clients() {
    let api = Api::start().await;
    let accepted = api.upload(ACME, TEXT).await;
    api.analyse(ACME, &accepted, TEXT, &FOUND).await;
    let (document, job) = (id(&accepted, "document_id"), id(&accepted, "job_id"));
    let paths = |document: &str, job: &str| {
        [
            format!("/v1/documents/{document}"),
            format!("/v1/documents/{document}/entities"),
            format!("/v1/documents/{document}/text"),
            format!("/v1/documents/{document}/jobs"),
            format!("/v1/documents/{document}/entities?job_id={job}"),
            format!("/v1/documents/{document}/text?job_id={job}"),
            format!("/v1/jobs/{job}"),
        ]
    };
    let mut details = Vec::new();
    let unknown = Uuid::now_v7().to_string();
    for (document, job) in [
        (&*document, &*job),
        (&unknown, &unknown),
        ("x", "x"),
        (&job, &document),
        ("%FF", "%00"),
    ] {
        for path in paths(document, job) {
            let response = api.get(RIVAL, &path).send().await.unwrap();
            details.push(assert_problem(response, 404, "not-found").await);
        }
    }
    details.dedup();
    assert_eq!(
        details.len(),
        1,
        "foreign, unknown and malformed ids are told apart: {details:?}"
    );
    for path in paths(&document, &job) {
        assert_eq!(
            api.get(ACME, &path).send().await.unwrap().status(),
            StatusCode::OK,
            "{path}"
        );
    }
    assert_eq!(api.read(RIVAL, "/v1/documents").await["documents"], json!([]));
}

#[tokio::test]
async fn what_a_caller_has_is_not_sent_again() {
    let api = Api::start().await;
    let accepted = api.upload(ACME, TEXT).await;
    let (document, job) = (id(&accepted, "document_id"), id(&accepted, "job_id"));
    let path = format!("/v1/documents/{document}");
    let before = api.get(ACME, &path).send().await.unwrap().headers()[ETAG].clone();
    api.analyse(ACME, &accepted, TEXT, &FOUND).await;
    let changed = api.get(ACME, &path).header(IF_NONE_MATCH, before).send().await.unwrap();
    assert_eq!(changed.status(), StatusCode::OK);

    let paths = [
        "/v1/documents".to_owned(),
        "/v1/models".to_owned(),
        format!("{path}/entities"),
        format!("{path}/text"),
        format!("{path}/jobs"),
        path,
    ];
    for path in paths.into_iter().chain([format!("/v1/jobs/{job}")]) {
        let first = api.get(ACME, &path).send().await.unwrap();
        let tag = first.headers()[ETAG].to_str().unwrap().to_owned();
        assert_eq!(first.headers()[CACHE_CONTROL], "private, no-cache");
        assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag} is not a strong tag");
        for known in [tag.clone(), format!("\"other\", {tag}"), "*".to_owned()] {
            let again = api.get(ACME, &path).header(IF_NONE_MATCH, known).send().await.unwrap();
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
            assert_eq!(again.headers()[ETAG], tag);
            assert_eq!(again.bytes().await.unwrap().len(), 0);
        }
    }
}
