//! The table of `state.rs` against the database: every event on a job in every state.

use std::time::Duration;

use docket_contract::ids::{ClaimToken, JobKey};
use docket_contract::state::{Event, JobState, TRANSITIONS};
use docket_store::operate::controls::{self, Change};
use docket_store::operate::dead;
use docket_store::work::claims::{self, Claim};
use docket_store::work::results::{self, Failure};
use docket_store::work::{dispatch, jobs, sweep};
use uuid::Uuid;

use crate::fixture::{Fixture, analysis, direct_and_pooled, granted};

direct_and_pooled!(events_do_what_the_table_says_and_nothing_else);

const CLIENT: &str = "acme";

async fn events_do_what_the_table_says_and_nothing_else(fixture: Fixture) {
    for state in JobState::ALL {
        for event in Event::ALL {
            let (key, claim) = job_in(&fixture, state).await;
            let before = fixture.job(key, CLIENT).await;
            assert_eq!(before.state, state, "the test's own way to {state:?}");
            happen(&fixture, event, key, &claim).await;
            let after = fixture.job(key, CLIENT).await;
            let expected = state.after(event);
            assert_eq!(after.state, expected.unwrap_or(state), "{event:?} in {state:?}");
            let newest = |history: &serde_json::Value| history.as_array().unwrap().last().cloned();
            if expected.is_some() {
                assert_eq!(
                    newest(&after.history).unwrap()["event"],
                    event.as_str(),
                    "{event:?} in {state:?}"
                );
            } else {
                assert_eq!(after.history, before.history, "{event:?} in {state:?}");
            }
            // So that no sweep of another case finds it.
            fixture.forget(key).await;
        }
    }
    assert_eq!(
        JobState::ALL.len() * Event::ALL.len() - TRANSITIONS.len(),
        64,
        "most pairs change nothing"
    );
}

/// A job in a state, and a claim of it: the one that was made on the way there, or one that was never granted.
async fn job_in(fixture: &Fixture, state: JobState) -> (JobKey, Claim) {
    let (key, _) = fixture.accept(CLIENT).await;
    fixture.unlease(key).await;
    let claim = || async { granted(fixture.claim(key, "w1").await) };
    let stranger = |claim: Claim| Claim {
        token: ClaimToken::generate(),
        ..claim
    };
    match state {
        JobState::Waiting => {
            let claim = claim().await;
            claims::postpone(&fixture.shards, &claim, Duration::ZERO, "test")
                .await
                .unwrap();
            return (key, stranger(claim));
        }
        JobState::Queued => {
            let claim = claim().await;
            claims::give_back(&fixture.shards, claim.key, claim.token)
                .await
                .unwrap();
            return (key, stranger(claim));
        }
        JobState::Running => return (key, claim().await),
        JobState::Succeeded | JobState::Failed | JobState::Cancelled | JobState::Expired => {}
    }
    let claim = claim().await;
    let ending = Event::ALL
        .into_iter()
        .find(|event| event.as_str() == state.as_str())
        .unwrap();
    happen(fixture, ending, key, &claim).await;
    (key, claim)
}

async fn happen(fixture: &Fixture, event: Event, key: JobKey, claim: &Claim) {
    let (shards, shard) = (&fixture.shards, fixture.shard_of(key));
    match event {
        Event::Published => {
            let lease = Uuid::new_v4();
            dispatch::lease(shard, &[key], lease).await.unwrap();
            dispatch::mark_published(shard, &[key], lease).await.unwrap();
        }
        Event::Claimed => {
            fixture.age(key, 20).await;
            fixture.claim(key, "w2").await;
        }
        Event::Crashed => {
            fixture.age(key, 121).await;
            sweep::dead_claims(shard).await.unwrap();
        }
        Event::Errored => drop(claims::wait_again(shards, claim, Duration::ZERO, "test").await.unwrap()),
        Event::Postponed => {
            claims::postpone(shards, claim, Duration::ZERO, "test").await.unwrap();
            pause(fixture, true).await;
            fixture.claim(key, "w2").await;
            pause(fixture, false).await;
        }
        Event::GivenBack => drop(claims::give_back(shards, key, claim.token).await.unwrap()),
        Event::Requeued => {
            fixture.age(key, 601).await;
            sweep::lost_messages(shard).await.unwrap();
        }
        Event::Succeeded => drop(results::save(shards, claim, &analysis("Ada")).await.unwrap()),
        Event::Failed => {
            let failure = Failure {
                kind: "model_error",
                detail: String::new(),
            };
            results::save_failure(shards, claim, &failure).await.unwrap();
        }
        Event::Cancelled => {
            let mut tx = shards.begin(key.bucket).await.unwrap();
            jobs::cancel(&mut tx, key, &CLIENT.parse().unwrap()).await.unwrap();
            tx.commit().await.unwrap();
        }
        Event::Expired => {
            fixture.set_deadline_passed(key).await;
            sweep::late(shard).await.unwrap();
        }
        Event::Redriven => drop(dead::redrive(shard, &[(key, Duration::ZERO)], "test").await.unwrap()),
    }
}

async fn pause(fixture: &Fixture, paused: bool) {
    let change = Change {
        paused: Some(paused),
        ..Change::default()
    };
    controls::set_client(&fixture.shards, &CLIENT.parse().unwrap(), change)
        .await
        .unwrap();
}
