//! Operators: their tokens open only operators' routes, and each action is done, reported and audited.

use docket_contract::job::{AnalyzeDocument, JobMessage};
use docket_store::operate::{controls, parked};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::api::{ACME, Api, RIVAL, assert_problem, bucket_of, client_on};

const DEAD: &str = "/v1/operator/dead";
const PARKED: &str = "/v1/operator/parked";
const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// Every operators' route, with a body that the route accepts.
fn routes() -> Vec<(Method, String, Value)> {
    let named = json!({ "job_ids": [ID] });
    let messages = json!({ "message_ids": [ID] });
    let controls = json!({"weight": 1, "paused": false});
    let (get, post) = (Method::GET, Method::POST);
    let route = |method: &Method, path: &str, body: &Value| (method.clone(), path.to_owned(), body.clone());
    vec![
        route(&get, DEAD, &Value::Null),
        route(&get, &format!("{DEAD}/{ID}"), &Value::Null),
        route(&post, &format!("{DEAD}/redrive"), &named),
        route(&post, &format!("{DEAD}/purge"), &named),
        route(&get, PARKED, &Value::Null),
        route(&get, &format!("{PARKED}/{ID}"), &Value::Null),
        route(&post, &format!("{PARKED}/redrive"), &messages),
        route(&post, &format!("{PARKED}/purge"), &messages),
        route(&get, "/v1/operator/clients/acme/controls", &Value::Null),
        route(&Method::PUT, "/v1/operator/clients/acme/controls", &controls),
        route(&post, "/v1/operator/clients/acme/pause", &Value::Null),
        route(&post, "/v1/operator/clients/acme/resume", &Value::Null),
        route(&post, "/v1/operator/models/ner-legal/pause", &Value::Null),
        route(&post, "/v1/operator/models/ner-legal/resume", &Value::Null),
        route(&get, "/v1/operator/audit", &Value::Null),
    ]
}

async fn answer(response: Response) -> Value {
    let status = response.status();
    let text = response.text().await.unwrap();
    assert_eq!(status, StatusCode::OK, "{text}");
    serde_json::from_str(&text).unwrap()
}

async fn read(api: &Api, path: &str) -> Value {
    answer(api.operate(Method::GET, path).send().await.unwrap()).await
}

async fn send(api: &Api, path: &str, body: Value) -> Response {
    api.operate(Method::POST, path).json(&body).send().await.unwrap()
}

async fn act(api: &Api, path: &str, body: Value) -> Value {
    answer(send(api, path, body).await).await
}

/// An uploaded document with a failed job.
async fn failed(api: &Api, client: &str) -> Value {
    let document = api.upload(client, "It will not be read.").await;
    api.fail(client, &document, "unreadable_document").await;
    document
}

fn ids(page: &Value, list: &str, id: &str) -> Vec<Value> {
    page[list]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry[id].clone())
        .collect()
}

async fn state(api: &Api, client: &str, document: &Value) -> Value {
    let path = format!("/v1/jobs/{}", document["job_id"].as_str().unwrap());
    api.read(client, &path).await["state"].clone()
}

#[tokio::test]
async fn operators_routes_are_for_operators_and_clients_routes_are_not() {
    let api = Api::start().await;
    let document = api.upload(ACME, "Of a client.").await;
    for (method, path, body) in routes() {
        let request = || api.anonymous(method.clone(), &path).json(&body);
        assert_problem(request().send().await.unwrap(), 401, "unauthenticated").await;
        let bad = request().bearer_auth("x.y.z").send().await.unwrap();
        assert_problem(bad, 401, "invalid-token").await;
        let clients = request().bearer_auth(api.token(ACME)).send().await.unwrap();
        assert_problem(clients, 403, "not-operator").await;
        let nameless = request().bearer_auth(api.operator_token("")).send().await.unwrap();
        assert_problem(nameless, 403, "not-operator").await;
        let status = request()
            .bearer_auth(api.operator_token("ada"))
            .send()
            .await
            .unwrap()
            .status();
        let expected = if path.ends_with(ID) { 404 } else { 200 };
        assert_eq!(status, expected, "{method} {path}");
    }
    let path = format!("/v1/documents/{}", document["document_id"].as_str().unwrap());
    for (method, path) in [
        (Method::GET, "/v1/documents".to_owned()),
        (Method::POST, "/v1/documents".to_owned()),
        (Method::GET, path.clone()),
        (Method::GET, format!("{path}/text")),
        (Method::GET, format!("{path}/entities")),
        (
            Method::GET,
            format!("/v1/jobs/{}", document["job_id"].as_str().unwrap()),
        ),
    ] {
        let refused = api.operate(method, &path).body("text").send().await.unwrap();
        assert_problem(refused, 403, "no-client").await;
    }
}

#[tokio::test]
async fn dead_jobs_are_listed_shown_redriven_and_purged() {
    let api = Api::start().await;
    let (first, second, rival) = (
        failed(&api, ACME).await,
        failed(&api, ACME).await,
        failed(&api, RIVAL).await,
    );
    let page = read(&api, DEAD).await;
    let newest_first = [&rival, &second, &first].map(|document| document["job_id"].clone());
    assert_eq!(ids(&page, "jobs", "job_id"), newest_first);
    assert_eq!((&page["next_cursor"], &page["unreached"]), (&Value::Null, &json!([])));
    let page = read(&api, &format!("{DEAD}?limit=2")).await;
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = read(&api, &format!("{DEAD}?limit=2&cursor={cursor}")).await;
    assert_eq!(ids(&rest, "jobs", "job_id"), newest_first[2..]);
    let hour_ago = Timestamp::now().checked_sub(SignedDuration::from_hours(1)).unwrap();
    for (query, found) in [
        ("client_id=acme", 2),
        (
            "client_id=acme&state=failed&reason=unreadable_document&model=ner-legal",
            2,
        ),
        ("state=expired", 0),
        ("reason=poison", 0),
        (&format!("ended_after={hour_ago}"), 3),
        (&format!("ended_before={hour_ago}"), 0),
    ] {
        let page = read(&api, &format!("{DEAD}?{query}")).await;
        assert_eq!(page["jobs"].as_array().unwrap().len(), found, "{query}");
    }
    let one = format!("{DEAD}/{}", first["job_id"].as_str().unwrap());
    let shown = read(&api, &one).await;
    assert_eq!(
        (&shown["client_id"], &shown["reason"]),
        (&json!(ACME), &json!("unreadable_document"))
    );
    assert_eq!(shown["history"].as_array().unwrap().last().unwrap()["event"], "failed");

    let named = json!({"job_ids": [second["job_id"], ID], "rate": 100});
    let progress = act(&api, &format!("{DEAD}/redrive"), named).await;
    assert_eq!(
        progress,
        json!({"changed": 1, "more": false, "left": [ID], "unreached": []})
    );
    assert_eq!(state(&api, ACME, &second).await, "waiting");
    let path = format!("/v1/jobs/{}", second["job_id"].as_str().unwrap());
    let history = api.read(ACME, &path).await["history"].to_string();
    assert!(
        !history.contains("ops-ada"),
        "a client is not told who its operators are: {history}"
    );

    let purged = act(&api, &format!("{DEAD}/purge"), json!({ "job_ids": [first["job_id"]] })).await;
    assert_eq!(purged["changed"], 1);
    assert_problem(api.operate(Method::GET, &one).send().await.unwrap(), 404, "not-found").await;
    assert_eq!(state(&api, ACME, &first).await, "failed");
    assert_eq!(ids(&read(&api, DEAD).await, "jobs", "job_id"), newest_first[..1]);
}

#[tokio::test]
async fn an_action_by_filter_takes_the_oldest_and_says_whether_more_remain() {
    let api = Api::start().await;
    let mut documents = Vec::new();
    for client in [ACME, RIVAL, ACME, RIVAL, ACME] {
        documents.push((client, failed(&api, client).await));
    }
    let redrive = format!("{DEAD}/redrive");
    let progress = act(&api, &redrive, json!({"filter": {}, "limit": 3, "rate": 0.1})).await;
    assert_eq!((&progress["changed"], &progress["more"]), (&json!(3), &json!(true)));
    let mut due = Vec::<Timestamp>::new();
    for (place, (client, document)) in documents.iter().enumerate() {
        let path = format!("/v1/jobs/{}", document["job_id"].as_str().unwrap());
        let job = api.read(client, &path).await;
        let expected = if place < 3 { "waiting" } else { "failed" };
        assert_eq!(job["state"], expected, "job {place}");
        due.extend(job["due_at"].as_str().map(|due| due.parse::<Timestamp>().unwrap()));
    }
    for pair in due.windows(2) {
        let apart = pair[1].duration_since(pair[0]).as_secs_f64();
        assert!(
            (9.0..11.0).contains(&apart),
            "a tenth a second, over all shards: {due:?}"
        );
    }
    let filter = json!({"filter": {"client_id": RIVAL}, "limit": 1});
    let progress = act(&api, &redrive, filter).await;
    assert_eq!((&progress["changed"], &progress["more"]), (&json!(1), &json!(false)));
    let progress = act(&api, &format!("{DEAD}/purge"), json!({"filter": {}, "limit": 10_000})).await;
    assert_eq!((&progress["changed"], &progress["more"]), (&json!(1), &json!(false)));
}

#[tokio::test]
async fn what_does_not_say_what_is_meant_is_refused_and_changes_nothing() {
    let api = Api::start().await;
    let document = failed(&api, ACME).await;
    let many = vec![ID; 1_001];
    for (body, status, name) in [
        (json!({}), 422, "invalid-field"),
        (json!({ "job_ids": [] }), 422, "invalid-field"),
        (json!({ "job_ids": many }), 422, "invalid-field"),
        (json!({ "filter": {} }), 422, "invalid-field"),
        (json!({ "limit": 10 }), 422, "invalid-field"),
        (json!({"filter": {}, "limit": 0}), 422, "invalid-field"),
        (json!({"filter": {}, "limit": 10_001}), 422, "invalid-field"),
        (json!({"filter": {}, "limit": 1, "job_ids": [ID]}), 422, "invalid-field"),
        // Without the check, a filter with a mistyped name would mean everything.
        (json!({"filter": {"client": ACME}, "limit": 10}), 400, "invalid-request"),
        (
            json!({"filter": {"state": "succeeded"}, "limit": 10}),
            400,
            "invalid-request",
        ),
        (
            json!({"filter": {"client_id": "a b"}, "limit": 10}),
            400,
            "invalid-request",
        ),
        (json!({"jobs": [ID]}), 400, "invalid-request"),
        (json!({ "job_ids": ["x"] }), 400, "invalid-request"),
        (Value::Null, 400, "invalid-request"),
    ] {
        for action in ["redrive", "purge"] {
            let path = format!("{DEAD}/{action}");
            assert_problem(send(&api, &path, body.clone()).await, status, name).await;
        }
    }
    for rate in [0.0, -1.0, 10_001.0] {
        let body = json!({"filter": {}, "limit": 10, "rate": rate});
        assert_problem(send(&api, &format!("{DEAD}/redrive"), body).await, 422, "invalid-field").await;
    }
    for query in [
        "limit=0",
        "limit=201",
        "cursor=x",
        "state=succeeded",
        "client_id=a%20b",
        "ended_before=now",
    ] {
        let refused = api
            .operate(Method::GET, &format!("{DEAD}?{query}"))
            .send()
            .await
            .unwrap();
        assert_problem(refused, 400, "invalid-request").await;
    }
    assert_eq!(state(&api, ACME, &document).await, "failed");
    assert_eq!(
        read(&api, "/v1/operator/audit").await["entries"],
        json!([]),
        "nothing was begun"
    );
}

#[tokio::test]
async fn a_parked_message_that_names_a_job_is_done_with_and_others_stay() {
    let api = Api::start().await;
    let document = api.upload(ACME, "Its message was parked.").await;
    let message = JobMessage::V1(AnalyzeDocument {
        bucket: bucket_of(ACME).number(),
        job_id: serde_json::from_value(document["job_id"].clone()).unwrap(),
        client_id: ACME.parse().unwrap(),
        model: "ner-legal".parse().unwrap(),
        trace_parent: None,
    });
    let unknown = String::from_utf8(message.encode()).unwrap();
    let unknown = unknown.replace(document["job_id"].as_str().unwrap(), ID);
    let catalog = api.shards.catalog();
    for body in [
        message.encode(),
        unknown.into_bytes(),
        b"not a job".to_vec(),
        vec![0xff, 0],
    ] {
        parked::park(catalog, "docket.dead", &body, "of an older release")
            .await
            .unwrap();
    }
    let page = read(&api, PARKED).await;
    let parked = ids(&page, "messages", "message_id");
    assert_eq!(parked.len(), 4);
    let shown = read(&api, &format!("{PARKED}/{}", parked[0].as_str().unwrap())).await;
    assert_eq!((&shown["encoding"], &shown["body"]), (&json!("hex"), &json!("ff00")));
    let shown = read(&api, &format!("{PARKED}/{}", parked[1].as_str().unwrap())).await;
    assert_eq!(
        (&shown["encoding"], &shown["body"]),
        (&json!("utf-8"), &json!("not a job"))
    );
    assert_eq!(
        (&shown["truncated"], &shown["reason"]),
        (&json!(false), &json!("of an older release"))
    );

    let redriven = act(&api, &format!("{PARKED}/redrive"), json!({"filter": {}, "limit": 100})).await;
    assert_eq!(
        (&redriven["changed"], &redriven["left"], &redriven["more"]),
        (&json!(1), &json!(3), &json!(false))
    );
    assert_eq!(
        ids(&redriven, "reasons", "message_id"),
        [&parked[2], &parked[1], &parked[0]].map(Clone::clone)
    );
    assert_eq!(redriven["reasons"][0]["reason"], format!("job {ID} does not exist"));
    assert_eq!(ids(&read(&api, PARKED).await, "messages", "message_id"), parked[..3]);
    let purged = act(
        &api,
        &format!("{PARKED}/purge"),
        json!({ "message_ids": [parked[0], ID, parked[0]] }),
    )
    .await;
    assert_eq!((&purged["changed"], &purged["left"]), (&json!(1), &json!(1)));
    let purged = act(&api, &format!("{PARKED}/purge"), json!({"filter": {}, "limit": 1})).await;
    assert_eq!((&purged["changed"], &purged["more"]), (&json!(1), &json!(true)));
}

#[tokio::test]
async fn clients_and_models_are_paused_weighed_and_resumed() {
    let api = Api::start().await;
    api.upload(ACME, "What makes the client known.").await;
    let of_acme = "/v1/operator/clients/acme";
    let controls_path = format!("{of_acme}/controls");
    let put = async |body: Value| {
        api.operate(Method::PUT, &controls_path)
            .json(&body)
            .send()
            .await
            .unwrap()
    };
    let shard = api.shards.owner(bucket_of(ACME)).to_string();
    let holds = |weight: f64, most: Value, paused: bool| json!({"client_id": ACME, "weight": weight, "in_flight_max": most, "paused": paused, "shard": shard});
    assert_eq!(read(&api, &controls_path).await, holds(1.0, Value::Null, false));
    let set = json!({"weight": 2.5, "in_flight_max": 7, "paused": false});
    assert_eq!(answer(put(set).await).await, holds(2.5, json!(7), false));
    let paused = act(&api, &format!("{of_acme}/pause"), Value::Null).await;
    assert_eq!(paused, holds(2.5, json!(7), true), "the rest stays as it was");
    let resumed = act(&api, &format!("{of_acme}/resume"), Value::Null).await;
    assert_eq!(resumed, holds(2.5, json!(7), false));
    assert_eq!(
        answer(put(json!({"weight": 1, "paused": false})).await).await,
        holds(1.0, Value::Null, false)
    );
    for (body, status, name) in [
        (json!({"weight": 0, "paused": false}), 422, "invalid-field"),
        (json!({"weight": 101, "paused": false}), 422, "invalid-field"),
        (
            json!({"weight": 1, "paused": false, "in_flight_max": 0}),
            422,
            "invalid-field",
        ),
        (json!({"weight": 1}), 400, "invalid-request"),
        (json!({"weight": 1, "paused": false, "cap": 1}), 400, "invalid-request"),
    ] {
        assert_problem(put(body).await, status, name).await;
    }
    for path in ["/v1/operator/clients/a%20b/controls", "/v1/operator/clients/-/controls"] {
        assert_problem(api.operate(Method::GET, path).send().await.unwrap(), 404, "not-found").await;
    }
    let told = act(&api, "/v1/operator/models/ner-legal/pause", Value::Null).await;
    assert_eq!(told, json!({"told": ["s1", "s2"], "unreached": []}));
    for (_, shard) in api.shards.all() {
        assert_eq!(controls::paused_models(shard).await.unwrap(), ["ner-legal"]);
    }
    act(&api, "/v1/operator/models/ner-legal/resume", Value::Null).await;
    for (_, shard) in api.shards.all() {
        assert!(controls::paused_models(shard).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_shard_that_is_away_is_named_and_the_others_are_served() {
    let api = Api::start().await;
    let (here, away) = (client_on(&api, "s1"), client_on(&api, "s2"));
    let (lucky, unlucky) = (failed(&api, &here).await, failed(&api, &away).await);
    api.world.shard_down("s2").await;
    let page = read(&api, DEAD).await;
    assert_eq!(ids(&page, "jobs", "job_id"), [lucky["job_id"].clone()]);
    assert_eq!(ids(&page, "unreached", "shard"), ["s2"]);
    let of_away = format!("{DEAD}/{}", unlucky["job_id"].as_str().unwrap());
    let detail = assert_problem(
        api.operate(Method::GET, &of_away).send().await.unwrap(),
        503,
        "unavailable",
    )
    .await;
    assert!(detail.contains("s2"), "{detail}");
    let paused = send(&api, "/v1/operator/models/ner-legal/pause", Value::Null).await;
    let detail = assert_problem(paused, 503, "unavailable").await;
    assert!(detail.contains("could not be told: s2"), "{detail}");
    let named = json!({ "job_ids": [lucky["job_id"], unlucky["job_id"]] });
    let progress = act(&api, &format!("{DEAD}/redrive"), named.clone()).await;
    assert_eq!(
        (&progress["changed"], &progress["left"]),
        (&json!(1), &json!([unlucky["job_id"]]))
    );
    assert_eq!(ids(&progress, "unreached", "shard"), ["s2"]);
    let audit = read(&api, "/v1/operator/audit").await;
    assert_eq!(ids(&audit, "entries", "action"), ["dead.redrive", "model.pause"]);
    for entry in audit["entries"].as_array().unwrap() {
        assert_eq!(ids(&entry["outcome"], "unreached", "shard"), ["s2"], "{entry}");
    }
    api.world.shard_up("s2").await;
    let paused = || async {
        send(&api, "/v1/operator/models/ner-legal/pause", Value::Null)
            .await
            .status()
            == 200
    };
    crate::api::eventually("the model is paused everywhere", paused).await;
    let progress = act(&api, &format!("{DEAD}/redrive"), named).await;
    assert_eq!(
        (&progress["changed"], &progress["left"]),
        (&json!(1), &json!([lucky["job_id"]]))
    );
}

#[tokio::test]
async fn every_action_is_in_the_audit_and_what_cannot_be_is_not_done() {
    let api = Api::start().await;
    let document = failed(&api, ACME).await;
    act(
        &api,
        &format!("{DEAD}/purge"),
        json!({"filter": {"reason": "poison"}, "limit": 5}),
    )
    .await;
    act(&api, "/v1/operator/clients/acme/pause", Value::Null).await;
    // The table's own check makes the shard fail; the failure is an outcome.
    let mut shard = PgConnection::connect(
        &api.world
            .shards
            .iter()
            .find(|(name, _)| *name == api.shards.owner(bucket_of(ACME)).to_string())
            .unwrap()
            .1,
    )
    .await
    .unwrap();
    sqlx::query("alter table client_controls add constraint test check (weight < 50)")
        .execute(&mut shard)
        .await
        .unwrap();
    let put = api.operate(Method::PUT, "/v1/operator/clients/acme/controls");
    let refused = put.json(&json!({"weight": 60, "paused": false})).send().await.unwrap();
    assert_problem(refused, 500, "internal").await;
    let page = read(&api, "/v1/operator/audit?limit=2").await;
    let entries = page["entries"].as_array().unwrap();
    assert_eq!(ids(&page, "entries", "action"), ["client.set", "client.pause"]);
    assert_eq!(ids(&page, "entries", "actor"), ["ops-ada", "ops-ada"]);
    assert_eq!(
        entries[0]["target"],
        json!({"client_id": ACME, "weight": 60.0, "in_flight_max": 0, "paused": false})
    );
    assert!(
        entries[0]["outcome"]["error"].as_str().unwrap().contains("refuses"),
        "{page}"
    );
    assert_eq!(entries[1]["outcome"]["paused"], true);
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = read(&api, &format!("/v1/operator/audit?cursor={cursor}")).await;
    assert_eq!(ids(&rest, "entries", "action"), ["dead.purge"]);
    let target = json!({"filter": {"reason": "poison"}, "limit": 5});
    assert_eq!(
        (&rest["entries"][0]["target"], &rest["next_cursor"]),
        (&target, &Value::Null)
    );
    assert_eq!(rest["entries"][0]["outcome"]["changed"], 0);

    api.world.shard_down("catalog").await;
    for (path, body) in [
        (format!("{DEAD}/redrive"), json!({"filter": {}, "limit": 5})),
        (format!("{DEAD}/purge"), json!({"filter": {}, "limit": 5})),
        ("/v1/operator/clients/acme/resume".to_owned(), Value::Null),
        ("/v1/operator/models/ner-legal/pause".to_owned(), Value::Null),
    ] {
        let detail = assert_problem(send(&api, &path, body).await, 503, "unavailable").await;
        assert!(detail.starts_with("Nothing was done"), "{detail}");
    }
    assert_eq!(
        ids(&read(&api, DEAD).await, "jobs", "job_id"),
        [document["job_id"].clone()],
        "lists need no catalog"
    );
    assert_eq!(read(&api, "/v1/operator/clients/acme/controls").await["paused"], true);
    api.world.shard_up("catalog").await;
}

/// A name that names nothing.
const TYPO: &str = "typo";

#[tokio::test]
async fn a_name_that_nothing_has_is_not_found_and_nothing_is_done() {
    let api = Api::start().await;
    failed(&api, ACME).await;
    let (get, post) = (Method::GET, Method::POST);
    let by = |filter: Value| json!({"filter": filter, "limit": 1});
    for (method, path, body) in [
        (&get, format!("/v1/operator/clients/{TYPO}/controls"), Value::Null),
        (
            &Method::PUT,
            format!("/v1/operator/clients/{TYPO}/controls"),
            json!({"weight": 2, "paused": true}),
        ),
        (&post, format!("/v1/operator/clients/{TYPO}/pause"), Value::Null),
        (&post, format!("/v1/operator/clients/{TYPO}/resume"), Value::Null),
        (&post, format!("/v1/operator/models/{TYPO}/pause"), Value::Null),
        (&post, format!("/v1/operator/models/{TYPO}/resume"), Value::Null),
        (&get, format!("{DEAD}?reason={TYPO}"), Value::Null),
        (&get, format!("{DEAD}?client_id={TYPO}"), Value::Null),
        (&get, format!("{DEAD}?model={TYPO}"), Value::Null),
        (&post, format!("{DEAD}/redrive"), by(json!({ "reason": TYPO }))),
        (&post, format!("{DEAD}/purge"), by(json!({ "client_id": TYPO }))),
        (&post, format!("{DEAD}/purge"), by(json!({ "model": TYPO }))),
    ] {
        let refused = api.operate(method.clone(), &path).json(&body).send().await.unwrap();
        let detail = assert_problem(refused, 404, "not-found").await;
        assert!(detail.contains(TYPO), "{method} {path}: {detail}");
    }
    assert_eq!(
        (api.rows("client_controls").await, api.rows("paused_models").await),
        (0, 0)
    );
    // An existing name is accepted, even if nothing matches.
    for query in [
        "reason=poison",
        "client_id=acme&state=expired",
        "model=ner-legal&state=expired",
    ] {
        assert_eq!(
            read(&api, &format!("{DEAD}?{query}")).await["jobs"],
            json!([]),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_client_can_be_decided_on_before_its_first_document() {
    let api = Api::start().await;
    let path = "/v1/operator/clients/newcomer/controls";
    let put = |body: Value| api.operate(Method::PUT, path).json(&body).send();
    let decided = answer(put(json!({"weight": 2, "paused": false, "new": true})).await.unwrap()).await;
    assert_eq!(
        (&decided["weight"], &decided["client_id"]),
        (&json!(2.0), &json!("newcomer"))
    );
    assert_eq!(read(&api, path).await, decided);
    act(&api, "/v1/operator/clients/newcomer/pause", Value::Null).await;
    answer(put(json!({"weight": 1, "paused": true})).await.unwrap()).await;
}

/// Runs a command; returns its exit code and its output on both streams.
fn command(api: &Api, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_docket-producer"));
    let output = command.envs(api.world.env()).args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[tokio::test]
async fn commands_on_what_does_not_exist_say_so_and_end_with_4() {
    let api = Api::start().await;
    failed(&api, ACME).await;
    for arguments in [
        &["pause", "--client", TYPO][..],
        &["resume", "--client", TYPO],
        &["pause", "--model", TYPO],
        &["resume", "--model", TYPO],
        &["clients", "show", TYPO],
        &["clients", "set", TYPO, "--weight", "2"],
        &["dead", "list", "--reason", TYPO],
        &["dead", "list", "--client", TYPO],
        &["dead", "list", "--model", TYPO],
        &["dead", "redrive", "--all", "--reason", TYPO],
        &["dead", "purge", "--all", "--client", TYPO],
        &["restore", "check", "--shard", TYPO],
        &["restore", "settle", "--shard", TYPO],
    ] {
        let (code, said) = command(&api, arguments);
        assert_eq!(code, Some(4), "{arguments:?}: {said}");
        assert!(said.contains(TYPO), "{arguments:?}: {said}");
    }
    for arguments in [["dead", "show", ID], ["parked", "show", ID]] {
        assert_eq!(command(&api, &arguments).0, Some(4), "{arguments:?}");
    }
    for arguments in [
        &["pause", "--client", ACME][..],
        &["pause", "--model", "ner-legal"],
        &["resume", "--model", "ner-legal"],
        &["clients", "set", TYPO, "--new", "--weight", "0.01"],
        &["pause", "--client", TYPO],
        &["dead", "list", "--reason", "poison"],
        &["dead", "redrive", "--all", "--reason", "poison"],
    ] {
        let (code, said) = command(&api, arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
    }
}
