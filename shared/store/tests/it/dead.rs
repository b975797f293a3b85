//! Failed and expired jobs as operators see them: listed by what they are, redriven each at its turn, purged from the lists
//! and from nothing else; and what operators did, written down.

use std::time::Duration;

use docket_contract::ids::{JobId, JobKey};
use docket_contract::state::JobState;
use docket_store::operate::dead::{self, Filter};
use docket_store::operate::{audit, parked};
use docket_store::work::results::{self, Failure};
use docket_store::work::sweep;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use uuid::Uuid;

use crate::fence::{client_of, hand_over};
use crate::fixture::{Fixture, direct_and_pooled, granted};

direct_and_pooled!(
    dead_jobs_are_listed_by_what_they_are,
    a_page_goes_on_at_its_cursor,
    rows_of_a_bucket_that_moved_away_are_never_shown,
    redriven_jobs_wait_each_until_its_turn,
    a_purged_job_is_gone_for_operators_only,
    parked_messages_are_listed_shown_and_deleted,
    an_action_is_written_before_and_after_it,
);

async fn failed(fixture: &Fixture, client: &str, kind: &'static str) -> JobKey {
    let (key, _) = fixture.accept(client).await;
    let claim = granted(fixture.claim(key, "w1").await);
    let failure = Failure {
        kind,
        detail: "it cannot be read".into(),
    };
    assert!(results::save_failure(&fixture.shards, &claim, &failure).await.unwrap());
    key
}

async fn expired(fixture: &Fixture, client: &str) -> JobKey {
    let (key, _) = fixture.accept(client).await;
    fixture.set_deadline_passed(key).await;
    assert_eq!(sweep::late(fixture.shard_of(key)).await.unwrap(), 1);
    key
}

/// Dead jobs of the shard of `near` that match, newest first.
async fn listed(fixture: &Fixture, near: JobKey, filter: &Filter) -> Vec<JobKey> {
    let found = dead::list(fixture.shard_of(near), filter, None, 100).await.unwrap();
    found.into_iter().map(|job| job.key).collect()
}

async fn dead_jobs_are_listed_by_what_they_are(fixture: Fixture) {
    let shard_of_acme = fixture
        .shards
        .owner(docket_contract::sharding::bucket_of(&"acme".parse().unwrap()));
    let (neighbour, _) = client_of(&fixture, shard_of_acme.as_str());
    let unreadable = failed(&fixture, "acme", "unreadable_document").await;
    let late = expired(&fixture, "acme").await;
    let poison = failed(&fixture, neighbour.as_str(), "poison").await;
    let (waiting, _) = fixture.accept("acme").await;
    let all = Filter::default();
    assert_eq!(listed(&fixture, waiting, &all).await, [poison, late, unreadable]);
    let (now, hour) = (Timestamp::now(), SignedDuration::from_hours(1));
    let (earlier, later) = (
        Some(now.checked_sub(hour).unwrap()),
        Some(now.checked_add(hour).unwrap()),
    );
    let of = |change: fn(&mut Filter)| {
        let mut filter = Filter::default();
        change(&mut filter);
        filter
    };
    let by_time = |ended_before, ended_after| Filter {
        ended_before,
        ended_after,
        ..Filter::default()
    };
    for (filter, expected) in [
        (of(|f| f.client = Some("acme".parse().unwrap())), vec![late, unreadable]),
        (of(|f| f.client = Some("nobody".parse().unwrap())), vec![]),
        (of(|f| f.state = Some(JobState::Expired)), vec![late]),
        (of(|f| f.state = Some(JobState::Failed)), vec![poison, unreadable]),
        (of(|f| f.reason = Some("poison".into())), vec![poison]),
        (
            of(|f| f.model = Some("ner-legal".parse().unwrap())),
            vec![poison, late, unreadable],
        ),
        (of(|f| f.model = Some("other".parse().unwrap())), vec![]),
        (by_time(later, earlier), vec![poison, late, unreadable]),
        (by_time(earlier, None), vec![]),
        (by_time(None, later), vec![]),
    ] {
        assert_eq!(listed(&fixture, waiting, &filter).await, expected, "{filter:?}");
        let mut oldest = dead::oldest(fixture.shard_of(waiting), &filter, None, 100)
            .await
            .unwrap();
        oldest.reverse();
        assert_eq!(oldest, expected, "{filter:?}, oldest first");
    }
    let (found, history) = dead::find(fixture.shard_of(waiting), unreadable.job)
        .await
        .unwrap()
        .expect("it is dead");
    assert_eq!((found.client.as_str(), found.attempts), ("acme", 1));
    assert_eq!(
        found.error,
        Some(("unreadable_document".into(), "it cannot be read".into()))
    );
    assert_eq!(history.as_array().unwrap().last().unwrap()["event"], "failed");
    let found = dead::find(fixture.shard_of(waiting), waiting.job).await.unwrap();
    assert!(found.is_none(), "a live job is not dead");
}

async fn a_page_goes_on_at_its_cursor(fixture: Fixture) {
    let mut keys = Vec::new();
    for _ in 0..5 {
        keys.push(failed(&fixture, "acme", "poison").await);
    }
    let (shard, all) = (fixture.shard_of(keys[0]), Filter::default());
    let (mut newest_first, mut before) = (Vec::new(), None);
    loop {
        let page = dead::list(shard, &all, before, 2).await.unwrap();
        before = page.last().map(|job| job.key.job);
        newest_first.extend(page.into_iter().map(|job| job.key));
        if newest_first.len() >= keys.len() {
            break;
        }
    }
    newest_first.reverse();
    assert_eq!(newest_first, keys);
    let rest = dead::oldest(shard, &all, Some(keys[2].job), 10).await.unwrap();
    assert_eq!(rest, keys[3..]);
}

async fn rows_of_a_bucket_that_moved_away_are_never_shown(fixture: Fixture) {
    let (client, bucket) = client_of(&fixture, "s1");
    let key = failed(&fixture, client.as_str(), "poison").await;
    let shard = fixture.shard_of(key).clone();
    hand_over(&fixture, bucket, "s2").await;
    let all = Filter::default();
    assert!(dead::list(&shard, &all, None, 10).await.unwrap().is_empty());
    assert!(dead::oldest(&shard, &all, None, 10).await.unwrap().is_empty());
    assert!(dead::locate(&shard, &[key.job]).await.unwrap().is_empty());
    assert!(dead::find(&shard, key.job).await.unwrap().is_none());
    assert!(
        dead::redrive(&shard, &[(key, Duration::ZERO)], "test")
            .await
            .unwrap()
            .is_empty()
    );
    assert!(dead::purge(&shard, &[key]).await.unwrap().is_empty());
}

async fn redriven_jobs_wait_each_until_its_turn(fixture: Fixture) {
    let mut keys = Vec::new();
    for _ in 0..3 {
        keys.push(failed(&fixture, "acme", "poison").await);
    }
    let shard = fixture.shard_of(keys[0]);
    let (waiting, _) = fixture.accept("acme").await;
    let turns = [
        (keys[2], Duration::ZERO),
        (waiting, Duration::ZERO),
        (keys[0], Duration::from_secs(60)),
    ];
    let mut redriven = dead::redrive(shard, &turns, "test").await.unwrap();
    redriven.sort_unstable();
    assert_eq!(redriven, [keys[0].job, keys[2].job], "a job that waits is left out");
    let due = async |key| fixture.job(key, "acme").await.due_at.expect("it waits");
    let apart = due(keys[0]).await.duration_since(due(keys[2]).await);
    assert_eq!(apart, SignedDuration::from_secs(60));
    let found = dead::locate(shard, &[keys[0].job, keys[1].job, JobId::generate()])
        .await
        .unwrap();
    assert_eq!(found, [keys[1]]);
    assert_eq!(listed(&fixture, waiting, &Filter::default()).await, [keys[1]]);
}

async fn a_purged_job_is_gone_for_operators_only(fixture: Fixture) {
    let key = failed(&fixture, "acme", "poison").await;
    let (waiting, _) = fixture.accept("acme").await;
    let shard = fixture.shard_of(key);
    let before = fixture.job(key, "acme").await;
    assert_eq!(dead::purge(shard, &[key, waiting]).await.unwrap(), [key.job]);
    assert!(
        dead::purge(shard, &[key]).await.unwrap().is_empty(),
        "it is purged once"
    );
    assert!(listed(&fixture, key, &Filter::default()).await.is_empty());
    assert!(dead::find(shard, key.job).await.unwrap().is_none());
    let after = fixture.job(key, "acme").await;
    assert_eq!(after.state, JobState::Failed);
    assert_eq!((after.error, after.history), (before.error, before.history));
    assert_eq!(fixture.job(waiting, "acme").await.state, JobState::Waiting);
}

async fn parked_messages_are_listed_shown_and_deleted(fixture: Fixture) {
    let catalog = fixture.shards.catalog();
    let large = vec![b'x'; parked::BODY_BYTES_MAX as usize + 1];
    for body in [b"first".as_slice(), b"second", &large] {
        parked::park(catalog, "docket.dead", body, "no job").await.unwrap();
    }
    let all = parked::Filter::default();
    let page = parked::list(catalog, all, None, 2).await.unwrap();
    let sizes: Vec<i32> = page.iter().map(|message| message.body_bytes).collect();
    assert_eq!(sizes, [parked::BODY_BYTES_MAX + 1, 6], "newest first");
    let rest = parked::list(catalog, all, Some(page[1].id), 2).await.unwrap();
    assert_eq!(rest.len(), 1);
    let (first, body) = parked::find(catalog, rest[0].id).await.unwrap().unwrap();
    assert_eq!(
        (first.queue.as_str(), first.reason.as_str(), body.as_slice()),
        ("docket.dead", "no job", b"first".as_slice())
    );
    let (_, body) = parked::find(catalog, page[0].id).await.unwrap().unwrap();
    assert_eq!(body.len(), parked::BODY_BYTES_MAX as usize, "bounded");
    assert_eq!(
        parked::oldest(catalog, all, None, 10).await.unwrap(),
        [first.id, page[1].id, page[0].id]
    );
    let hour_ago = Timestamp::now().checked_sub(SignedDuration::from_hours(1)).unwrap();
    let older = parked::Filter {
        parked_before: Some(hour_ago),
        parked_after: None,
    };
    assert!(parked::list(catalog, older, None, 10).await.unwrap().is_empty());
    let purged = parked::purge(catalog, &[first.id, Uuid::nil()]).await.unwrap();
    assert_eq!(purged, [first.id]);
    assert!(parked::find(catalog, first.id).await.unwrap().is_none());
    assert_eq!(parked::count(catalog).await.unwrap(), 2);
}

async fn an_action_is_written_before_and_after_it(fixture: Fixture) {
    let catalog = fixture.shards.catalog();
    let target = json!({"model": "ner-legal"});
    let first = audit::begin(catalog, "ada@host", "model.pause", &target).await.unwrap();
    let second = audit::begin(catalog, "ada@host", "model.resume", &target)
        .await
        .unwrap();
    audit::finish(catalog, first, &json!({"told": 2})).await.unwrap();
    let entries = audit::list(catalog, None, 10).await.unwrap();
    let ids: Vec<Uuid> = entries.iter().map(|entry| entry.id).collect();
    assert_eq!(ids, [second, first], "newest first");
    assert_eq!(
        (&entries[0].outcome, &entries[1].outcome),
        (&None, &Some(json!({"told": 2})))
    );
    assert_eq!(
        (
            entries[1].actor.as_str(),
            entries[1].action.as_str(),
            &entries[1].target
        ),
        ("ada@host", "model.pause", &target)
    );
    assert_eq!(audit::list(catalog, Some(second), 10).await.unwrap().len(), 1);
}
