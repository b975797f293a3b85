//! Inputs of callers and operators: what the description allows is accepted, and no input causes an internal error.

use jiff::Timestamp;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use crate::api::{ACME, Api, accepted, assert_problem, path_with, upload_path};
use crate::description::{description, object, operations, request};

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// Values for which no parameter was made, or only few were.
fn hostile() -> Vec<String> {
    let known = [
        "",
        " ",
        "0",
        "-0",
        "-1",
        "1",
        "+1",
        "1e308",
        "1e-400",
        "NaN",
        "inf",
        "-inf",
        "0x10",
        "١",
        "true",
        "null",
        "\0",
        "2147483648",
        "9223372036854775808",
        "99999999999999999999999",
        "-009999-06-01T00:00:00Z",
        "0000-01-01T00:00:00+23:59",
        "1970-01-01T00:00:00Z",
        "9999-12-30T22:00:00Z",
        "2027-01-31T18:00:00+25:00",
        "2027-01-31T18:00:00 01:00",
        "2027-02-30T00:00:00Z",
        ID,
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "{ffffffff-ffff-ffff-ffff-ffffffffffff}",
        "____________________",
        "AAAAAAAAAAAAAAAAAAAAAH____8",
        "../../x",
        "ner-legal@../x",
        "{}",
        "{\"a\":1e400}",
        "{\"a\":1e-400}",
        "[[]]",
        "\u{feff}",
        "\u{10ffff}",
    ];
    let known = known.into_iter().map(str::to_owned);
    known.chain(["a".repeat(3_000), "[".repeat(3_000)]).collect()
}

/// A request that its route accepts, to which a test adds its input; an upload has a document already.
fn begun(api: &Api, method: &reqwest::Method, path: &str) -> RequestBuilder {
    let request = request(api, method.clone(), path);
    if path.split('?').next() == Some("/v1/documents") && *method == reqwest::Method::POST {
        return request.header("content-type", "text/plain").body("text");
    }
    request
}

async fn assert_not_ours(response: Response, what: &str) {
    let status = response.status();
    let text = response.text().await.unwrap();
    assert!(!status.is_server_error(), "{what}: {status} {text}");
}

/// A body that its route accepts, with this value in one field.
fn body_with(field: &str, value: &Value) -> Value {
    let mut body = match field {
        "weight" | "in_flight_max" | "paused" => json!({"weight": 1, "paused": false}),
        "limit" => json!({"filter": {}}),
        "filter" => json!({"limit": 1}),
        "rate" => json!({"job_ids": [ID]}),
        _ => json!({}),
    };
    body[field] = value.clone();
    body
}

#[tokio::test]
async fn no_parameter_is_an_error_of_ours_whatever_it_holds() {
    let api = Api::start().await;
    api.upload(ACME, "text").await;
    let document = description(&api).await;
    for (method, path, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            for value in hostile() {
                let what = format!("{method} {path} with {name} = {value:?}");
                let request = match parameter["in"].as_str().unwrap() {
                    "query" => begun(&api, &method, &path_with(&path, &[(name, &value)])),
                    "path" => {
                        let encoded = percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC);
                        begun(
                            &api,
                            &method,
                            &path.replace(&format!("{{{name}}}"), &encoded.to_string()),
                        )
                    }
                    _ => match reqwest::header::HeaderValue::from_str(&value) {
                        Ok(value) => begun(&api, &method, &path).header(name, value),
                        Err(_) => continue,
                    },
                };
                assert_not_ours(request.send().await.unwrap(), &what).await;
            }
        }
    }
}

#[tokio::test]
async fn no_field_is_an_error_of_ours_whatever_it_holds() {
    let api = Api::start().await;
    let analysed = api.upload(ACME, "text").await;
    let document = description(&api).await;
    let mut values: Vec<String> = hostile().iter().map(|text| json!(text).to_string()).collect();
    values.extend(
        [
            "null",
            "0",
            "-0.0",
            "-1",
            "0.009999999",
            "1e38",
            "1e39",
            "1e308",
            "1e400",
            "2147483647",
            "2147483648",
            "true",
            "[]",
        ]
        .map(str::to_owned),
    );
    for (method, path, operation) in operations(&document) {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let path = path.replace("{document_id}", analysed["document_id"].as_str().unwrap());
        for (field, schema) in object(&document, schema).into_iter().flatten() {
            let within = object(&document, schema)
                .into_iter()
                .flatten()
                .map(|(inner, _)| Some(inner));
            for inner in within.chain([None]) {
                for value in &values {
                    let hole = json!("a hole");
                    let hole = inner.map_or(hole.clone(), |inner| json!({ inner: hole }));
                    let body = body_with(field, &hole).to_string().replace("\"a hole\"", value);
                    let request = request(&api, method.clone(), &path).body(body.clone());
                    assert_not_ours(request.send().await.unwrap(), &format!("{method} {path} with {body}")).await;
                }
            }
        }
    }
}

/// The least and the greatest value that a schema allows, and the values just beyond.
fn edges(schema: &Value) -> (Vec<Value>, Vec<Value>) {
    let is_whole = schema["type"].to_string().contains("integer");
    let number = |value: f64| if is_whole { json!(value as i64) } else { json!(value) };
    let text = |length: &Value, more: i64| json!("ä".repeat((length.as_i64().unwrap() + more) as usize));
    let list = |length: &Value, more: i64| {
        let ids = (0..length.as_i64().unwrap() + more).map(|last| format!("01890a5d-ac96-774b-bcce-b302{last:08}"));
        json!(ids.collect::<Vec<_>>())
    };
    let (mut within, mut beyond) = (Vec::new(), Vec::new());
    let mut add = |inside: Value, outside: Value| {
        within.push(inside);
        beyond.push(outside);
    };
    if let Some(least) = schema["minimum"].as_f64() {
        add(number(least), number(least - if is_whole { 1.0 } else { 0.001 }));
    }
    if let Some(most) = schema["maximum"].as_f64() {
        add(number(most), number(most + if is_whole { 1.0 } else { 0.5 }));
    }
    for (least, most, of) in [
        ("minLength", "maxLength", &text as &dyn Fn(&Value, i64) -> Value),
        ("minItems", "maxItems", &list),
    ] {
        if schema[most].is_number() {
            add(of(&schema[least], 0), of(&schema[least], -1));
            add(of(&schema[most], 0), of(&schema[most], 1));
        }
    }
    (within, beyond)
}

async fn assert_taken(request: RequestBuilder, taken: bool, what: &str) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    let is_refused = [400, 422].contains(&status);
    // The value may be accepted and name something that does not exist.
    let is_taken = [200, 202, 404].contains(&status);
    assert!(if taken { is_taken } else { is_refused }, "{what}: {status} {text}");
}

#[tokio::test]
async fn every_limit_of_the_description_is_the_limit() {
    let api = Api::start().await;
    api.upload(ACME, "text").await;
    let document = description(&api).await;
    let mut tried = 0;
    for (method, path, operation) in operations(&document) {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let needed = parameters
            .clone()
            .filter(|parameter| parameter["in"] == "query" && parameter["required"] == true);
        let needed = needed.map(|parameter| ["name", "example"].map(|field| parameter[field].as_str().unwrap()));
        let needed: Vec<(&str, &str)> = needed.map(|[name, value]| (name, value)).collect();
        // What is wrong in a path is not there.
        for parameter in parameters.filter(|parameter| parameter["in"] != "path") {
            let (within, beyond) = edges(&parameter["schema"]);
            let name = parameter["name"].as_str().unwrap();
            for (value, taken) in within
                .iter()
                .map(|value| (value, true))
                .chain(beyond.iter().map(|value| (value, false)))
            {
                let text = value.as_str().map_or(value.to_string(), str::to_owned);
                let what = format!("{method} {path} with {name}={text}");
                let path = path_with(&path, &[&needed[..], &[(name, &text)]].concat());
                assert_taken(begun(&api, &method, &path), taken, &what).await;
                tried += 1;
            }
        }
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        for (field, schema) in object(&document, schema).into_iter().flatten() {
            let (within, beyond) = edges(schema);
            for (value, taken) in within
                .iter()
                .map(|value| (value, true))
                .chain(beyond.iter().map(|value| (value, false)))
            {
                let what = format!("{method} {path} with {field}: {value}");
                assert_taken(
                    request(&api, method.clone(), &path).json(&body_with(field, value)),
                    taken,
                    &what,
                )
                .await;
                tried += 1;
            }
        }
    }
    assert!(tried > 60, "only {tried} limits are in the description");
}

#[tokio::test]
async fn a_time_that_has_passed_is_now() {
    let api = Api::start().await;
    for passed in ["0000-01-01T00:00:00Z", "1970-01-01T00:00:00Z"] {
        let path = upload_path(&[("not_before", passed)]);
        let uploaded = accepted(api.post(ACME, &path).body("text").send().await.unwrap()).await;
        let job = api
            .read(ACME, &format!("/v1/jobs/{}", uploaded["job_id"].as_str().unwrap()))
            .await;
        let time = |name: &str| job[name].as_str().unwrap().parse::<Timestamp>().unwrap();
        assert_eq!(time("due_at"), time("created_at"), "{job}");
    }
}

#[tokio::test]
async fn a_blank_for_a_plus_is_told() {
    let api = Api::start().await;
    // As `curl` sends it: decoding the query turns the plus of the offset into a blank.
    for (path, kind, status) in [
        ("/v1/documents?deadline=2027-01-31T18:00:00+01:00", "invalid-field", 422),
        (
            "/v1/operator/dead?ended_before=2027-01-31T18:00:00+01:00",
            "invalid-request",
            400,
        ),
    ] {
        let sent = if status == 422 {
            api.post(ACME, path).body("text")
        } else {
            api.operate(reqwest::Method::GET, path)
        };
        let detail = assert_problem(sent.send().await.unwrap(), status, kind).await;
        assert!(detail.contains("write + as %2B"), "{detail}");
    }
}

#[tokio::test]
async fn what_is_not_utf_8_is_refused_and_not_replaced() {
    let api = Api::start().await;
    let path = "/v1/documents?external_id=M%FCller";
    let detail = assert_problem(
        api.post(ACME, path).body("text").send().await.unwrap(),
        400,
        "invalid-request",
    )
    .await;
    assert!(detail.contains("external_id"), "{detail}");
    api.assert_nothing_left().await;
}
