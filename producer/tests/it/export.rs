//! Exports: every format by its route, more entities than one read takes, and what becomes of an export that cannot go on.

use docket_contract::entity::Entity;
use futures::StreamExt;
use reqwest::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::api::{ACME, Api, RIVAL, assert_problem, entity, eventually, execute, path_with, shard_of};

const TEXT: &str = "\u{1f600} The M\u{fc}ller GmbH, Ada Lovelace\r\nand the Amtsgericht K\u{f6}ln.";
const FOUND: [(&str, &str); 4] = [
    ("ORG", "M\u{fc}ller GmbH"),
    ("PERSON", "Ada Lovelace"),
    ("COURT", "Amtsgericht K\u{f6}ln"),
    ("PLACE", "K\u{f6}ln"),
];
/// More entities than two reads take.
const MANY: usize = 4_500;
/// Every format, with its media type and its name's end.
const FORMATS: [(&str, &str, &str); 9] = [
    ("jsonl", "application/x-ndjson", "jsonl"),
    ("csv", "text/csv; charset=utf-8; header=present", "csv"),
    (
        "web-annotation",
        "application/ld+json; profile=\"http://www.w3.org/ns/anno.jsonld\"",
        "annotations.jsonld",
    ),
    ("label-studio", "application/json", "label-studio.json"),
    ("doccano", "application/x-ndjson", "doccano.jsonl"),
    ("spacy", "application/x-ndjson", "spacy.jsonl"),
    ("opencontracts", "application/zip", "opencontracts.zip"),
    ("brat", "application/zip", "brat.zip"),
    ("conll", "text/plain; charset=utf-8", "conll"),
];

fn document(accepted: &Value) -> String {
    format!("/v1/documents/{}", accepted["document_id"].as_str().unwrap())
}

async fn export(api: &Api, accepted: &Value, query: &[(&str, &str)]) -> Response {
    let path = path_with(&format!("{}/export", document(accepted)), query);
    api.get(ACME, &path).send().await.unwrap()
}

async fn lines(api: &Api, accepted: &Value, query: &[(&str, &str)]) -> Vec<Value> {
    let query = [&[("format", "jsonl")], query].concat();
    let answer = export(api, accepted, &query).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let text = answer.text().await.unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A text of names, a line each, and its entities: every third is a place.
fn many(names: usize) -> (String, Vec<Entity>) {
    let (mut text, mut found) = (String::new(), Vec::new());
    for number in 0..names {
        let (label, name) = (
            if number % 3 == 0 { "PLACE" } else { "PERSON" },
            format!("Zo\u{eb} {number}"),
        );
        let one = entity(&name, (label, &name, 0.5));
        let (bytes, chars) = (
            u32::try_from(text.len()).unwrap(),
            u32::try_from(text.chars().count()).unwrap(),
        );
        let span = docket_contract::entity::Span {
            start: chars,
            end: chars + one.span.end,
            start_byte: bytes,
            end_byte: bytes + one.span.end_byte,
            start_utf16: Some(chars),
        };
        found.push(Entity { span, ..one });
        text += &name;
        text.push('\n');
    }
    (text, found)
}

#[tokio::test]
async fn every_format_is_answered_with_its_type_and_its_name() {
    let api = Api::start().await;
    let accepted = api.upload(ACME, TEXT).await;
    api.analyse(ACME, &accepted, TEXT, &FOUND).await;
    let id = accepted["document_id"].as_str().unwrap();
    for (format, media_type, ending) in FORMATS {
        let answer = export(&api, &accepted, &[("format", format)]).await;
        assert_eq!(answer.status(), StatusCode::OK, "{format}");
        assert_eq!(answer.headers()[CONTENT_TYPE], media_type);
        let name = format!("attachment; filename*=UTF-8''{id}.{ending}");
        assert_eq!(answer.headers()[CONTENT_DISPOSITION], name);
        assert!(!answer.bytes().await.unwrap().is_empty());

        let path = path_with(&format!("{}/export", document(&accepted)), &[("format", format)]);
        let head = api.anonymous(Method::HEAD, &path).bearer_auth(api.token(ACME));
        let head = head.send().await.unwrap();
        assert_eq!(
            (head.status(), &head.headers()[CONTENT_TYPE]),
            (StatusCode::OK, &media_type.parse().unwrap())
        );
        assert!(head.bytes().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn lines_and_columns_have_the_fields_of_the_apis_entities() {
    let api = Api::start().await;
    let accepted = api.upload(ACME, TEXT).await;
    api.analyse(ACME, &accepted, TEXT, &FOUND).await;
    let page = api.read(ACME, &format!("{}/entities", document(&accepted))).await;
    let entities = page["entities"].as_array().unwrap();
    assert_eq!(&lines(&api, &accepted, &[]).await, entities);
    let csv = export(&api, &accepted, &[("format", "csv")])
        .await
        .text()
        .await
        .unwrap();
    let mut columns: Vec<&str> = csv.split("\r\n").next().unwrap().split(',').collect();
    let mut fields: Vec<&String> = entities[0].as_object().unwrap().keys().collect();
    columns.sort_unstable();
    fields.sort_unstable();
    assert_eq!(columns, fields);
}

#[tokio::test]
async fn more_entities_than_one_read_takes_are_exported_and_filtered() {
    let api = Api::start().await;
    let (text, found) = many(MANY);
    let accepted = api.upload(ACME, &text).await;
    api.analyse_entities(ACME, &accepted, &text, found).await;
    let all = lines(&api, &accepted, &[]).await;
    assert_eq!(all.len(), MANY);
    for (number, line) in all.iter().enumerate() {
        assert_eq!(line["text"], format!("Zo\u{eb} {number}"));
    }
    assert_eq!(lines(&api, &accepted, &[("label", "PLACE")]).await.len(), MANY / 3);
    for nothing in [("min_score", "0.9"), ("region", "header"), ("source", "recogniser")] {
        assert_eq!(
            lines(&api, &accepted, &[nothing]).await,
            Vec::<Value>::new(),
            "{nothing:?}"
        );
    }
    let job = accepted["job_id"].as_str().unwrap();
    assert_eq!(lines(&api, &accepted, &[("job_id", job)]).await.len(), MANY);

    let page: Value = export(&api, &accepted, &[("format", "web-annotation")])
        .await
        .json()
        .await
        .unwrap();
    let items = page["items"].as_array().unwrap();
    let quoted = |item: &Value| item["target"]["selector"][1]["exact"].as_str().unwrap().to_owned();
    let names: Vec<String> = items.iter().map(quoted).collect();
    let expected: Vec<String> = (0..MANY).map(|number| format!("Zo\u{eb} {number}")).collect();
    assert_eq!(names, expected);
    let spacy: Value = export(&api, &accepted, &[("format", "spacy")])
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(
        (&spacy["text"], spacy["spans"].as_array().unwrap().len()),
        (&json!(text), MANY)
    );
    let conll = export(&api, &accepted, &[("format", "conll")])
        .await
        .text()
        .await
        .unwrap();
    assert_eq!(conll.matches(" B-").count(), MANY);
}

#[tokio::test]
async fn what_cannot_be_exported_is_told_why() {
    let api = Api::start().await;
    let accepted = api.upload(ACME, TEXT).await;
    let jsonl = [("format", "jsonl")];
    assert_problem(export(&api, &accepted, &jsonl).await, 409, "not-analysed").await;
    for bad in [&[][..], &[("format", "xml")], &[("format", "")]] {
        let told = assert_problem(export(&api, &accepted, bad).await, 400, "invalid-request").await;
        for (format, ..) in FORMATS {
            assert!(told.contains(format), "{format} is not in {told:?}");
        }
    }
    for bad in [
        ("region", "margin"),
        ("source", "me"),
        ("min_score", "2"),
        ("label", "\0"),
        ("offsets", "byte"),
    ] {
        assert_problem(export(&api, &accepted, &[jsonl[0], bad]).await, 400, "invalid-request").await;
    }
    api.analyse(ACME, &accepted, TEXT, &FOUND).await;
    let path = path_with(&format!("{}/export", document(&accepted)), &jsonl);
    let foreign = api.get(RIVAL, &path).send().await.unwrap();
    assert_problem(foreign, 404, "not-found").await;
    let failed = api.upload(ACME, TEXT).await;
    api.fail(ACME, &failed, "unreadable_document").await;
    let told = assert_problem(export(&api, &failed, &jsonl).await, 409, "not-analysed").await;
    assert!(told.contains("failed"), "{told}");
}

#[tokio::test]
async fn an_export_that_cannot_go_on_does_not_look_complete() {
    let api = Api::start().await;
    let text = "word ".repeat(200_000);
    let accepted = api.upload(ACME, &text).await;
    let key = api.analyse_entities(ACME, &accepted, &text, Vec::new()).await;
    // The text's second half is no text.
    let mut broken = text.into_bytes();
    let middle = broken.len() / 2;
    broken[middle] = 0xff;
    let s3 = api.world.s3_client();
    let put = s3
        .put_object()
        .bucket(&api.world.bucket)
        .key(key.as_str())
        .body(broken.into());
    put.send().await.unwrap();
    for format in ["spacy", "conll"] {
        let answer = export(&api, &accepted, &[("format", format)]).await;
        assert_eq!(answer.status(), StatusCode::OK, "{format}: it had begun");
        assert!(answer.bytes().await.is_err(), "{format}: the body seems complete");
    }
}

#[tokio::test]
async fn a_result_that_is_removed_breaks_its_export() {
    let api = Api::start().await;
    let (text, found) = many(60_000);
    let accepted = api.upload(ACME, &text).await;
    api.analyse_entities(ACME, &accepted, &text, found).await;
    let answer = export(&api, &accepted, &[("format", "jsonl")]).await;
    let mut body = answer.bytes_stream();
    body.next().await.unwrap().unwrap();
    // The caller reads no further: the rest of some 15 MB is not written yet.
    let mut shard = shard_of(&api, ACME).await;
    execute(&mut shard, "delete from entities; delete from jobs").await;
    let mut ended_well = true;
    while let Some(piece) = body.next().await {
        ended_well &= piece.is_ok();
    }
    assert!(!ended_well, "the body seems complete");
}

#[tokio::test]
async fn callers_that_do_not_read_hold_their_places_and_no_transaction() {
    let api = Api::start().await;
    let (text, found) = many(60_000);
    let accepted = api.upload(ACME, &text).await;
    api.analyse_entities(ACME, &accepted, &text, found).await;
    let mut stalled = Vec::new();
    let refused = loop {
        let answer = export(&api, &accepted, &[("format", "jsonl")]).await;
        match answer.status() {
            StatusCode::OK => stalled.push(answer),
            _ => break answer,
        }
    };
    assert_eq!(stalled.len(), 16, "half of the places");
    assert_problem(refused, 429, "too-many-requests").await;
    let other = api.get(RIVAL, "/v1/documents").send().await.unwrap();
    assert_eq!(other.status(), StatusCode::OK, "another client's read");
    eventually("no transaction is open", async || {
        let mut shard = shard_of(&api, ACME).await;
        let sql =
            "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'docket'
                   and xact_start is not null";
        sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut shard).await.unwrap() == 0
    })
    .await;
    drop(stalled);
    eventually("the places are free again", async || {
        let answer = export(&api, &accepted, &[("format", "csv"), ("label", "NONE")]).await;
        answer.status() == StatusCode::OK
    })
    .await;
}
