//! What the metrics are told of open work.

use std::time::Duration;

use docket_contract::ids::JobKey;
use docket_store::Database;
use docket_store::operate::open_work::{self, OpenWork};
use docket_store::work::dispatch;
use docket_store::work::jobs::HandOver;

use crate::fixture::{Fixture, direct_and_pooled, granted, model};

direct_and_pooled!(
    work_is_counted_where_it_stands_and_paused_work_does_not_age,
    a_claim_says_how_long_its_caller_waits,
);

async fn work_is_counted_where_it_stands_and_paused_work_does_not_age(fixture: Fixture) {
    let mut accepted = Vec::new();
    for _ in 0..6 {
        accepted.push(fixture.accept("acme").await.0);
    }
    let shard = fixture.shard_of(accepted[0]);
    assert_eq!(
        of_model(shard).await,
        OpenWork {
            model: model().to_string(),
            ..OpenWork::default()
        }
    );
    update(
        &fixture,
        shard,
        accepted[0],
        "state = 'queued', published_at = now() - interval '1 min'",
    )
    .await;
    update(&fixture, shard, accepted[1], "state = 'queued', published_at = now()").await;
    update(&fixture, shard, accepted[2], "state = 'running'").await;
    update(&fixture, shard, accepted[3], "due_at = now() - interval '5 min'").await;
    update(
        &fixture,
        shard,
        accepted[4],
        "due_at = now() - interval '10 min', priority = 'bulk'",
    )
    .await;
    update(
        &fixture,
        shard,
        accepted[5],
        "due_at = now() - interval '1 h', client_id = 'paused'",
    )
    .await;
    sqlx::query("insert into client_controls (bucket, client_id, paused) values ($1, 'paused', true)")
        .bind(accepted[5].bucket.number())
        .execute(&mut fixture.raw_shard(shard.name()).await)
        .await
        .unwrap();
    let found = of_model(shard).await;
    assert_eq!((found.queued, found.running), (2, 1));
    let ages = [
        found.oldest_queued_seconds,
        found.oldest_interactive_seconds,
        found.oldest_bulk_seconds,
    ];
    for (age, expected) in ages.into_iter().zip([60.0, 300.0, 600.0]) {
        assert!((expected..expected + 30.0).contains(&age), "{found:?}");
    }
}

async fn a_claim_says_how_long_its_caller_waits(fixture: Fixture) {
    let (key, HandOver::Mine(lease)) = fixture.accept("acme").await else {
        panic!("it is idle")
    };
    let shard = fixture.shard_of(key);
    // It was accepted an hour ago for half an hour later, and its turn came now.
    update(
        &fixture,
        shard,
        key,
        "created_at = now() - interval '60 min', due_at = now() - interval '30 min'",
    )
    .await;
    dispatch::mark_published(shard, &[key], lease).await.unwrap();
    let minutes = |age: Duration| age.as_secs() / 60;
    let claim = granted(fixture.claim(key, "w1").await);
    assert_eq!((minutes(claim.awaited), minutes(claim.due)), (30, 30));
    // Tried again, it is due anew, and its caller has waited for all of it.
    update(
        &fixture,
        shard,
        key,
        "state = 'queued', due_at = now(), claim_token = null",
    )
    .await;
    let claim = granted(fixture.claim(key, "w1").await);
    assert_eq!((minutes(claim.awaited), minutes(claim.due)), (60, 0));
}

async fn of_model(shard: &Database) -> OpenWork {
    let mut found = open_work::of_shard(shard).await.unwrap();
    let only = found.pop().expect("the model has work");
    assert!(
        found.is_empty() && only.model == model().to_string(),
        "{only:?} beside {found:?}"
    );
    OpenWork {
        // What was accepted just now is due.
        oldest_interactive_seconds: if only.oldest_interactive_seconds < 30.0 {
            0.0
        } else {
            only.oldest_interactive_seconds
        },
        ..only
    }
}

async fn update(fixture: &Fixture, shard: &Database, key: JobKey, set: &str) {
    let sql = sqlx::AssertSqlSafe(format!("update dispatch set {set} where job_id = $1"));
    let mut raw = fixture.raw_shard(shard.name()).await;
    let updated = sqlx::query(sql).bind(key.job.0).execute(&mut raw).await.unwrap();
    assert_eq!(updated.rows_affected(), 1);
}
