//! The API's description, the page to browse it, and answers that the description lacks.

use std::collections::BTreeSet;

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::api::{ACME, Api, assert_problem, path_with};

const OPERATIONS: [&str; 34] = [
    "get /livez",
    "get /metrics",
    "get /readyz",
    "get /startupz",
    "get /v1/documents",
    "get /v1/documents/{document_id}",
    "get /v1/documents/{document_id}/entities",
    "get /v1/documents/{document_id}/export",
    "get /v1/documents/{document_id}/jobs",
    "get /v1/documents/{document_id}/original",
    "get /v1/documents/{document_id}/pages/{page}",
    "get /v1/documents/{document_id}/pages/{page}/image",
    "get /v1/documents/{document_id}/text",
    "get /v1/documents/{document_id}/things",
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

pub async fn description(api: &Api) -> Value {
    let document = api.anonymous(Method::GET, "/v1/openapi.json").send().await;
    document.unwrap().json().await.unwrap()
}

/// Every operation of a description, as its method, its path and its JSON.
pub fn operations(document: &Value) -> Vec<(Method, String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (method.to_uppercase().parse().unwrap(), path.clone(), operation))
    });
    operations.collect()
}

/// A request for an operation, with a path and a token that it accepts.
pub fn request(api: &Api, method: Method, path: &str) -> RequestBuilder {
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let (mut told, mut rest) = (String::new(), path);
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap();
        told += before;
        told += if name.ends_with("_id") && name != "client_id" {
            id
        } else {
            ACME
        };
        rest = after;
    }
    told += rest;
    let request = api.anonymous(method, &told);
    if path.starts_with("/v1/operator/") {
        request.bearer_auth(api.operator_token("ops-ada"))
    } else {
        request.bearer_auth(api.token(ACME))
    }
}

#[tokio::test]
async fn no_route_takes_a_query_parameter_that_it_does_not_have() {
    let api = Api::start().await;
    let document = description(&api).await;
    for (method, path, operation) in operations(&document) {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let known: Vec<&str> = parameters
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let mistyped = path_with(&path, &[("piority", "bulk")]);
        let unknown = request(&api, method.clone(), &mistyped);
        let detail = assert_problem(unknown.send().await.unwrap(), 400, "invalid-request").await;
        let told = if known.is_empty() {
            "has no query parameters".to_owned()
        } else {
            format!("it has {}.", known.join(", "))
        };
        assert!(
            detail.contains("piority") && detail.contains(&told),
            "{method} {path}: {detail}"
        );
        if method == Method::GET {
            let head = request(&api, Method::HEAD, &mistyped);
            assert_eq!(
                head.send().await.unwrap().status(),
                StatusCode::BAD_REQUEST,
                "HEAD {path}"
            );
        }
    }
    api.assert_nothing_left().await;
}

#[tokio::test]
async fn no_route_takes_a_field_that_its_body_does_not_have() {
    let api = Api::start().await;
    let document = description(&api).await;
    let mut tried = 0;
    for (method, path, operation) in operations(&document) {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        if schema.is_null() {
            continue;
        }
        let unknown = json!({"nothing_of_the_kind": 1});
        // The unknown field in the body itself, and in each field that is an object.
        let mut bodies = vec![unknown.clone()];
        for (field, schema) in object(&document, schema).unwrap() {
            if object(&document, schema).is_some() {
                bodies.push(json!({ field: unknown }));
            }
        }
        for body in bodies {
            let refused = request(&api, method.clone(), &path).json(&body).send().await.unwrap();
            let detail = assert_problem(refused, 400, "invalid-request").await;
            assert!(
                detail.contains("unknown field `nothing_of_the_kind`"),
                "{method} {path} with {body}: {detail}"
            );
            tried += 1;
        }
    }
    assert_eq!(tried, 10, "six bodies, four of them with a filter");
}

/// The fields of a schema, if it describes an object.
pub fn object<'a>(document: &'a Value, schema: &'a Value) -> Option<&'a serde_json::Map<String, Value>> {
    if let Some(reference) = schema["$ref"].as_str() {
        return object(document, document.pointer(&reference[1..]).unwrap());
    }
    let one_of = schema["oneOf"].as_array().into_iter().flatten();
    let fields = one_of.filter_map(|schema| object(document, schema)).next();
    fields.or_else(|| schema["properties"].as_object())
}

#[tokio::test]
async fn the_description_has_every_route_and_every_answer() {
    let api = Api::start().await;
    let document = description(&api).await;
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
