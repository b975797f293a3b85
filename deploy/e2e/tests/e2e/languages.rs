//! Documents in other languages than their model reads.

use docket_e2e::system::System;
use serde_json::json;

use crate::LETTER;

/// A contract's first clauses in German.
const GERMAN: &str = include_str!("../../../../worker/understand/src/language/texts/de.txt");

#[tokio::test]
async fn a_german_contract_succeeds_with_a_warning_and_an_english_one_without() {
    let system = System::start().await;
    let worker = system.worker().await;
    let caller = system.caller("acme").await;
    let german = caller
        .upload(&format!("{GERMAN}\nAmtsgericht, 410 U.S. 113 (1973)"))
        .await;
    let english = caller.upload(&LETTER.repeat(3)).await;
    let short = caller.upload("Anlage 1").await;

    let entities = caller.checked_entities(&german).await;
    let recognised = entities.iter().filter(|entity| entity["source"] == "recogniser");
    assert!(recognised.count() > 0, "recognisers read every language: {entities:#?}");
    let coverage = &caller.job(&german).await["coverage"];
    let language = json!({"code": "de", "confidence": 100, "model_reads": ["en"]});
    assert_eq!(
        (&coverage["language"], &coverage["remarks"]),
        (&language, &json!(["other_language"]))
    );

    let coverage = &caller.until(&english, "succeeded").await["coverage"];
    assert_eq!(coverage["language"]["code"], "en");
    assert!(coverage.get("remarks").is_none(), "{coverage}");

    let coverage = &caller.until(&short, "succeeded").await["coverage"];
    assert_eq!(coverage["language"], json!({"code": "und", "model_reads": ["en"]}));
    assert!(coverage.get("remarks").is_none(), "nothing is guessed: {coverage}");

    for told in [
        r#"docket_document_languages_total{language="de"} 1"#,
        r#"docket_document_languages_total{language="und"} 1"#,
        "docket_documents_in_other_language_total 1",
    ] {
        worker.until_metric(told).await;
    }
}

#[tokio::test]
async fn a_deployment_may_refuse_what_its_model_does_not_read() {
    let system = System::start().await;
    let _worker = system.worker_with(&[("DOCKET_OTHER_LANGUAGE", "refuse")]).await;
    let caller = system.caller("acme").await;
    let german = caller.upload(GERMAN).await;
    let english = caller.upload(&LETTER.repeat(3)).await;
    let failed = caller.until(&german, "failed").await;
    assert_eq!(failed["error"]["kind"], "other_language");
    let detail = failed["error"]["detail"].as_str().unwrap();
    for part in ["de", "ner-legal@", "en", "DOCKET_OTHER_LANGUAGE"] {
        assert!(detail.contains(part), "{part} is in {detail}");
    }
    assert_eq!(failed["attempts"], 1, "{failed}");
    caller.until(&english, "succeeded").await;
}
