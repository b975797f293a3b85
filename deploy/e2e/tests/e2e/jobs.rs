//! A document from upload to result, and messages that are malformed.

use std::io;
use std::sync::Arc;

use docket_contract::ids::{JobId, JobKey};
use docket_contract::job::{AnalyzeDocument, JobMessage};
use docket_contract::sharding;
use docket_e2e::system::System;
use docket_process::settings::Env;
use docket_queue::QueueConfig;
use docket_queue::publish::Publisher;
use futures::{StreamExt as _, stream};
use sqlx::{Connection, PgConnection};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::{LETTER, NO_TEXT};

#[tokio::test]
async fn a_document_goes_all_the_way_to_its_entities() {
    let system = System::start().await;
    let worker = system.worker().await;
    let caller = system.caller("acme").await;
    let accepted = caller.upload(LETTER).await;
    let entities = caller.checked_entities(&accepted).await;
    let found: Vec<(&str, &str)> = entities
        .iter()
        .map(|e| (e["label"].as_str().unwrap(), e["text"].as_str().unwrap()))
        .collect();
    for expected in [
        ("DATE", "January 5, 2024"),
        ("PERSON", "Maria Gonzalez"),
        ("MONEY", "$1,250,000"),
    ] {
        assert!(found.contains(&expected), "{expected:?} is not in {found:?}");
    }
    let job = caller.job(&accepted).await;
    assert_eq!(job["attempts"], 1);
    assert!(job["model"].as_str().unwrap().starts_with("ner-legal@"), "{job}");
    assert_eq!(caller.text(&accepted).await, LETTER);
    assert!(
        worker
            .metrics()
            .await
            .contains("docket_jobs_total{outcome=\"succeeded\"} 1")
    );
}

/// Uploads that lack only their last chunk: more than memory could hold if each were held whole.
#[tokio::test]
async fn slow_uploads_hold_little_memory() {
    const UPLOADS: usize = 64;
    const MIB: u64 = 1024 * 1024;
    let system = System::start().await;
    let caller = Arc::new(system.caller("acme").await);
    let before = system.producer.memory_bytes();
    let (all_came, may_end) = (Arc::new(Barrier::new(UPLOADS + 1)), Arc::new(Barrier::new(UPLOADS + 1)));
    let mut uploads = JoinSet::new();
    for _ in 0..UPLOADS {
        let (caller, all_came, may_end) = (caller.clone(), all_came.clone(), may_end.clone());
        let chunks = stream::iter(0..7).map(|_| Ok::<_, io::Error>(vec![b'a'; MIB as usize]));
        let last = stream::once(async move {
            all_came.wait().await;
            may_end.wait().await;
            Ok(b" end".to_vec())
        });
        uploads.spawn(async move {
            let body = reqwest::Body::wrap_stream(chunks.chain(last));
            caller.post(body).await.status()
        });
    }
    all_came.wait().await;
    let held = system.producer.memory_bytes().saturating_sub(before);
    may_end.wait().await;
    while let Some(status) = uploads.join_next().await {
        assert_eq!(status.unwrap(), 202);
    }
    // Two buffers of 256 KiB per upload, those of the connections, and 30 MiB for any first uploads. Held whole, the uploads are
    // 448 MiB.
    assert!(held < 128 * MIB, "{held} bytes for {UPLOADS} uploads");
}

#[tokio::test]
async fn a_duplicate_of_a_message_gives_no_second_result() {
    let system = System::start().await;
    let _worker = system.worker().await;
    let caller = system.caller("acme").await;
    let accepted = caller.upload(LETTER).await;
    let entities = caller.checked_entities(&accepted).await;
    let publisher = publisher(&system);
    let message = message("acme", &accepted.job);
    for result in publisher.jobs(&[message.clone(), message]).await {
        result.unwrap();
    }
    // The queue keeps its order: the next document is done after both copies.
    let next = caller.upload(LETTER).await;
    caller.until(&next, "succeeded").await;
    assert_eq!(caller.entities(&accepted).await, entities);
    assert_eq!(caller.job(&accepted).await["attempts"], 1);
}

#[tokio::test]
async fn broken_messages_are_parked_and_their_neighbours_untouched() {
    let system = System::start().await;
    let caller = system.caller("acme").await;
    let publisher = publisher(&system);
    let stranger = JobId::generate().to_string();
    publisher
        .jobs(&[message("acme", &stranger)])
        .await
        .pop()
        .unwrap()
        .unwrap();
    publish_raw(&system, "not a job at all").await;
    let _worker = system.worker().await;
    let accepted = caller.upload(LETTER).await;
    caller.until(&accepted, "succeeded").await;
    let mut catalog = PgConnection::connect(&system.world.catalog_url).await.unwrap();
    let parked = async {
        loop {
            let rows: Vec<(Vec<u8>, String)> = sqlx::query_as("select body, reason from parked_messages")
                .fetch_all(&mut catalog)
                .await
                .unwrap();
            if !rows.is_empty() {
                return rows;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    let parked = tokio::time::timeout(std::time::Duration::from_secs(30), parked)
        .await
        .expect("it is parked");
    assert_eq!(
        parked.len(),
        1,
        "a message whose job ended or never was is just done with"
    );
    assert_eq!(parked[0].0, b"not a job at all");
    assert!(parked[0].1.contains("not a job"), "{}", parked[0].1);
}

#[tokio::test]
async fn a_missing_object_and_a_wrong_encoding_fail_with_their_reasons() {
    let system = System::start().await;
    let caller = system.caller("acme").await;
    let missing = caller.upload("Its object will be gone.").await;
    let mut shard = system.shard_of(&missing).await;
    let key: String = sqlx::query_scalar("select blob_key from documents limit 1")
        .fetch_one(&mut shard)
        .await
        .unwrap();
    system
        .world
        .s3_client()
        .delete_object()
        .bucket(&system.world.bucket)
        .key(&key)
        .send()
        .await
        .unwrap();
    let garbled = caller.upload("Its object will be something else.").await;
    let key: String = sqlx::query_scalar("select blob_key from documents where blob_key <> $1")
        .bind(&key)
        .fetch_one(&mut shard)
        .await
        .unwrap();
    let object = system
        .world
        .s3_client()
        .put_object()
        .bucket(&system.world.bucket)
        .key(&key);
    object.body(NO_TEXT.to_vec().into()).send().await.unwrap();
    let good = caller.upload(LETTER).await;
    let _worker = system.worker().await;
    for (job, kind) in [(&missing, "document_missing"), (&garbled, "unreadable_document")] {
        let job = caller.until(job, "failed").await;
        assert_eq!(
            (&job["error"]["kind"], &job["attempts"]),
            (&kind.into(), &1.into()),
            "{job}"
        );
    }
    caller.checked_entities(&good).await;
}

#[tokio::test]
async fn offsets_hold_over_any_script() {
    let system = System::start().await;
    let _worker = system.worker().await;
    let caller = system.caller("acme").await;
    let text = format!(
        "𝔄greement — Straße\u{301} 5, Zürich 🏛️\r\nدر تهران، 株式会社トヨタ signed.\u{c}{LETTER}\u{c}\tJosé Müller\u{308}-O’Brien paid €5.000.\u{0}"
    );
    let accepted = caller.upload(&text).await;
    let entities = caller.checked_entities(&accepted).await;
    let date = entities
        .iter()
        .find(|entity| entity["text"] == "January 5, 2024")
        .expect("the date is found");
    assert_eq!(date["page"], 2, "form feeds separate pages");
}

fn publisher(system: &System) -> Publisher {
    let env = Env::from_map(system.world.env());
    Publisher::new(QueueConfig::from_env(&env).unwrap(), "test")
}

fn message(client: &str, job: &str) -> AnalyzeDocument {
    let client = client.parse().unwrap();
    let message = AnalyzeDocument {
        bucket: sharding::bucket_of(&client).number(),
        job_id: JobId(job.parse().unwrap()),
        client_id: client,
        model: "ner-legal".parse().unwrap(),
        trace_parent: None,
    };
    let (key, _) = JobMessage::decode(&JobMessage::V1(message.clone()).encode()).unwrap();
    assert_eq!(
        key,
        JobKey {
            bucket: key.bucket,
            job: message.job_id
        }
    );
    message
}

/// Publishes a body through the management API, unchecked.
async fn publish_raw(system: &System, body: &str) {
    let management = system.world.management();
    management
        .publish(&system.world.vhost, "docket.jobs", "ner-legal", body)
        .await
        .expect("it is routed");
}
