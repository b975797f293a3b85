//! A shard or the bucket is lost, and restored to an earlier point than the rest.

use std::time::Duration;

use docket_e2e::own_shard::OwnShard;
use docket_e2e::system::System;
use docket_testing::World;

use crate::LETTER;

/// Longest wait for something that happens soon.
const SOON: Duration = Duration::from_secs(60);

/// A system whose first shard can be lost.
async fn start(shard: &OwnShard) -> System {
    let mut world = World::start().await;
    world.shards[0].1 = shard.url();
    System::migrated_on(world).await
}

#[tokio::test]
async fn a_restored_shard_has_what_was_accepted_before_the_backup_and_the_rest_is_named() {
    let mut shard = OwnShard::start().await;
    let system = start(&shard).await;
    let (name, neighbour) = (system.client_of("s1").await, system.client_of("s2").await);
    let (caller, other) = (system.caller(&name).await, system.caller(&neighbour).await);
    let mut worker = system.worker().await;
    let ended = caller.upload(LETTER).await;
    let before = caller.checked_entities(&ended).await;
    worker.terminate().await;
    let open = [caller.upload(LETTER).await, caller.upload(LETTER).await];

    shard.back_up().await;

    let mut worker = system.worker().await;
    let late = caller.upload_with("external_id=matter-7", LETTER).await;
    for accepted in open.iter().chain([&late]) {
        caller.until(accepted, "succeeded").await;
    }
    worker.terminate().await;
    let unread = caller.upload(LETTER).await;
    caller.until(&unread, "queued").await;

    shard.lose().await;
    assert_eq!(caller.try_upload(LETTER).await, 503);
    let elsewhere = other.upload(LETTER).await;
    shard.restore().await;
    caller.until_answered().await;
    let _worker = system.worker().await;
    system.operator(&["dispatch", "requeue"]).await;

    // Documents accepted before the backup are there, and those unfinished then are analysed again. The other shard noticed
    // nothing.
    assert_eq!(caller.entities(&ended).await, before);
    for accepted in &open {
        caller.checked_entities(accepted).await;
    }
    other.checked_entities(&elsewhere).await;
    // Documents accepted later are forgotten: their messages are dropped, and callers and operator are told.
    for lost in [&late, &unread] {
        assert_eq!(caller.get(&format!("/v1/documents/{}", lost.document)).await.0, 404);
    }
    let told = until_told(&system, "2 documents are forgotten").await;
    for words in [
        &name,
        "matter-7",
        &late.document,
        &unread.document,
        "0 documents have lost their object",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(told.starts_with("s1 knows nothing of "), "{told}");
    assert!(
        !told.contains(&ended.document) && !told.contains(&open[0].document),
        "{told}"
    );
    let other_shard = system.operator(&["restore", "check", "--shard", "s2"]).await;
    assert!(other_shard.starts_with("0 documents are forgotten"), "{other_shard}");
    until_empty(&system).await;

    assert_eq!(
        system.operator(&["restore", "settle", "--shard", "s1"]).await,
        "1 gaps settled on s1"
    );
    let told = until_told(&system, "0 documents are forgotten").await;
    assert!(told.contains("2 other objects have no row"), "{told}");
}

#[tokio::test]
async fn a_document_whose_object_is_gone_is_named_and_fails_for_it() {
    let system = System::start().await;
    let name = system.client_of("s1").await;
    let caller = system.caller(&name).await;
    let (gone, there) = (
        caller.upload_with("external_id=matter-8", LETTER).await,
        caller.upload(LETTER).await,
    );
    let objects = system.world.s3_client();
    let listed = objects
        .list_objects_v2()
        .bucket(&system.world.bucket)
        .prefix("documents/")
        .send()
        .await
        .unwrap();
    let keys: Vec<&str> = listed.contents().iter().filter_map(|object| object.key()).collect();
    let key = keys
        .iter()
        .find(|key| key.ends_with(&gone.document))
        .expect("its object is there");
    objects
        .delete_object()
        .bucket(&system.world.bucket)
        .key(*key)
        .send()
        .await
        .unwrap();
    let told = system.operator(&["restore", "check", "--shard", "s1"]).await;
    eprintln!("{told}");
    assert!(told.contains("1 documents have lost their object"));
    for words in [&name, "matter-8", &gone.document] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(!told.contains(&there.document), "{told}");
    let _worker = system.worker().await;
    let failed = caller.until(&gone, "failed").await;
    assert_eq!(failed["error"]["kind"], "document_missing", "{failed}");
    caller.checked_entities(&there).await;
}

/// Waits until the comparison says these words; returns it.
async fn until_told(system: &System, words: &str) -> String {
    let mut told = String::new();
    let asking = async {
        while !told.contains(words) {
            told = system.operator(&["restore", "check", "--shard", "s1"]).await;
        }
    };
    let found = tokio::time::timeout(SOON, asking).await;
    eprintln!("{told}");
    assert!(found.is_ok(), "{words} is not told");
    told
}

/// Waits until no message is left in the queues.
async fn until_empty(system: &System) {
    let empty = async {
        loop {
            let depth = system
                .world
                .queue_depth("docket.jobs.ner-legal")
                .await
                .expect("the queue is there");
            if depth.ready + depth.unacknowledged == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    assert!(
        tokio::time::timeout(SOON, empty).await.is_ok(),
        "messages of forgotten jobs are left"
    );
}
