//! An operator turns a failed job into a succeeded one with the producer's commands.

use docket_e2e::system::System;
use docket_store::operate::parked;
use serde_json::{Value, json};

use crate::{LETTER, NO_TEXT};

/// The JSON that a command prints.
async fn json(system: &System, arguments: &[&str]) -> Value {
    serde_json::from_str(&system.operator(arguments).await).unwrap()
}

/// Ids of the dead jobs that match the filters, newest first.
async fn listed(system: &System, filters: &[&str]) -> Vec<String> {
    let page = json(system, &[&["dead", "list", "--json"], filters].concat()).await;
    let id = |job: &Value| job["job_id"].as_str().unwrap().to_owned();
    page["jobs"].as_array().unwrap().iter().map(id).collect()
}

#[tokio::test]
async fn failed_work_is_found_tried_again_and_put_away() {
    let system = System::start().await;
    let _worker = system.worker().await;
    let caller = system.caller("acme").await;
    // Declared as text, but not UTF-8.
    let (mut broken, good) = (Vec::new(), caller.upload(LETTER).await);
    for _ in 0..2 {
        broken.push(caller.upload_bytes(NO_TEXT).await);
    }
    for job in &broken {
        caller.until(job, "failed").await;
    }
    caller.until(&good, "succeeded").await;
    let newest_first = [broken[1].job.clone(), broken[0].job.clone()];
    assert_eq!(
        listed(&system, &["--client", "acme", "--newer-than", "1h"]).await,
        newest_first
    );
    assert!(listed(&system, &["--older-than", "1h"]).await.is_empty());
    let table = system
        .operator(&["dead", "list", "--reason", "unreadable_document", "--limit", "1"])
        .await;
    assert!(table.starts_with("job") && table.contains(&broken[1].job), "{table}");
    assert!(
        table.ends_with(&format!("older ones: --before {}", broken[1].job)),
        "{table}"
    );
    let shown = system.operator(&["dead", "show", &broken[0].job]).await;
    assert!(
        shown.contains("unreadable_document") && shown.contains("claimed"),
        "{shown}"
    );

    let redriven = system.operator(&["dead", "redrive", &broken[0].job]).await;
    assert_eq!(redriven, "1 job waits again");
    caller.until_attempt(&broken[0], 2).await;
    caller.until(&broken[0], "failed").await;
    let redriven = system
        .operator(&["dead", "redrive", "--all", "--client", "acme", "--rate", "1"])
        .await;
    assert_eq!(redriven, "2 jobs wait again, the last one due in 1s");
    caller.until_attempt(&broken[1], 2).await;
    for job in &broken {
        caller.until(job, "failed").await;
    }
    assert_eq!(system.operator(&["dead", "purge", "--all"]).await, "2 jobs purged");
    assert!(listed(&system, &[]).await.is_empty());
    assert_eq!(caller.job(&broken[0]).await["state"], "failed");
    let refused = system.refused(&["dead", "redrive", &good.job]).await;
    assert!(
        refused.ends_with("1 job is not failed or expired, or not any more"),
        "{refused}"
    );
    assert!(system.refused(&["dead", "purge"]).await.contains("--all"));
    let audit = json(&system, &["audit", "list", "--json"]).await;
    let actions: Vec<&Value> = audit["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["action"])
        .collect();
    assert_eq!(actions, ["dead.redrive", "dead.purge", "dead.redrive", "dead.redrive"]);
    assert!(audit["entries"][0]["actor"].as_str().unwrap().contains('@'), "{audit}");
}

#[tokio::test]
async fn a_paused_client_waits_and_a_paused_model_too() {
    let system = System::start().await;
    let _worker = system.worker().await;
    let (acme, rival) = (system.caller("acme").await, system.caller("rival").await);
    let first = acme.upload(LETTER).await;
    acme.until(&first, "succeeded").await;
    assert_eq!(
        system.operator(&["pause", "--client", "acme"]).await,
        "client acme is paused"
    );
    let waits = acme.upload(LETTER).await;
    let goes = rival.upload(LETTER).await;
    rival.until(&goes, "succeeded").await;
    assert_eq!(acme.job(&waits).await["state"], "waiting");
    assert_eq!(
        system.operator(&["resume", "--client", "acme"]).await,
        "client acme is resumed"
    );
    acme.until(&waits, "succeeded").await;

    system.world.shard_down("s2").await;
    let refused = system.refused(&["pause", "--model", "ner-legal"]).await;
    assert!(refused.contains("these shards could not be told: s2"), "{refused}");
    system.world.shard_up("s2").await;
    let paused = system.operator(&["pause", "--model", "ner-legal"]).await;
    assert_eq!(paused, "model ner-legal is paused on s1, s2");
    rival.until_answered().await;
    let waits = rival.upload(LETTER).await;
    assert_eq!(rival.job(&waits).await["state"], "waiting");
    system.operator(&["resume", "--model", "ner-legal"]).await;
    rival.until(&waits, "succeeded").await;
}

#[tokio::test]
async fn a_requeue_passes_over_a_shard_that_is_away_and_is_in_the_audit() {
    let system = System::start().await;
    system.world.shard_down("s1").await;
    let refused = system.refused(&["dispatch", "requeue"]).await;
    assert!(refused.contains("these shards could not be told: s1"), "{refused}");
    system.world.shard_up("s1").await;
    let told = system.operator(&["dispatch", "requeue"]).await;
    assert_eq!(told, "s1: 0 jobs wait again\ns2: 0 jobs wait again");
    let audit = json(&system, &["audit", "list", "--json"]).await;
    let newest_first = [json!({"s1": 0, "s2": 0}), json!({"s2": 0})];
    for (place, requeued) in newest_first.iter().enumerate() {
        let entry = &audit["entries"][place];
        assert_eq!(entry["action"], "dispatch.requeue");
        assert_eq!(entry["outcome"]["requeued"], *requeued, "{audit}");
    }
}

#[tokio::test]
async fn a_client_is_weighed_and_a_parked_message_put_away() {
    let system = System::start().await;
    let set = system
        .operator(&[
            "clients",
            "set",
            "acme",
            "--new",
            "--weight",
            "2.5",
            "--in-flight-max",
            "7",
        ])
        .await;
    assert_eq!(set, system.operator(&["clients", "show", "acme"]).await);
    let controls = json(&system, &["clients", "show", "acme", "--json"]).await;
    assert_eq!(
        (&controls["weight"], &controls["in_flight_max"]),
        (&2.5.into(), &7.into())
    );
    assert!(
        system
            .refused(&["clients", "set", "acme", "--weight", "0"])
            .await
            .contains("0.01 to 100")
    );
    let shards = system.shards().await;
    parked::park(shards.catalog(), "docket.dead", b"no\x1b[2Jjob", "test")
        .await
        .unwrap();
    let page = json(&system, &["parked", "list", "--json"]).await;
    let id = page["messages"][0]["message_id"].as_str().unwrap();
    let shown = system.operator(&["parked", "show", id]).await;
    assert!(
        shown.contains("no\\u{1b}[2Jjob"),
        "nothing steers the terminal: {shown}"
    );
    let refused = system.refused(&["parked", "redrive", "--all"]).await;
    assert!(refused.ends_with("1 message left as it was"), "{refused}");
    assert_eq!(system.operator(&["parked", "purge", id]).await, "1 message purged");
    system.world.shard_down("catalog").await;
    let refused = system.refused(&["dead", "redrive", "--all"]).await;
    assert_eq!(refused.lines().count(), 1, "{refused}");
    assert!(
        refused.starts_with("docket-producer: catalog does not answer"),
        "{refused}"
    );
    system.world.shard_up("catalog").await;
}
