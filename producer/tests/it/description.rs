//! The API's description, the page to browse it, and the answers to what is not in it.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::api::{ACME, Api, assert_problem};

const OPERATIONS: [&str; 29] = [
    "get /livez",
    "get /metrics",
    "get /readyz",
    "get /startupz",
    "get /v1/documents",
    "get /v1/documents/{document_id}",
    "get /v1/documents/{document_id}/entities",
    "get /v1/documents/{document_id}/jobs",
    "get /v1/documents/{document_id}/text",
    "delete /v1/jobs/{job_id}",
    "get /v1/jobs/{job_id}",
    "get /v1/models",
    "post /v1/documents",
    "post /v1/documents/{document_id}/jobs",
    "get /v1/operator/audit",
    "get /v1/operator/clients/{client_id}/controls",
    "put /v1/operator/clients/{client_id}/controls",
    "post /v1/operator/clients/{client_id}/pause",
    "post /v1/operator/clients/{client_id}/resume",
    "get /v1/operator/dead",
    "get /v1/operator/dead/{job_id}",
    "post /v1/operator/dead/purge",
    "post /v1/operator/dead/redrive",
    "post /v1/operator/models/{model}/pause",
    "post /v1/operator/models/{model}/resume",
    "get /v1/operator/parked",
    "get /v1/operator/parked/{message_id}",
    "post /v1/operator/parked/purge",
    "post /v1/operator/parked/redrive",
];

/// Every `$ref` in a document.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_description_has_every_route_and_every_answer() {
    let api = Api::start().await;
    let document: Value = api
        .anonymous(Method::GET, "/v1/openapi.json")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["license"]["name"], "Apache-2.0");
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    assert_eq!(document["security"][0]["bearer"], serde_json::json!([]));

    let (mut operations, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations.insert(format!("{method} {path}"));
            let name = format!("{method} {path}: {operation}");
            assert!(
                ids.insert(operation["operationId"].to_string()),
                "{name} has another's id"
            );
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{name}");
            let responses = operation["responses"].as_object().unwrap();
            for (status, response) in responses {
                assert!(!response["description"].as_str().unwrap().is_empty(), "{name}");
                if status.starts_with(['4', '5']) {
                    let schema = &response["content"]["application/problem+json"]["schema"]["$ref"];
                    assert_eq!(schema, "#/components/schemas/Problem", "{name}");
                }
            }
            let is_open = operation["security"] == serde_json::json!([{}]);
            assert_eq!(is_open, !path.starts_with("/v1/"), "{name}");
            assert_eq!(
                responses.contains_key("401") && responses.contains_key("403"),
                !is_open,
                "{name}"
            );
        }
    }
    assert_eq!(operations, OPERATIONS.map(str::to_owned).into());
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in found {
        assert!(document.pointer(&reference[1..]).is_some(), "{reference} leads nowhere");
    }
}

#[tokio::test]
async fn the_page_needs_no_other_host() {
    let api = Api::start().await;
    let page = api.anonymous(Method::GET, "/docs/").send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    let page = page.text().await.unwrap();
    let quoted = page.split('"').skip(1).step_by(2);
    let loaded: Vec<&str> = quoted
        .filter(|value| value.ends_with(".js") || value.ends_with(".css"))
        .collect();
    assert!(loaded.len() >= 3, "{page}");
    for file in loaded {
        assert!(!file.contains("//"), "{file} is of another host");
        let response = api
            .anonymous(Method::GET, &format!("/docs/{file}"))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{file}");
    }
    let start = api
        .anonymous(Method::GET, "/docs/swagger-initializer.js")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(start.contains("/v1/openapi.json"), "{start}");
    assert!(
        start.contains(r#""validatorUrl": "none""#),
        "the page asks a service on the internet: {start}"
    );
}

#[tokio::test]
async fn what_no_route_answers_is_a_problem_too() {
    let api = Api::start().await;
    for path in ["/", "/v1", "/v1/nothing", "/v1/documents/", "/docs/nothing.js"] {
        assert_problem(api.get(ACME, path).send().await.unwrap(), 404, "not-found").await;
    }
    let deleted = api.anonymous(Method::DELETE, "/v1/documents").send().await.unwrap();
    let allowed: BTreeSet<String> = deleted.headers()["allow"]
        .to_str()
        .unwrap()
        .split(',')
        .map(|method| method.trim().to_owned())
        .collect();
    assert_eq!(allowed, ["GET", "HEAD", "POST"].map(str::to_owned).into());
    assert_problem(deleted, 405, "method-not-allowed").await;
    let named = api
        .get(ACME, "/v1/nothing")
        .header("x-request-id", "mine-1")
        .send()
        .await
        .unwrap();
    assert_eq!(named.headers()["x-request-id"], "mine-1");
}
