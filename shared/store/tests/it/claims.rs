//! A job's life: claimed, finished, taken over, given back, suspected.

use std::time::Duration;

use docket_contract::ids::{ClaimToken, JobKey};
use docket_contract::sharding;
use docket_contract::state::JobState;
use docket_store::operate::controls::{self, Change};
use docket_store::operate::dead;
use docket_store::read::documents;
use docket_store::work::claims::{self, Answer, Asker, Beat};
use docket_store::work::dispatch;
use docket_store::work::jobs::{self, HandOver};
use docket_store::work::results::{self, CHUNK_ENTITIES_MAX, Failure, Saved};
use docket_store::work::sweep;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::fixture::{Fixture, analysis, direct_and_pooled, granted};

direct_and_pooled!(
    a_job_goes_from_accepted_to_its_entities,
    a_copy_of_a_message_changes_nothing,
    a_superseded_claim_that_finishes_late_changes_nothing,
    results_written_together_stand_or_fall_alone,
    asking_again_with_the_same_token_continues_the_claim,
    giving_back_costs_no_attempt,
    a_paused_job_is_not_marked_published_once_its_message_is_used_up,
    an_error_waits_and_a_failure_is_the_dead_letter,
    a_job_that_crashed_twice_in_company_is_a_suspect_and_twice_alone_poison,
    the_sweeper_repairs_what_nobody_redelivers,
    heartbeats_name_the_lost_claims,
    a_heartbeat_says_how_far_a_job_is_and_hears_whether_it_is_wanted,
    a_heartbeat_passes_over_a_row_that_is_locked,
    a_large_result_is_written_whole_or_not_at_all,
    a_job_that_is_cancelled_at_once_did_not_end_before_it_began,
    a_job_that_waited_long_has_all_its_tries,
    a_scan_that_waits_for_its_turn_is_known_and_never_tried_too_long,
    a_job_that_is_written_twice_at_once_has_its_newest_claims_result,
    silence_while_nobody_heard_the_shard_is_no_crash,
    a_result_stays_that_is_written_before_its_deadline_is_noticed,
    a_whole_batch_of_late_jobs_ends_at_once,
);

async fn a_job_goes_from_accepted_to_its_entities(fixture: Fixture) {
    let (key, _) = fixture.accept("acme").await;
    assert_eq!(fixture.job(key, "acme").await.state, JobState::Waiting);
    let claim = granted(fixture.claim(key, "w1").await);
    assert_eq!(
        (claim.attempt, claim.client.as_str(), claim.size_bytes),
        (1, "acme", 3_000)
    );
    assert_eq!(fixture.job(key, "acme").await.state, JobState::Running);
    assert!(results::save(&fixture.shards, &claim, &analysis("Ada")).await.unwrap());
    let job = fixture.job(key, "acme").await;
    assert_eq!(
        (job.state, job.attempts, job.entities),
        (JobState::Succeeded, 1, Some(1))
    );
    assert_eq!(job.model_version.as_deref(), Some("2"));
    let events: Vec<_> = job
        .history
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["event"].clone())
        .collect();
    assert_eq!(events, ["claimed", "succeeded"]);
    assert!(job.history[0]["at"].is_string() && job.history[0]["worker"] == "w1");
    assert_eq!(fixture.entity_texts(key).await, ["Ada"]);
    let mut tx = fixture.shards.begin(key.bucket).await.unwrap();
    let view = documents::find(&mut tx, key.bucket, job.document_id, &"acme".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (view.file_name.as_deref(), view.job.id),
        (Some("vertrag ü.txt"), key.job)
    );
    assert!(
        documents::find(&mut tx, key.bucket, job.document_id, &"other".parse().unwrap())
            .await
            .unwrap()
            .is_none()
    );
}

async fn a_copy_of_a_message_changes_nothing(fixture: Fixture) {
    let (key, _) = fixture.accept("acme").await;
    let claim = granted(fixture.claim(key, "w1").await);
    assert!(matches!(fixture.claim(key, "w2").await, Answer::RunningElsewhere));
    assert!(results::save(&fixture.shards, &claim, &analysis("Ada")).await.unwrap());
    assert!(matches!(fixture.claim(key, "w2").await, Answer::Ended));
    assert!(
        !results::save(&fixture.shards, &claim, &analysis("Bob")).await.unwrap(),
        "finished twice"
    );
    assert_eq!(fixture.entity_texts(key).await, ["Ada"]);
}

async fn a_superseded_claim_that_finishes_late_changes_nothing(fixture: Fixture) {
    let (key, _) = fixture.accept("acme").await;
    let old = granted(fixture.claim(key, "slow").await);
    fixture.age(key, 20).await;
    let new = granted(fixture.claim(key, "quick").await);
    assert_eq!(new.attempt, 2);
    assert!(!results::save(&fixture.shards, &old, &analysis("Old")).await.unwrap());
    let failure = Failure {
        kind: "model_error",
        detail: String::new(),
    };
    assert!(!results::save_failure(&fixture.shards, &old, &failure).await.unwrap());
    assert!(
        !claims::wait_again(&fixture.shards, &old, Duration::ZERO, "x")
            .await
            .unwrap()
    );
    assert!(!claims::give_back(&fixture.shards, key, old.token).await.unwrap());
    assert!(results::save(&fixture.shards, &new, &analysis("New")).await.unwrap());
    assert!(!results::save(&fixture.shards, &old, &analysis("Old")).await.unwrap());
    assert_eq!(fixture.entity_texts(key).await, ["New"]);
    let job = fixture.job(key, "acme").await;
    assert_eq!(
        (job.attempts, &job.history[1]["event"], &job.history[1]["worker"]),
        (2, &"crashed".into(), &"slow".into())
    );
    assert_eq!(job.history[1]["model"], "ner-legal");
}

/// Two good ones, one whose claim was taken over and one whose bucket another shard owns.
async fn results_written_together_stand_or_fall_alone(fixture: Fixture) {
    let clients = (0..).map(|number| format!("client-{number}"));
    let shard_of = |client: &String| fixture.shards.owner(sharding::bucket_of(&client.parse().unwrap()));
    let here = shard_of(&"client-0".to_owned());
    let mut local = clients.clone().filter(|client| shard_of(client) == here);
    let local: [String; 3] = std::array::from_fn(|_| local.next().unwrap());
    let foreign = clients.into_iter().find(|client| shard_of(client) != here).unwrap();
    let mut claims = Vec::new();
    for client in local.iter().chain([&foreign]) {
        let (key, _) = fixture.accept(client).await;
        claims.push(granted(fixture.claim(key, "w1").await));
    }
    fixture.age(claims[1].key, 20).await;
    let newer = granted(fixture.claim(claims[1].key, "w2").await);
    let mut found: Vec<_> = ["Ada", "Old", "Cy", "Di"].map(analysis).into();
    found[2].entities = ["Cy", "Cyd"].map(|name| analysis(name).entities.remove(0)).into();
    let together: Vec<results::Finished<'_>> = claims.iter().zip(&found).collect();
    let saved = results::save_together(fixture.shards.shard(&here).unwrap(), &together).await;
    assert_eq!(
        saved.unwrap(),
        [Saved::Yes, Saved::Superseded, Saved::Yes, Saved::Elsewhere]
    );
    let expected: [&[&str]; 4] = [&["Ada"], &[], &["Cy", "Cyd"], &[]];
    for (claim, expected) in claims.iter().zip(expected) {
        assert_eq!(fixture.entity_texts(claim.key).await, expected);
    }
    assert_eq!(fixture.job(claims[1].key, &local[1]).await.state, JobState::Running);
    assert!(results::save(&fixture.shards, &newer, &found[1]).await.unwrap());
    assert!(results::save(&fixture.shards, &claims[3], &found[3]).await.unwrap());
}

async fn asking_again_with_the_same_token_continues_the_claim(fixture: Fixture) {
    let (key, _) = fixture.accept("acme").await;
    let asker = Asker {
        worker: "w1",
        token: ClaimToken::generate(),
        alone: false,
    };
    let first = granted(claims::claim(&fixture.shards, key, asker).await.unwrap());
    let again = granted(claims::claim(&fixture.shards, key, asker).await.unwrap());
    assert_eq!((first.attempt, again.attempt), (1, 1));
    assert_eq!(fixture.job(key, "acme").await.history.as_array().unwrap().len(), 1);
    assert!(results::save(&fixture.shards, &again, &analysis("Ada")).await.unwrap());
}

async fn giving_back_costs_no_attempt(fixture: Fixture) {
    let (key, _) = fixture.accept("acme").await;
    let claim = granted(fixture.claim(key, "w1").await);
    assert!(claims::give_back(&fixture.shards, key, claim.token).await.unwrap());
    assert_eq!(fixture.job(key, "acme").await.state, JobState::Queued);
    assert_eq!(granted(fixture.claim(key, "w2").await).attempt, 1);
}

async fn a_paused_job_is_not_marked_published_once_its_message_is_used_up(fixture: Fixture) {
    let (key, HandOver::Mine(lease)) = fixture.accept("acme").await else {
        panic!("idle")
    };
    let pause = async |paused| {
        let change = Change {
            paused: Some(paused),
            ..Change::default()
        };
        let client = "acme".parse().unwrap();
        controls::set_client(&fixture.shards, &client, change).await.unwrap();
    };
    // The broker has its message, and a worker is faster than the mark.
    pause(true).await;
    assert!(matches!(fixture.claim(key, "w1").await, Answer::Paused));
    let shard = fixture.shard_of(key);
    dispatch::mark_published(shard, &[key], lease).await.unwrap();
    let job = fixture.job(key, "acme").await;
    assert_eq!((job.state, job.history), (JobState::Waiting, serde_json::json!([])));
    pause(false).await;
    let leased = dispatch::lease(shard, &[key], Uuid::new_v4()).await.unwrap();
    assert_eq!(leased.len(), 1, "it is published again");
}

async fn an_error_waits_and_a_failure_is_the_dead_letter(fixture: Fixture) {
    let (key, _) = fixture.accept("acme").await;
    let claim = granted(fixture.claim(key, "w1").await);
    assert!(
        claims::wait_again(&fixture.shards, &claim, Duration::from_secs(60), "model_error")
            .await
            .unwrap()
    );
    assert!(matches!(fixture.claim(key, "w1").await, Answer::NotDue));
    fixture.age(key, 61).await;
    let claim = granted(fixture.claim(key, "w1").await);
    assert_eq!((claim.attempt, claim.errors), (2, 1));
    let failure = Failure {
        kind: "unreadable_document",
        detail: "not UTF-8".into(),
    };
    assert!(results::save_failure(&fixture.shards, &claim, &failure).await.unwrap());
    let job = fixture.job(key, "acme").await;
    assert_eq!(job.state, JobState::Failed);
    assert_eq!(job.error, Some(("unreadable_document".into(), "not UTF-8".into())));
    let told: Vec<_> = job.history.as_array().unwrap().iter().collect();
    for (entry, event, reason) in [
        (told[1], "errored", "model_error"),
        (told[3], "failed", "unreadable_document"),
    ] {
        assert_eq!((&entry["event"], &entry["reason"]), (&event.into(), &reason.into()));
        assert_eq!((&entry["worker"], &entry["model"]), (&"w1".into(), &"ner-legal".into()));
    }
}

async fn a_job_that_crashed_twice_in_company_is_a_suspect_and_twice_alone_poison(fixture: Fixture) {
    let (key, _) = fixture.accept("acme").await;
    for _ in 0..2 {
        granted(fixture.claim(key, "w1").await);
        fixture.age(key, 20).await;
    }
    assert!(matches!(fixture.claim(key, "w2").await, Answer::Suspect));
    assert!(
        matches!(fixture.claim(key, "w2").await, Answer::Suspect),
        "the row was touched"
    );
    for _ in 0..2 {
        granted(fixture.claim_alone(key, "w3").await);
        fixture.age(key, 20).await;
    }
    assert!(matches!(fixture.claim_alone(key, "w4").await, Answer::Poison));
    let job = fixture.job(key, "acme").await;
    assert_eq!((job.state, job.error.unwrap().0.as_str()), (JobState::Failed, "poison"));
    let events = job.history.as_array().unwrap().iter().map(|entry| &entry["event"]);
    assert_eq!(events.filter(|event| *event == "crashed").count(), 4, "{}", job.history);
    assert!(matches!(fixture.claim_alone(key, "w4").await, Answer::Ended));
}

async fn the_sweeper_repairs_what_nobody_redelivers(fixture: Fixture) {
    let (key, _) = fixture.accept("acme").await;
    let shard = fixture.shard_of(key);
    let claim = granted(fixture.claim(key, "w1").await);
    claims::give_back(&fixture.shards, key, claim.token).await.unwrap();
    assert_eq!(sweep::lost_messages(shard).await.unwrap(), 0, "it was just published");
    fixture.age(key, 601).await;
    assert_eq!(sweep::lost_messages(shard).await.unwrap(), 1);
    assert_eq!(fixture.job(key, "acme").await.state, JobState::Waiting);
    for (crashes, state) in [
        (1, JobState::Waiting),
        (2, JobState::Waiting),
        (3, JobState::Waiting),
        (4, JobState::Failed),
    ] {
        let alone = crashes > 2;
        granted(if alone {
            fixture.claim_alone(key, "w1").await
        } else {
            fixture.claim(key, "w1").await
        });
        assert_eq!(sweep::dead_claims(shard).await.unwrap(), 0, "it is alive");
        fixture.age(key, 121).await;
        assert_eq!(sweep::dead_claims(shard).await.unwrap(), 1);
        assert_eq!(fixture.job(key, "acme").await.state, state);
    }
    assert_eq!(fixture.job(key, "acme").await.error.unwrap().0, "poison");
}

fn beat(key: JobKey, token: ClaimToken, progress: Option<f32>) -> Beat {
    Beat { key, token, progress }
}

async fn heartbeats_name_the_lost_claims(fixture: Fixture) {
    let (lost, _) = fixture.accept("acme").await;
    let (kept, _) = fixture.accept("acme").await;
    let shard = fixture.shard_of(kept);
    let old = granted(fixture.claim(lost, "w1").await);
    let alive = granted(fixture.claim(kept, "w1").await);
    fixture.age(lost, 20).await;
    fixture.age(kept, 20).await;
    granted(fixture.claim(lost, "w2").await);
    let held = [beat(lost, old.token, None), beat(kept, alive.token, Some(0.25))];
    let told = claims::heartbeat(shard, &held).await.unwrap();
    assert_eq!(
        told.iter().map(|told| (told.job(), told.unwanted)).collect::<Vec<_>>(),
        [(lost.job, false)]
    );
    assert!(
        matches!(fixture.claim(kept, "w2").await, Answer::RunningElsewhere),
        "the heartbeat was not written"
    );
}

async fn a_heartbeat_says_how_far_a_job_is_and_hears_whether_it_is_wanted(fixture: Fixture) {
    let (key, _) = fixture.accept("acme").await;
    let shard = fixture.shard_of(key);
    let progress = async || fixture.job(key, "acme").await.progress;
    assert_eq!(progress().await, None, "it waits");
    let claim = granted(fixture.claim(key, "w1").await);
    for read in [None, Some(0.25), Some(0.75)] {
        assert_eq!(
            claims::heartbeat(shard, &[beat(key, claim.token, read)]).await.unwrap(),
            []
        );
        assert_eq!(claims::lost(shard, &[beat(key, claim.token, None)]).await.unwrap(), []);
        assert_eq!(progress().await, read);
    }
    fixture.age(key, 20).await;
    let later = granted(fixture.claim(key, "w2").await);
    assert_eq!(progress().await, None, "the later claim begins anew");
    let told = claims::heartbeat(shard, &[beat(key, claim.token, Some(1.0))])
        .await
        .unwrap();
    assert!(!told[0].unwanted && told.len() == 1, "{told:?}");
    assert_eq!(progress().await, None, "a lost claim says nothing");

    let mut cancelling = fixture.shards.begin(key.bucket).await.unwrap();
    jobs::cancel(&mut cancelling, key, &"acme".parse().unwrap())
        .await
        .unwrap();
    cancelling.commit().await.unwrap();
    for told in [
        claims::lost(shard, &[beat(key, later.token, None)]).await.unwrap(),
        claims::heartbeat(shard, &[beat(key, later.token, Some(1.0))])
            .await
            .unwrap(),
    ] {
        assert!(
            told[0].unwanted && told[0].job() == key.job && told.len() == 1,
            "{told:?}"
        );
    }
}

/// It waited for two days before anybody took it; then a day of tries passes.
async fn a_job_that_waited_long_has_all_its_tries(fixture: Fixture) {
    let (day, (key, _)) = (Duration::from_secs(86_400), fixture.accept("acme").await);
    fixture.set_accepted_long_ago(key).await;
    let first = granted(fixture.claim(key, "w1").await);
    assert_eq!(first.tried_for, Duration::ZERO);
    claims::give_back(&fixture.shards, key, first.token).await.unwrap();
    let first = granted(fixture.claim(key, "w1").await);
    assert_eq!(first.tried_for, Duration::ZERO, "what was given back was not tried");
    claims::postpone(&fixture.shards, &first, Duration::ZERO, "storage_unavailable")
        .await
        .unwrap();
    fixture.set_tried_longer(key, 86_400).await;
    let second = granted(fixture.claim(key, "w1").await);
    assert!(second.tried_for >= day, "{:?}", second.tried_for);
    claims::wait_again(&fixture.shards, &second, Duration::ZERO, "model_error")
        .await
        .unwrap();
    let third = granted(fixture.claim(key, "w1").await);
    assert!(third.tried_for >= day, "the first try counts: {:?}", third.tried_for);
    let failure = Failure {
        kind: "model_error",
        detail: String::new(),
    };
    results::save_failure(&fixture.shards, &third, &failure).await.unwrap();
    let redriven = dead::redrive(fixture.shard_of(key), &[(key, Duration::ZERO)], "test").await;
    assert_eq!(redriven.unwrap(), [key.job]);
    let anew = granted(fixture.claim(key, "w1").await);
    assert_eq!(anew.tried_for, Duration::ZERO);
}

async fn a_scan_that_waits_for_its_turn_is_known_and_never_tried_too_long(fixture: Fixture) {
    let (key, _) = fixture.accept("acme").await;
    let first = granted(fixture.claim(key, "w1").await);
    assert!(!first.is_scan);
    claims::await_turn(&fixture.shards, &first, Duration::ZERO)
        .await
        .unwrap();
    let second = granted(fixture.claim(key, "w2").await);
    assert!(second.is_scan);
    assert_eq!((second.attempt, second.errors), (1, 0), "nothing is counted");
    assert_eq!(second.tried_for, Duration::ZERO, "no try has begun");
}

/// A worker took a job over from itself, and both runs ended in the same moment.
async fn a_job_that_is_written_twice_at_once_has_its_newest_claims_result(fixture: Fixture) {
    let (key, _) = fixture.accept("acme").await;
    let old = granted(fixture.claim(key, "w1").await);
    fixture.age(key, 20).await;
    let new = granted(fixture.claim(key, "w1").await);
    let mut found = ["Old", "New"].map(analysis);
    found[0].entities = ["Old", "Older"].map(|name| analysis(name).entities.remove(0)).into();
    let together = [(&old, &found[0]), (&new, &found[1])];
    let saved = results::save_together(fixture.shard_of(key), &together).await;
    assert_eq!(saved.unwrap(), [Saved::Superseded, Saved::Yes]);
    assert_eq!(fixture.entity_texts(key).await, ["New"]);
    assert_eq!(fixture.job(key, "acme").await.entities, Some(1));
}

async fn silence_while_nobody_heard_the_shard_is_no_crash(fixture: Fixture) {
    let (key, _) = fixture.accept("acme").await;
    granted(fixture.claim(key, "w1").await);
    fixture.age(key, 121).await;
    let mut db = fixture.raw(key.bucket).await;
    for (statement, buried) in [
        (
            "insert into gaps (began, ended) values (now() - interval '3 min', now())",
            0,
        ),
        ("update gaps set ended = now() - interval '2 min'", 1),
    ] {
        sqlx::query(statement).execute(&mut db).await.unwrap();
        assert_eq!(sweep::dead_claims(fixture.shard_of(key)).await.unwrap(), buried);
    }
}

async fn a_result_stays_that_is_written_before_its_deadline_is_noticed(fixture: Fixture) {
    let (key, _) = fixture.accept("acme").await;
    let claim = granted(fixture.claim(key, "w1").await);
    fixture.set_deadline_passed(key).await;
    assert!(results::save(&fixture.shards, &claim, &analysis("Ada")).await.unwrap());
    assert_eq!(sweep::late(fixture.shard_of(key)).await.unwrap(), 0);
    assert_eq!(fixture.job(key, "acme").await.state, JobState::Succeeded);
}

async fn a_whole_batch_of_late_jobs_ends_at_once(fixture: Fixture) {
    let mut keys = Vec::new();
    for _ in 0..300 {
        keys.push(fixture.accept("acme").await.0);
    }
    let (running, waiting) = (keys[0], keys[1]);
    granted(fixture.claim(running, "w1").await);
    let mut db = fixture.raw(running.bucket).await;
    let late = sqlx::query("update dispatch set deadline = now() - interval '1 s'");
    late.execute(&mut db).await.unwrap();
    let (punctual, _) = fixture.accept("acme").await;
    assert_eq!(sweep::late(fixture.shard_of(running)).await.unwrap(), 300);
    assert_eq!(fixture.job(punctual, "acme").await.state, JobState::Waiting);
    for (key, attempts, worker) in [(running, 1, "w1".into()), (waiting, 0, serde_json::Value::Null)] {
        let job = fixture.job(key, "acme").await;
        assert_eq!((job.state, job.attempts), (JobState::Expired, attempts));
        assert_eq!(job.error.unwrap().0, "deadline_passed");
        let last = job.history.as_array().unwrap().last().unwrap();
        assert_eq!((&last["reason"], &last["worker"]), (&"deadline_passed".into(), &worker));
    }
}

/// A result that is being written holds its row, and its worker's other claims live on.
async fn a_heartbeat_passes_over_a_row_that_is_locked(fixture: Fixture) {
    let mut claims = Vec::new();
    for _ in 0..2 {
        let (key, _) = fixture.accept("acme").await;
        claims.push(granted(fixture.claim(key, "w1").await));
        fixture.age(key, 10).await;
    }
    let key = claims[0].key;
    let mut writer = fixture.raw(key.bucket).await;
    let mut writing = writer.begin().await.unwrap();
    sqlx::query("select 1 from dispatch where job_id = $1 for update")
        .bind(key.job.0)
        .execute(&mut *writing)
        .await
        .unwrap();
    let held: Vec<_> = claims.iter().map(|claim| beat(claim.key, claim.token, None)).collect();
    let beat = claims::heartbeat(fixture.shard_of(key), &held);
    let lost = tokio::time::timeout(Duration::from_secs(10), beat).await;
    assert_eq!(
        lost.expect("it waited for the lock").unwrap(),
        [],
        "neither claim is lost"
    );
    writing.rollback().await.unwrap();
    let mut db = fixture.raw(key.bucket).await;
    let silent = "select job_id from dispatch where heartbeat_at < now() - interval '9 s'";
    let silent: Vec<Uuid> = sqlx::query_scalar(silent).fetch_all(&mut db).await.unwrap();
    assert_eq!(silent, [key.job.0]);
}

async fn a_large_result_is_written_whole_or_not_at_all(fixture: Fixture) {
    let names: Vec<String> = (0..2 * CHUNK_ENTITIES_MAX + 1).map(|n| format!("name {n}")).collect();
    let mut large = analysis("x");
    large.entities = names.iter().map(|name| analysis(name).entities.remove(0)).collect();
    let (key, _) = fixture.accept("acme").await;
    let old = granted(fixture.claim(key, "slow").await);
    fixture.age(key, 20).await;
    let new = granted(fixture.claim(key, "quick").await);
    assert!(!results::save(&fixture.shards, &old, &large).await.unwrap());
    let mut db = fixture.raw(key.bucket).await;
    let count = "select count(*), min(ordinal), max(ordinal) from entities where job_id = $1";
    let count = async |db: &mut PgConnection| -> (i64, Option<i32>, Option<i32>) {
        sqlx::query_as(count).bind(key.job.0).fetch_one(db).await.unwrap()
    };
    assert_eq!(count(&mut db).await, (0, None, None));
    assert!(results::save(&fixture.shards, &new, &large).await.unwrap());
    let all = names.len() as i32;
    assert_eq!(count(&mut db).await, (i64::from(all), Some(1), Some(all)));
    assert_eq!(fixture.job(key, "acme").await.entities, Some(all));
    assert_eq!(fixture.entity_texts(key).await, names[..100]);
}

/// The cancel begins first, and waits for the row that the claim has.
async fn a_job_that_is_cancelled_at_once_did_not_end_before_it_began(fixture: Fixture) {
    let (key, _) = fixture.accept("acme").await;
    let client = "acme".parse().unwrap();
    let mut cancelling = fixture.shards.begin(key.bucket).await.unwrap();
    granted(fixture.claim(key, "w1").await);
    jobs::cancel(&mut cancelling, key, &client).await.unwrap();
    cancelling.commit().await.unwrap();
    let job = fixture.job(key, "acme").await;
    assert_eq!(job.state, JobState::Cancelled);
    assert!(
        job.ended_at >= job.started_at,
        "{:?} is before {:?}",
        job.ended_at,
        job.started_at
    );
    let times: Vec<&str> = job
        .history
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| entry["at"].as_str())
        .collect();
    assert!(times.len() == 2 && times.is_sorted(), "{times:?}");
}
