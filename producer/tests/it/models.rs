//! Models: which can be named, with a version and without, and how they are described.

use docket_contract::model::{self, Current};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::json;

use crate::api::{ACME, Api, FORM, accepted, assert_problem, form, upload_path};

#[tokio::test]
async fn a_version_can_be_insisted_on() {
    let api = Api::start().await;
    api.publish("ner-legal", "1").await;
    let upload = async |model: &str| {
        api.post(ACME, &upload_path(&[("model", model)]))
            .body("text")
            .send()
            .await
            .unwrap()
    };
    let answer = accepted(upload("ner-legal@1").await).await;
    let path = format!("/v1/documents/{}", answer["document_id"].as_str().unwrap());
    assert_eq!(
        api.read(ACME, &path).await["job"]["model"],
        "ner-legal@1",
        "it was asked for"
    );
    assert_eq!(api.claim(ACME, &answer).await.model_version, Some("1".parse().unwrap()));

    let answer = accepted(upload("ner-legal").await).await;
    let path = format!("/v1/documents/{}", answer["document_id"].as_str().unwrap());
    assert_eq!(api.read(ACME, &path).await["job"]["model"], "ner-legal");
    assert_eq!(api.claim(ACME, &answer).await.model_version, None);

    let model = |named| ("Content-Disposition: form-data; name=\"model\"", named);
    let file = (
        "Content-Disposition: form-data; name=f; filename=a.txt\r\nContent-Type: text/plain",
        "text",
    );
    let sent = form(&[model("ner-legal@1"), file, model("ner-legal"), file]);
    let request = api
        .anonymous(Method::POST, "/v1/documents")
        .bearer_auth(api.token(ACME));
    let answer = accepted(request.header(CONTENT_TYPE, FORM).body(sent).send().await.unwrap()).await;
    let versions = [&answer["documents"][0], &answer["documents"][1]].map(|document| api.claim(ACME, document));
    let [one, two] = versions;
    assert_eq!(one.await.model_version, Some("1".parse().unwrap()));
    assert_eq!(two.await.model_version, None);
}

#[tokio::test]
async fn what_is_not_published_is_refused_and_said_to_be_the_name_or_the_version() {
    let api = Api::start().await;
    api.publish("ner-legal", "1").await;
    for (model, said) in [
        ("no-such", "No model no-such is published."),
        ("no-such@1", "No model no-such is published."),
        ("ner-legal@9", "No version ner-legal@9 of the model is published."),
        (
            "ner-legal@model.onnx",
            "No version ner-legal@model.onnx of the model is published.",
        ),
        ("ner-legal@", "No model has such a name or such a version."),
        ("ner-legal@1@2", "No model has such a name or such a version."),
        ("ner-legal@../1", "No model has such a name or such a version."),
        ("@1", "No model has such a name or such a version."),
    ] {
        let request = api.post(ACME, &upload_path(&[("model", model)])).body("text");
        assert_eq!(
            assert_problem(request.send().await.unwrap(), 422, "unknown-model").await,
            said
        );
    }
    api.assert_nothing_left().await;
}

#[tokio::test]
async fn a_version_makes_another_upload_for_an_idempotency_key() {
    let api = Api::start().await;
    api.publish("ner-legal", "1").await;
    let send = async |model: &str| {
        let request = api
            .post(ACME, &upload_path(&[("model", model)]))
            .header("idempotency-key", "k");
        request.body("text").send().await.unwrap()
    };
    let first = accepted(send("ner-legal@1").await).await;
    assert_eq!(accepted(send("ner-legal@1").await).await, first);
    assert_problem(send("ner-legal").await, 422, "idempotency-mismatch").await;
}

#[tokio::test]
async fn the_default_may_insist_on_a_version() {
    let api = Api::start_with(&[("DOCKET_MODEL_DEFAULT", "ner-legal@2")]).await;
    let refused = api.post(ACME, "/v1/documents").body("text").send().await.unwrap();
    assert_problem(refused, 422, "unknown-model").await;
    let api = Api::start_with(&[("DOCKET_MODEL_DEFAULT", "ner-legal@2")]).await;
    api.publish("ner-legal", "2").await;
    let answer = api.upload(ACME, "text").await;
    assert_eq!(api.claim(ACME, &answer).await.model_version, Some("2".parse().unwrap()));
    assert_eq!(api.read(ACME, "/v1/models").await["default"], "ner-legal@2");
}

#[tokio::test]
async fn a_language_that_is_named_chooses_its_default_model_unless_a_model_is_named() {
    let defaults = "ner-legal,de=ner-german@2,fr=ner-french";
    let api = Api::start_with(&[("DOCKET_MODEL_DEFAULT", defaults)]).await;
    api.publish("ner-legal", "1").await;
    api.publish("ner-german", "2").await;
    for (fields, model) in [
        (&[][..], "ner-legal"),
        (&[("language", "de")], "ner-german"),
        (&[("language", "it")], "ner-legal"),
        (&[("language", "de"), ("model", "ner-legal")], "ner-legal"),
    ] {
        let request = api.post(ACME, &upload_path(fields)).body("text");
        let answer = accepted(request.send().await.unwrap()).await;
        assert_eq!(api.claim(ACME, &answer).await.model.as_str(), model, "{fields:?}");
        let again = format!("/v1/documents/{}/jobs", answer["document_id"].as_str().unwrap());
        let body =
            serde_json::to_string(&fields.iter().copied().collect::<std::collections::BTreeMap<_, _>>()).unwrap();
        let job = accepted(api.post(ACME, &again).body(body).send().await.unwrap()).await;
        assert!(job["model"].as_str().unwrap().starts_with(model), "{fields:?}: {job}");
    }
    let upload = async |language: &str| {
        let request = api.post(ACME, &upload_path(&[("language", language)]));
        request.body("text").send().await.unwrap()
    };
    assert_problem(upload("fr").await, 422, "unknown-model").await;
    for unknown in ["German", "DE", "de-AT", "und", ""] {
        assert_problem(upload(unknown).await, 422, "invalid-field").await;
    }
    let listed = api.read(ACME, "/v1/models").await;
    assert_eq!(listed["default"], "ner-legal");
    assert_eq!(
        listed["default_by_language"],
        json!({"de": "ner-german@2", "fr": "ner-french"})
    );
}

#[tokio::test]
async fn what_can_be_named_is_listed() {
    let api = Api::start().await;
    api.publish("ner-legal", "1").await;
    api.publish("ner-legal", "2").await;
    api.publish("ner-draft", "0.1").await;
    let broken = "broken".parse().unwrap();
    api.blobs
        .put_bytes(&model::pointer_key(&broken), "{".into())
        .await
        .unwrap();
    let empty = "empty".parse().unwrap();
    docket_objects::set_current(
        &api.blobs,
        &empty,
        &Current {
            version: "7".parse().unwrap(),
        },
    )
    .await
    .unwrap();

    let mut answer = api.read(ACME, "/v1/models").await;
    for model in answer["models"].as_array_mut().unwrap() {
        // Versions published within the same second have no known order.
        let versions = model["versions"].as_array_mut().unwrap();
        versions.sort_by_key(|version| version.as_str().unwrap().to_owned());
    }
    assert_eq!(answer["default"], "ner-legal");
    let nothing = json!(null);
    let model = |name: &str, version: &serde_json::Value, versions: &[&str], told: bool| {
        let about = |text: String| if told { json!(text) } else { nothing.clone() };
        json!({"name": name, "version": version, "versions": versions,
            "description": about(format!("{name} in a line")), "licence": about("Apache-2.0".into()),
            "languages": if told { vec!["en"] } else { Vec::new() }})
    };
    assert_eq!(
        answer["models"],
        json!([
            model("broken", &nothing, &[], false),
            model("empty", &json!("7"), &[], false),
            model("ner-draft", &nothing, &["0.1"], false),
            model("ner-legal", &json!("2"), &["1", "2"], true),
        ])
    );
}
