//! What operators, the doctor and the sweeper read: facts that nothing else here asks for.

use docket_contract::ids::ClientId;
use docket_contract::state::JobState::{Cancelled, Queued, Running, Succeeded, Waiting};
use docket_store::operate::activity::{self, WorkerReport};
use docket_store::operate::controls::{self, Change, Controls};
use docket_store::operate::inspect;
use docket_store::read::{documents, reading};
use docket_store::shards::migrate;
use docket_store::shards::schema::Schema;
use docket_store::work::backlog::{self, Open};
use docket_store::work::jobs::NewJob;
use docket_store::work::{lease, results, sweep};
use uuid::Uuid;

use crate::fence::client_of;
use crate::fixture::{Fixture, analysis, direct_and_pooled, granted, model};

direct_and_pooled!(
    a_database_says_what_it_is,
    a_catalog_and_a_shard_say_who_works_for_them,
    documents_are_found_by_their_objects,
    a_page_of_documents_follows_the_state_that_is_asked_for,
    clients_and_models_are_known_by_what_they_have,
);

async fn a_database_says_what_it_is(fixture: Fixture) {
    let s1 = fixture.shards.shard(&"s1".parse().unwrap()).unwrap();
    let catalog = fixture.shards.catalog();
    for (database, schema, own, other) in [
        (catalog, Schema::Catalog, "shards", "jobs"),
        (s1, Schema::Shard, "jobs", "shards"),
    ] {
        let server = inspect::server(database).await.unwrap();
        assert!(server.version_number >= 160_000 && !server.standby, "{server:?}");
        assert_eq!(
            (server.encoding.as_str(), server.isolation.as_str()),
            ("UTF8", "read committed")
        );
        let clock = inspect::clock(database).await.unwrap();
        assert!(clock.ahead.abs() < 60.0, "{clock:?}");
        assert!(inspect::has_table(database, own).await.unwrap());
        assert!(!inspect::has_table(database, other).await.unwrap());
        let versions = migrate::versions(database, schema).await.unwrap();
        assert!(versions.found > 0 && versions.found == versions.needed, "{versions:?}");
        assert_eq!(inspect::is_pooled(database).await.unwrap(), fixture.config.pooler);
    }
    assert_eq!(inspect::lacking(s1, &[]).await.unwrap(), []);
    let apart = sweep::now(s1).await.unwrap().duration_since(jiff::Timestamp::now());
    assert!(apart.unsigned_abs().as_secs() < 60, "{apart}");
}

async fn a_catalog_and_a_shard_say_who_works_for_them(fixture: Fixture) {
    let catalog = fixture.shards.catalog();
    let s1 = fixture.shards.shard(&"s1".parse().unwrap()).unwrap();
    let mut names: Vec<String> = fixture.config.shards.iter().map(|(name, _)| name.clone()).collect();
    names.sort_unstable();
    assert_eq!(inspect::shards(catalog).await.unwrap(), names);
    assert_eq!(inspect::identity(s1).await.unwrap().as_deref(), Some("s1"));
    for owned in inspect::owners(s1).await.unwrap() {
        assert_eq!(owned.owner, fixture.shards.owner(owned.bucket).as_str());
        assert_eq!(owned.epoch, 1);
    }
    let report = WorkerReport {
        worker: "w1".into(),
        model: model(),
        model_version: "2".into(),
        tokens_per_second: 12_000.0,
    };
    activity::worker(catalog, &report).await.unwrap();
    let told = inspect::workers(catalog).await.unwrap();
    let told: Vec<_> = told
        .iter()
        .map(|told| (told.worker.as_str(), told.tokens_per_second))
        .collect();
    assert_eq!(told, [("w1", 12_000.0)]);
    assert_eq!(inspect::lease(s1, "dispatcher").await.unwrap(), None);
    let holder = Uuid::new_v4();
    assert!(lease::acquire(s1, "dispatcher", holder).await.unwrap());
    let held = inspect::lease(s1, "dispatcher").await.unwrap().expect("it was taken");
    assert!(held.holder == holder && held.remaining > 0.0, "{held:?}");
}

async fn documents_are_found_by_their_objects(fixture: Fixture) {
    let (key, _) = fixture.accept("acme").await;
    let (second, _) = fixture.accept("acme").await;
    let client: ClientId = "acme".parse().unwrap();
    let document = fixture.job(key, "acme").await.document_id;
    granted(fixture.claim(second, "w1").await);
    let mut tx = reading::begin(&fixture.shards, key.bucket).await.unwrap();
    let kept = documents::kept(&mut tx, (key.bucket, &client), None, 10).await.unwrap();
    let states: Vec<&str> = kept.iter().map(|kept| kept.state.as_str()).collect();
    assert_eq!(states, ["waiting", "running"]);
    let rest = documents::kept(&mut tx, (key.bucket, &client), Some(document), 10)
        .await
        .unwrap();
    assert_eq!(rest.len(), 1, "the one after the first");
    let ids = [document.0, Uuid::new_v4()];
    let known = documents::known_keys(&mut tx, key.bucket, &ids).await.unwrap();
    assert_eq!(known, [kept[0].key.clone()]);
    let next = documents::next_client(&mut tx, key.bucket, None).await.unwrap();
    assert_eq!(next.as_ref(), Some(&client));
    let next = documents::next_client(&mut tx, key.bucket, Some(&client))
        .await
        .unwrap();
    assert_eq!(next, None);
}

async fn a_page_of_documents_follows_the_state_that_is_asked_for(fixture: Fixture) {
    let client: ClientId = "acme".parse().unwrap();
    let (waiting, _) = fixture.accept("acme").await;
    let (running, _) = fixture.accept("acme").await;
    let (succeeded, _) = fixture.accept("acme").await;
    granted(fixture.claim(running, "w1").await);
    let claim = granted(fixture.claim(succeeded, "w1").await);
    assert!(results::save(&fixture.shards, &claim, &analysis("Ada")).await.unwrap());
    let mut tx = fixture.shards.begin(waiting.bucket).await.unwrap();
    let all = [succeeded.job, running.job, waiting.job];
    for (state, job_state, expected) in [
        (None, None, &all[..]),
        (Some(Succeeded), None, &all[..1]),
        (Some(Succeeded), Some(Succeeded), &all[..1]),
        (Some(Succeeded), Some(Waiting), &[]),
        (None, Some(Succeeded), &all[..1]),
        (Some(Running), None, &all[1..2]),
        (None, Some(Running), &all[1..2]),
        (Some(Queued), None, &[]),
        (Some(Waiting), None, &all[2..]),
        (None, Some(Waiting), &all[2..]),
        (Some(Waiting), Some(Waiting), &all[2..]),
        (Some(Waiting), Some(Running), &[]),
        (Some(Cancelled), None, &[]),
    ] {
        let page = documents::Page {
            state,
            job_state,
            parent: None,
            before: None,
            limit: 10,
        };
        let listed = documents::list(&mut tx, waiting.bucket, &client, page).await.unwrap();
        let jobs: Vec<_> = listed.documents.iter().map(|document| document.job.id).collect();
        assert_eq!(jobs, expected, "{state:?}, {job_state:?}");
        assert_eq!(
            listed.walked_to, None,
            "{state:?}, {job_state:?}: few jobs are walked to their end"
        );
    }
}

async fn clients_and_models_are_known_by_what_they_have(fixture: Fixture) {
    let (key, _) = fixture.accept("acme").await;
    let (shards, shard) = (&fixture.shards, fixture.shard_of(key));
    let acme: ClientId = "acme".parse().unwrap();
    let (other, _) = client_of(&fixture, "s1");
    assert!(controls::knows_client(shards, &acme).await.unwrap());
    assert!(!controls::knows_client(shards, &other).await.unwrap());
    assert_eq!(controls::of_client(shards, &other).await.unwrap(), Controls::default());
    let change = Change {
        in_flight_max: Some(7),
        ..Change::default()
    };
    controls::set_client(shards, &other, change).await.unwrap();
    assert!(controls::knows_client(shards, &other).await.unwrap());
    let decided = Controls {
        in_flight_max: Some(7),
        ..Controls::default()
    };
    assert_eq!(controls::of_client(shards, &other).await.unwrap(), decided);

    assert!(controls::knows_model(shard, &model()).await.unwrap());
    let unused = "ner-tax".parse().unwrap();
    assert!(!controls::knows_model(shard, &unused).await.unwrap());
    controls::set_model(shard, &unused, true).await.unwrap();
    assert!(controls::knows_model(shard, &unused).await.unwrap());
    assert_eq!(controls::paused_models(shard).await.unwrap(), ["ner-tax"]);

    let far = |job: &mut NewJob| {
        let day = jiff::SignedDuration::from_hours(24);
        job.schedule.not_before = Some(jiff::Timestamp::now().checked_add(day).unwrap());
    };
    fixture.accept_with("acme", far).await;
    let counted = backlog::look(shard).await.unwrap();
    assert_eq!((counted.len(), counted[0].jobs, counted[0].bytes), (1, 2, 6_000));
    let mut tx = shards.begin(key.bucket).await.unwrap();
    for (jobs, expected) in [(10, (2, 1)), (1, (1, 1))] {
        let most = Open { jobs, deferred: 10 };
        let open = backlog::of_client(&mut tx, (key.bucket, &acme), most).await.unwrap();
        assert_eq!((open.jobs, open.deferred), expected);
    }
}
