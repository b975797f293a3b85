//! What a shard has that has not ended, and how much of it can be done now.

use std::collections::HashMap;

use docket_contract::ids::{ClientId, JobKey};
use docket_contract::sharding;
use docket_store::operate::controls::{self, Change};
use docket_store::work::backlog::{self, Backlog, Pace};

use crate::fixture::{Fixture, direct_and_pooled, granted, model};

direct_and_pooled!(
    work_is_what_can_be_done_now,
    a_document_counts_at_most_what_one_worker_gets_and_never_nothing,
    the_last_count_of_a_shard_holds_until_the_next_one,
);

/// The documents of the fixture have 3,000 bytes: 2 s each.
fn pace() -> Pace {
    Pace {
        bytes_per_second: HashMap::from([(model().to_string(), 1_500.0)]),
        otherwise: 1.0,
        document_seconds: 0.01..=10.0,
    }
}

/// Two clients of one shard.
fn neighbours(fixture: &Fixture) -> (String, String) {
    let owner = |client: &str| {
        let client: ClientId = client.parse().unwrap();
        fixture.shards.owner(sharding::bucket_of(&client))
    };
    let mut names = (0..).map(|number| format!("neighbour-{number}"));
    let second = names.find(|name| owner(name) == owner("acme")).unwrap();
    ("acme".to_owned(), second)
}

async fn count(fixture: &Fixture, key: JobKey, pace: &Pace) -> Backlog {
    let counted = backlog::count(fixture.shard_of(key), pace).await.unwrap();
    assert_eq!(counted.len(), 1, "{counted:?}");
    counted.into_iter().next().unwrap()
}

async fn work_is_what_can_be_done_now(fixture: Fixture) {
    let (acme, other) = neighbours(&fixture);
    let mut keys = Vec::new();
    for _ in 0..4 {
        keys.push(fixture.accept(&acme).await.0);
    }
    fixture.accept(&other).await;
    let key = keys[0];
    let work = async || count(&fixture, key, &pace()).await.work_seconds;
    assert_eq!(work().await, 10.0);
    // What runs is work, too: it must not seem that nobody is needed.
    granted(fixture.claim(key, "w1").await);
    assert_eq!(work().await, 10.0);
    // What is put off is not.
    fixture.age(keys[1], -60).await;
    assert_eq!(work().await, 8.0);
    // What is paused is not, unless it runs already.
    let change = |paused, most| Change {
        paused: Some(paused),
        in_flight_max: Some(most),
        ..Change::default()
    };
    let decide = async |change| {
        let client = acme.parse().unwrap();
        controls::set_client(&fixture.shards, &client, change).await.unwrap();
    };
    decide(change(true, 0)).await;
    assert_eq!(work().await, 4.0);
    decide(change(false, 0)).await;
    controls::set_model(fixture.shard_of(key), &model(), true)
        .await
        .unwrap();
    assert_eq!(work().await, 2.0);
    controls::set_model(fixture.shard_of(key), &model(), false)
        .await
        .unwrap();
    // A client that may have one job in flight keeps one worker busy, whatever it has waiting.
    for _ in 0..9 {
        fixture.accept(&acme).await;
    }
    assert_eq!(work().await, 26.0);
    decide(change(false, 1)).await;
    assert_eq!(work().await, 12.0);
    let counted = count(&fixture, key, &pace()).await;
    assert_eq!((counted.jobs, counted.bytes), (14, 42_000), "all of it is the backlog");
}

async fn a_document_counts_at_most_what_one_worker_gets_and_never_nothing(fixture: Fixture) {
    let (key, _) = fixture.accept("acme").await;
    let at = |bytes_per_second| Pace {
        bytes_per_second: HashMap::from([(model().to_string(), bytes_per_second)]),
        ..pace()
    };
    assert_eq!(count(&fixture, key, &at(1.0)).await.work_seconds, 10.0);
    assert_eq!(count(&fixture, key, &at(1e9)).await.work_seconds, 0.01);
    let unknown = Pace {
        bytes_per_second: HashMap::new(),
        otherwise: 1_000.0,
        ..pace()
    };
    assert_eq!(count(&fixture, key, &unknown).await.work_seconds, 3.0);
}

async fn the_last_count_of_a_shard_holds_until_the_next_one(fixture: Fixture) {
    let (key, _) = fixture.accept("acme").await;
    let of_shard = async || {
        let mut tx = fixture.shards.begin(key.bucket).await.unwrap();
        backlog::of_shard(&mut tx).await.unwrap().jobs
    };
    assert_eq!(of_shard().await, 0, "nobody counted");
    count(&fixture, key, &pace()).await;
    let age = "update backlogs set counted_at = now() - interval '1 day'";
    sqlx::query(age)
        .execute(&mut fixture.raw(key.bucket).await)
        .await
        .unwrap();
    assert_eq!(of_shard().await, 1);
    fixture.forget(key).await;
    assert!(backlog::count(fixture.shard_of(key), &pace()).await.unwrap().is_empty());
    assert_eq!(of_shard().await, 0);
}
