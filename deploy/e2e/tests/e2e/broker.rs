//! A broker that is down, restarted and wiped.

use std::time::Duration;

use docket_contract::ids::ClientId;
use docket_contract::job::JobMessage;
use docket_contract::sharding;
use docket_e2e::system::System;
use docket_store::Shards;
use docket_store::operate::parked;
use docket_testing::{PrivateBroker, job_message};

use crate::{LETTER, long_text};

#[tokio::test]
async fn uploads_are_accepted_without_a_broker_and_done_when_it_is_back() {
    let broker = PrivateBroker::start().await;
    let mut system = System::start_with(&broker).await;
    let _worker = system.worker().await;
    broker.stop().await;
    let caller = system.caller("acme").await;
    let mut accepted = vec![];
    for _ in 0..5 {
        accepted.push(caller.upload(LETTER).await);
    }
    // A producer starts and accepts uploads even without a broker.
    system.restart_producer().await;
    let caller = system.caller("acme").await;
    accepted.push(caller.upload(LETTER).await);
    assert_eq!(caller.job(&accepted[0]).await["state"], "waiting");
    broker.up().await;
    for accepted in &accepted {
        caller.checked_entities(accepted).await;
        assert_eq!(caller.job(accepted).await["attempts"], 1);
    }
}

#[tokio::test]
async fn a_broker_restart_takes_no_healthy_job_away() {
    let broker = PrivateBroker::start().await;
    let system = System::start_with(&broker).await;
    let caller = system.caller("acme").await;
    let (_first, _second) = (system.worker().await, system.worker().await);
    let accepted = caller.upload(&long_text(12)).await;
    caller.until(&accepted, "running").await;
    broker.kill9().await;
    broker.up().await;
    // The message is delivered again, to any worker, while the job runs on.
    caller.checked_entities(&accepted).await;
    let job = caller.job(&accepted).await;
    assert_eq!(job["attempts"], 1, "a running job was taken away: {job}");
}

#[tokio::test]
async fn a_wiped_broker_loses_no_job() {
    let broker = PrivateBroker::start().await;
    let system = System::start_with(&broker).await;
    let caller = system.caller("acme").await;
    let mut accepted = vec![];
    for _ in 0..30 {
        accepted.push(caller.upload(LETTER).await);
    }
    for accepted in &accepted[..4] {
        caller.until(accepted, "queued").await;
    }
    broker.wipe().await;
    broker.up().await;
    system.operator(&["dispatch", "requeue"]).await;
    let _worker = system.worker().await;
    for accepted in &accepted {
        let job = caller.until(accepted, "succeeded").await;
        assert_eq!(job["attempts"], 1);
    }
}

/// Waits until so many messages are parked.
async fn until_parked(shards: &Shards, messages: i64) {
    let parked = async {
        while parked::count(shards.catalog()).await.unwrap() != messages {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let parked = tokio::time::timeout(Duration::from_secs(60), parked).await;
    assert!(parked.is_ok(), "not {messages} messages are parked");
}

#[tokio::test]
async fn a_dead_message_waits_for_its_shard_and_holds_up_no_other() {
    let system = System::start().await;
    let shards = system.shards().await;
    let client: ClientId = system.client_of("s1").await.parse().unwrap();
    let mut message = job_message("ner-legal".parse().unwrap());
    message.bucket = sharding::bucket_of(&client).number();
    message.client_id = client;
    let of_a_lost_job = String::from_utf8(JobMessage::V1(message).encode()).unwrap();
    let send = async |body: &str| {
        let broker = system.world.management();
        let sent = broker
            .publish(&system.world.vhost, "amq.default", "docket.dead", body)
            .await;
        sent.unwrap();
    };
    system.world.shard_down("s1").await;
    send(&of_a_lost_job).await;
    send("no job at all").await;
    until_parked(&shards, 1).await;
    let waits = async {
        while !system.producer.log().contains("a dead message waits for its database") {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let waits = tokio::time::timeout(Duration::from_secs(60), waits).await;
    assert!(waits.is_ok(), "{}", system.producer.log());
    system.world.shard_up("s1").await;
    until_parked(&shards, 2).await;
}
