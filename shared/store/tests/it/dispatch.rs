//! Waiting work: who may publish it, and when.

use std::time::Duration;

use docket_contract::ids::JobKey;
use docket_contract::job::Priority;
use docket_contract::state::JobState;
use docket_store::operate::controls::{self, Change};
use docket_store::operate::{activity, parked};
use docket_store::work::dispatch::InFlight;
use docket_store::work::jobs::{HandOver, NewJob};
use docket_store::work::{dispatch, gaps, lease, sweep};
use sqlx::Connection;
use uuid::Uuid;

use crate::fence::client_of;
use crate::fixture::{Fixture, direct_and_pooled, granted, model};

direct_and_pooled!(
    an_idle_system_hands_over_and_a_busy_one_does_not,
    a_burst_is_handed_over_while_workers_take_what_comes,
    a_client_with_little_in_flight_is_handed_over_beside_a_backlog,
    a_capped_client_is_handed_over_no_more_than_it_may_have,
    a_row_is_leased_once_published_and_marked,
    a_scan_visits_every_client_and_no_backlog,
    what_is_in_flight_is_known_by_priority,
    one_holder_acts_for_a_shard,
    a_time_without_a_dispatcher_is_noted_until_it_is_settled,
    an_operator_requeues_what_a_lost_broker_had,
    workers_and_shards_tell_one_another,
);

async fn an_idle_system_hands_over_and_a_busy_one_does_not(fixture: Fixture) {
    let (first, handover) = fixture.accept("acme").await;
    let HandOver::Mine(token) = handover else {
        panic!("an idle shard must hand over")
    };
    assert!(
        matches!(fixture.accept("acme").await.1, HandOver::Mine(_)),
        "a leased row is not waiting for the dispatcher"
    );
    dispatch::release(fixture.shard_of(first), &[first], token)
        .await
        .unwrap();
    assert_eq!(
        fixture.accept("acme").await.1,
        HandOver::Dispatcher,
        "a due row must not be overtaken"
    );
    let mut tokens = vec![];
    for _ in 0..17 {
        let (key, _) = fixture.accept("acme").await;
        tokens.push(key);
    }
    let shard = fixture.shard_of(first);
    let leased = all_leased(&fixture, &tokens).await;
    for (key, token) in leased {
        dispatch::mark_published(shard, &[key], token).await.unwrap();
    }
    granted(fixture.claim(first, "w1").await);
    assert_eq!(
        fixture.accept("acme").await.1,
        HandOver::Dispatcher,
        "17 are in the broker"
    );
}

async fn a_burst_is_handed_over_while_workers_take_what_comes(fixture: Fixture) {
    let mut published = Vec::new();
    for before in 0..3 {
        let (key, HandOver::Mine(lease)) = fixture.accept("acme").await else {
            panic!("only {before} are in the broker")
        };
        let shard = fixture.shard_of(key);
        dispatch::mark_published(shard, &[key], lease).await.unwrap();
        published.push(key);
    }
    let (fourth, handover) = fixture.accept("acme").await;
    assert_eq!(handover, HandOver::Dispatcher, "nobody has taken the three");
    fixture.forget(fourth).await;
    granted(fixture.claim(published[0], "w1").await);
    assert!(
        matches!(fixture.accept("acme").await.1, HandOver::Mine(_)),
        "a worker takes them"
    );
}

async fn a_client_with_little_in_flight_is_handed_over_beside_a_backlog(fixture: Fixture) {
    let (noisy, handover) = fixture.accept_with("acme", |job| job.hand_over = false).await;
    assert_eq!(handover, HandOver::Dispatcher, "nobody would publish it");
    assert_eq!(fixture.accept("acme").await.1, HandOver::Dispatcher, "it has a due row");
    let owner = fixture.shards.owner(noisy.bucket);
    let (quiet, _) = client_of(&fixture, owner.as_str());
    let quiet = quiet.as_str();
    let bulk = |job: &mut NewJob| job.schedule.priority = Priority::Bulk;
    assert_eq!(fixture.accept_with(quiet, bulk).await.1, HandOver::Dispatcher, "bulk");
    let (first, HandOver::Mine(lease)) = fixture.accept(quiet).await else {
        panic!("it has nothing else")
    };
    let shard = fixture.shard_of(first);
    dispatch::mark_published(shard, &[first], lease).await.unwrap();
    let (second, HandOver::Mine(lease)) = fixture.accept(quiet).await else {
        panic!("it has one in the broker")
    };
    assert!(
        matches!(fixture.accept(quiet).await.1, HandOver::Mine(_)),
        "two are on their way"
    );
    let (fourth, handover) = fixture.accept(quiet).await;
    assert_eq!(handover, HandOver::Dispatcher, "three are on their way");
    fixture.forget(fourth).await;
    fixture.forget(first).await;
    dispatch::release(shard, &[second], lease).await.unwrap();
    assert_eq!(
        fixture.accept(quiet).await.1,
        HandOver::Dispatcher,
        "an earlier one of its own is due"
    );
}

async fn a_capped_client_is_handed_over_no_more_than_it_may_have(fixture: Fixture) {
    let change = Change {
        in_flight_max: Some(1),
        ..Change::default()
    };
    controls::set_client(&fixture.shards, &"acme".parse().unwrap(), change)
        .await
        .unwrap();
    assert!(matches!(fixture.accept("acme").await.1, HandOver::Mine(_)));
    assert_eq!(fixture.accept("acme").await.1, HandOver::Dispatcher, "it may have one");
}

async fn all_leased(fixture: &Fixture, keys: &[JobKey]) -> Vec<(JobKey, Uuid)> {
    let token = Uuid::new_v4();
    let leased = dispatch::lease(fixture.shard_of(keys[0]), keys, token).await.unwrap();
    leased.into_iter().map(|(key, _)| (key, token)).collect()
}

async fn a_row_is_leased_once_published_and_marked(fixture: Fixture) {
    let (key, handover) = fixture.accept("acme").await;
    let shard = fixture.shard_of(key);
    let HandOver::Mine(token) = handover else {
        panic!("idle")
    };
    assert!(
        dispatch::lease(shard, &[key], Uuid::new_v4()).await.unwrap().is_empty(),
        "it is leased to the handler"
    );
    dispatch::release(shard, &[key], token).await.unwrap();
    let mine = Uuid::new_v4();
    let leased = dispatch::lease(shard, &[key], mine).await.unwrap();
    assert_eq!((leased.len(), leased[0].1.client_id.as_str()), (1, "acme"));
    dispatch::mark_published(shard, &[key], Uuid::new_v4()).await.unwrap();
    assert_eq!(
        fixture.job(key, "acme").await.state,
        JobState::Waiting,
        "marked under another lease"
    );
    dispatch::mark_published(shard, &[key], mine).await.unwrap();
    assert_eq!(fixture.job(key, "acme").await.state, JobState::Queued);
    // A claim may come before the mark: it clears the lease, and the mark changes nothing.
    let (early, _) = fixture.accept("acme").await;
    let (early, token) = all_leased(&fixture, &[early])
        .await
        .pop()
        .unwrap_or((early, Uuid::new_v4()));
    granted(fixture.claim(early, "w1").await);
    dispatch::mark_published(shard, &[early], token).await.unwrap();
    assert_eq!(fixture.job(early, "acme").await.state, JobState::Running);
}

async fn a_scan_visits_every_client_and_no_backlog(fixture: Fixture) {
    // Clients of one shard, so that one scan can see all of them.
    let home = fixture
        .shards
        .owner(docket_contract::sharding::bucket_of(&"acme".parse().unwrap()));
    let quiet: Vec<String> = (0..200)
        .map(|i| format!("client-{i:03}"))
        .filter(|name| {
            fixture
                .shards
                .owner(docket_contract::sharding::bucket_of(&name.parse().unwrap()))
                == home
        })
        .take(5)
        .collect();
    for client in &quiet {
        fixture.accept(client).await;
    }
    for _ in 0..40 {
        fixture.accept("acme").await;
    }
    let shard = fixture.shards.shard(&home).unwrap();
    sqlx::query("update dispatch set lease_until = null, lease_token = null")
        .execute(&mut fixture.raw_shard(home.as_str()).await)
        .await
        .unwrap();
    let kind = (&model(), Priority::Interactive);
    let waiting = dispatch::waiting(shard).await.unwrap();
    assert_eq!(
        (waiting.len(), &waiting[0].model, waiting[0].priority),
        (1, kind.0, kind.1)
    );
    let scan = dispatch::scan(shard, kind, "", 3).await.unwrap();
    assert_eq!((scan.clients, scan.full), (6, false));
    let of = |name: &str| {
        scan.candidates
            .iter()
            .filter(|candidate| candidate.client.as_str() == name)
            .count()
    };
    assert_eq!(of("acme"), 3);
    assert!(quiet.iter().all(|client| of(client) == 1));
    let mut around: Vec<&str> = quiet.iter().map(String::as_str).collect();
    around.insert(0, "acme");
    for _ in 0..=around.len() {
        // `acme` comes before `client-...`, and after the last of them again.
        around.rotate_left(1);
        let last = *around.last().unwrap();
        let scan = dispatch::scan(shard, kind, last, 1).await.unwrap();
        let order: Vec<_> = scan.candidates.iter().map(|of| of.client.as_str()).collect();
        assert_eq!(order, around, "after {last}");
        assert_eq!((scan.clients, scan.last.as_deref()), (6, Some(last)));
    }
    for (after, first) in [("", "acme"), ("acme-2", &*quiet[0]), ("zoe", "acme")] {
        let scan = dispatch::scan(shard, kind, after, 1).await.unwrap();
        assert_eq!(
            (scan.clients, scan.candidates[0].client.as_str()),
            (6, first),
            "after {after}"
        );
    }
    let nobody = dispatch::scan(shard, (kind.0, Priority::Bulk), "acme", 3)
        .await
        .unwrap();
    assert_eq!((nobody.clients, nobody.last), (0, None));
}

async fn what_is_in_flight_is_known_by_priority(fixture: Fixture) {
    let (waiting, _) = fixture.accept_with("acme", |job| job.hand_over = false).await;
    let shard = fixture.shard_of(waiting);
    let mut published = Vec::new();
    for priority in [
        Priority::Interactive,
        Priority::Interactive,
        Priority::Bulk,
        Priority::Bulk,
        Priority::Bulk,
    ] {
        let change = |job: &mut NewJob| {
            job.hand_over = false;
            job.schedule.priority = priority;
        };
        published.push(fixture.accept_with("acme", change).await.0);
    }
    for (key, token) in all_leased(&fixture, &published).await {
        dispatch::mark_published(shard, &[key], token).await.unwrap();
    }
    granted(fixture.claim(published[0], "w1").await);
    granted(fixture.claim(published[2], "w1").await);
    let found = dispatch::waiting(shard).await.unwrap();
    let in_flight = InFlight {
        interactive: 2,
        bulk: 3,
    };
    assert_eq!((found.len(), found[0].in_flight), (1, in_flight));
    assert_eq!((found[0].running, found[0].fresh), (2, 3));
    let kind = (&model(), Priority::Interactive);
    let scan = dispatch::scan(shard, kind, "", 1).await.unwrap();
    assert_eq!((scan.candidates[0].in_flight, scan.candidates[0].alike), (5, 2));
    // A worker that died has nothing in flight; a message that was published long ago is in the queue all the same.
    fixture.age(published[0], 20).await;
    fixture.age(published[3], 20).await;
    let found = dispatch::waiting(shard).await.unwrap();
    let in_flight = InFlight {
        interactive: 1,
        bulk: 3,
    };
    assert_eq!(
        (found[0].in_flight, found[0].running, found[0].fresh),
        (in_flight, 1, 2)
    );
}

async fn one_holder_acts_for_a_shard(fixture: Fixture) {
    let (_, shard) = fixture.shards.all().next().unwrap();
    let (first, second) = (Uuid::new_v4(), Uuid::new_v4());
    assert!(lease::acquire(shard, "dispatch", first).await.unwrap());
    assert!(!lease::acquire(shard, "dispatch", second).await.unwrap());
    assert!(lease::acquire(shard, "dispatch", first).await.unwrap(), "renewed");
    lease::release(shard, "dispatch", first).await.unwrap();
    assert!(lease::acquire(shard, "dispatch", second).await.unwrap());
}

async fn a_time_without_a_dispatcher_is_noted_until_it_is_settled(fixture: Fixture) {
    let (name, shard) = fixture.shards.all().next().unwrap();
    let open = async || gaps::open(&mut shard.begin().await.unwrap()).await.unwrap();
    let mut db = fixture.raw_shard(name.as_str()).await;
    let (first, second) = (Uuid::new_v4(), Uuid::new_v4());
    assert!(lease::acquire(shard, "dispatch", first).await.unwrap());
    assert!(lease::acquire(shard, "dispatch", first).await.unwrap());
    lease::release(shard, "dispatch", first).await.unwrap();
    assert!(lease::acquire(shard, "dispatch", second).await.unwrap());
    assert_eq!(open().await, [], "a change of dispatchers is no gap");
    // As a database that was restored to an earlier point has it, whoever comes first, the last holder included.
    let age = "update leases set until = now() - interval '1 day'";
    sqlx::query(age).execute(&mut db).await.unwrap();
    assert!(lease::acquire(shard, "dispatch", second).await.unwrap());
    let gaps = open().await;
    assert_eq!(gaps.len(), 1);
    let hours = gaps[0].ended.duration_since(gaps[0].began).as_hours();
    assert_eq!(hours, 24);
    let later = gaps[0].ended + Duration::from_secs(1);
    assert_eq!(
        gaps::settle(shard, gaps[0].began).await.unwrap(),
        0,
        "one that ended later stays"
    );
    assert_eq!(gaps::settle(shard, later).await.unwrap(), 1);
    assert_eq!(open().await, []);
}

async fn an_operator_requeues_what_a_lost_broker_had(fixture: Fixture) {
    let (key, handover) = fixture.accept("acme").await;
    let HandOver::Mine(token) = handover else {
        panic!("idle")
    };
    let shard = fixture.shard_of(key);
    dispatch::mark_published(shard, &[key], token).await.unwrap();
    let later = sweep::now(shard).await.unwrap();
    assert_eq!(sweep::published_before(shard, later).await.unwrap(), 1);
    assert_eq!(sweep::published_before(shard, later).await.unwrap(), 0);
    assert_eq!(fixture.job(key, "acme").await.state, JobState::Waiting);
    assert!(dispatch::wait_again(&fixture.shards, key).await.unwrap());
    let unknown = JobKey {
        job: docket_contract::ids::JobId::generate(),
        ..key
    };
    assert!(!dispatch::wait_again(&fixture.shards, unknown).await.unwrap());
    parked::park(fixture.shards.catalog(), "docket.dead", b"?", "no job")
        .await
        .unwrap();
    assert_eq!(parked::count(fixture.shards.catalog()).await.unwrap(), 1);
}

async fn workers_and_shards_tell_one_another(fixture: Fixture) {
    let catalog = fixture.shards.catalog();
    assert!(activity::speeds(catalog).await.unwrap().is_empty());
    for (worker, speed) in [("w1", 8_000.0), ("w2", 10_000.0), ("w1", 9_000.0)] {
        let report = activity::WorkerReport {
            worker: worker.into(),
            model: model(),
            model_version: "2".into(),
            tokens_per_second: speed,
        };
        activity::worker(catalog, &report).await.unwrap();
    }
    let speed = async || activity::speeds(catalog).await.unwrap()[model().as_str()];
    assert_eq!(speed().await, 9_500.0);
    // Workers that left count until another has said something half a minute later; then it alone does.
    let mut raw = sqlx::PgConnection::connect(&fixture.world.catalog_url).await.unwrap();
    let sql = "update worker_reports set reported_at = reported_at - interval '40 min'";
    sqlx::query(sql).execute(&mut raw).await.unwrap();
    assert_eq!(speed().await, 9_500.0);
    let report = activity::WorkerReport {
        worker: "w3".into(),
        model: model(),
        model_version: "2".into(),
        tokens_per_second: 0.0,
    };
    activity::worker(catalog, &report).await.unwrap();
    assert_eq!(speed().await, 9_500.0, "one that has not been busy yet says nothing");
    let busy = activity::WorkerReport {
        tokens_per_second: 2_000.0,
        ..report
    };
    activity::worker(catalog, &busy).await.unwrap();
    assert_eq!(speed().await, 2_000.0);
    let (s1, s2) = ("s1".parse().unwrap(), "s2".parse().unwrap());
    assert_eq!(activity::report_weight(catalog, &s1, &model(), 3.0).await.unwrap(), 3.0);
    assert_eq!(activity::report_weight(catalog, &s2, &model(), 1.5).await.unwrap(), 4.5);
}
