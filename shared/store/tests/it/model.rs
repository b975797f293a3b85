//! Random orders of everything that can happen to jobs, against a model of a page: deliveries, copies of them, crashes,
//! takeovers, late ends, cancellations, deadlines, sweeps, redrives. After each step the database must say what the model
//! says, and in the end a job has the entities of the one claim that finished it, or none.

use std::time::Duration;

use docket_contract::ids::JobKey;
use docket_contract::sharding;
use docket_contract::state::{Event, JobState};
use docket_store::operate::dead;
use docket_store::work::claims::{self, Answer, Beat, Claim, POISON_CRASHES, SUSPECT_CRASHES, TAKEOVER_AFTER};
use docket_store::work::results::{self, Failure, Saved};
use docket_store::work::{dispatch, jobs, sweep};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use uuid::Uuid;

use crate::fixture::{Fixture, analysis, granted};

const CLIENT: &str = "acme";
const JOBS: usize = 3;
/// Orders that are tried: some seconds of them.
const ORDERS: u32 = 40;
/// Steps of one.
const STEPS: usize = 40;
/// How much longer a claim has been silent after a step of silence: longer than a takeover waits for.
const SILENCE: u64 = 25;
/// From when on the sweeper buries a silent claim.
const BURIED_AFTER: u64 = 120;

/// What happens to one of the jobs. A claim is one of those that the job ever had, counted from the newest.
#[derive(Debug, Clone, Copy)]
enum Step {
    Publish,
    LoseMessage,
    Deliver { alone: bool },
    BeSilent,
    Heartbeat { claim: usize },
    Finish { claim: usize },
    Error { claim: usize },
    Fail { claim: usize },
    GiveBack { claim: usize },
    Postpone { claim: usize },
    Cancel,
    Expire,
    Redrive,
    Sweep,
}

fn step() -> impl Strategy<Value = (usize, Step)> {
    let claim = 0..3_usize;
    let what = prop_oneof![
        3 => Just(Step::Publish),
        1 => Just(Step::LoseMessage),
        6 => any::<bool>().prop_map(|alone| Step::Deliver { alone }),
        4 => Just(Step::BeSilent),
        1 => claim.clone().prop_map(|claim| Step::Heartbeat { claim }),
        3 => claim.clone().prop_map(|claim| Step::Finish { claim }),
        2 => claim.clone().prop_map(|claim| Step::Error { claim }),
        1 => claim.clone().prop_map(|claim| Step::Fail { claim }),
        1 => claim.clone().prop_map(|claim| Step::GiveBack { claim }),
        1 => claim.prop_map(|claim| Step::Postpone { claim }),
        1 => Just(Step::Cancel),
        1 => Just(Step::Expire),
        2 => Just(Step::Redrive),
        2 => Just(Step::Sweep),
    ];
    (0..JOBS, what)
}

/// A job as it should be.
#[derive(Debug, Clone)]
struct Model {
    state: JobState,
    attempts: i32,
    crashes: i32,
    lone_crashes: i32,
    /// Number of the claim that may finish it, and whether it runs alone.
    claim: Option<(usize, bool)>,
    silent: u64,
    finished_by: Option<usize>,
}

impl Model {
    fn new() -> Self {
        Self {
            state: JobState::Waiting,
            attempts: 0,
            crashes: 0,
            lone_crashes: 0,
            claim: None,
            silent: 0,
            finished_by: None,
        }
    }

    /// The event happens if the table has it.
    fn happen(&mut self, event: Event) -> bool {
        let Some(next) = self.state.after(event) else {
            return false;
        };
        self.state = next;
        if next != JobState::Running {
            self.claim = None;
        }
        true
    }

    fn holds(&self, claim: usize) -> bool {
        self.state == JobState::Running && self.claim.is_some_and(|(current, _)| current == claim)
    }

    fn crash(&mut self) {
        match self.claim {
            Some((_, true)) => self.lone_crashes += 1,
            Some((_, false)) => self.crashes += 1,
            None => {}
        }
    }

    /// What a worker is answered; `number` is the new claim's.
    fn deliver(&mut self, number: usize, alone: bool) -> &'static str {
        if !self.state.is_live() {
            return "ended";
        }
        if self.state == JobState::Running && self.silent <= TAKEOVER_AFTER.as_secs() {
            return "running elsewhere";
        }
        let before = self.clone();
        if self.state == JobState::Running {
            self.crash();
        }
        if self.lone_crashes >= POISON_CRASHES {
            self.happen(Event::Failed);
            return "poison";
        }
        if self.crashes >= SUSPECT_CRASHES && !alone {
            *self = before;
            return "suspect";
        }
        self.happen(Event::Claimed);
        (self.claim, self.silent) = (Some((number, alone)), 0);
        self.attempts += 1;
        "granted"
    }

    fn sweep(&mut self) {
        if self.state != JobState::Running || self.silent <= BURIED_AFTER {
            return;
        }
        self.crash();
        let poison = self.lone_crashes >= POISON_CRASHES;
        self.happen(if poison { Event::Failed } else { Event::Crashed });
    }
}

/// A job, and every claim that it ever had.
struct Job {
    key: JobKey,
    model: Model,
    claims: Vec<Claim>,
}

#[tokio::test]
async fn whatever_the_order_the_database_is_as_the_model() {
    let fixture = Fixture::direct().await;
    let mut runner = TestRunner::deterministic();
    for _ in 0..ORDERS {
        let steps = prop::collection::vec(step(), STEPS)
            .new_tree(&mut runner)
            .unwrap()
            .current();
        try_order(&fixture, &steps).await;
    }
}

async fn try_order(fixture: &Fixture, steps: &[(usize, Step)]) {
    let (mut all, mut db) = (
        Vec::new(),
        fixture.raw(sharding::bucket_of(&CLIENT.parse().unwrap())).await,
    );
    for _ in 0..JOBS {
        let (key, _) = fixture.accept(CLIENT).await;
        fixture.unlease(key).await;
        all.push(Job {
            key,
            model: Model::new(),
            claims: Vec::new(),
        });
    }
    for (at, (which, step)) in steps.iter().enumerate() {
        let told = || format!("step {at}, {step:?} of job {which}, in {steps:?}");
        for job in all.iter().filter(|job| job.model.state == JobState::Running) {
            Fixture::set_silence(&mut db, job.key, job.model.silent).await;
        }
        if matches!(step, Step::Sweep) {
            while sweep::dead_claims(fixture.shard_of(all[0].key)).await.unwrap() > 0 {}
            all.iter_mut().for_each(|job| job.model.sweep());
        } else {
            happen(fixture, &mut all[*which], *step, told).await;
        }
        for job in &all {
            let seen = fixture.job(job.key, CLIENT).await;
            let expected = (job.model.state, job.model.attempts);
            assert_eq!((seen.state, seen.attempts), expected, "{}", told());
        }
    }
    for job in &all {
        let expected: Vec<String> = job.model.finished_by.iter().map(ToString::to_string).collect();
        assert_eq!(fixture.entity_texts(job.key).await, expected, "{steps:?}");
        fixture.forget(job.key).await;
    }
}

async fn happen(fixture: &Fixture, job: &mut Job, step: Step, told: impl Fn() -> String) {
    let (shards, shard) = (&fixture.shards, fixture.shard_of(job.key));
    let Job { key, model, claims } = job;
    match step {
        Step::Publish => {
            let lease = Uuid::new_v4();
            dispatch::lease(shard, &[*key], lease).await.unwrap();
            dispatch::mark_published(shard, &[*key], lease).await.unwrap();
            model.happen(Event::Published);
        }
        Step::LoseMessage => {
            fixture.set_published_long_ago(*key).await;
            sweep::lost_messages(shard).await.unwrap();
            model.happen(Event::Requeued);
        }
        Step::Deliver { alone } => {
            let answer = if alone {
                fixture.claim_alone(*key, "w").await
            } else {
                fixture.claim(*key, "w").await
            };
            assert_eq!(name(&answer), model.deliver(claims.len(), alone), "{}", told());
            if matches!(answer, Answer::Granted(_)) {
                claims.push(granted(answer));
            }
        }
        Step::BeSilent => model.silent += SILENCE,
        Step::Cancel => {
            let mut tx = shards.begin(key.bucket).await.unwrap();
            jobs::cancel(&mut tx, *key, &CLIENT.parse().unwrap()).await.unwrap();
            tx.commit().await.unwrap();
            model.happen(Event::Cancelled);
        }
        Step::Expire => {
            fixture.set_deadline_passed(*key).await;
            sweep::late(shard).await.unwrap();
            model.happen(Event::Expired);
        }
        Step::Redrive => {
            let redriven = dead::redrive(shard, &[(*key, Duration::ZERO)], "test").await.unwrap();
            let happened = model.happen(Event::Redriven);
            assert_eq!(redriven.len(), usize::from(happened), "{}", told());
            if happened {
                (model.crashes, model.lone_crashes) = (0, 0);
            }
        }
        Step::Sweep => unreachable!("it happens to all jobs"),
        Step::Heartbeat { claim }
        | Step::Finish { claim }
        | Step::Error { claim }
        | Step::Fail { claim }
        | Step::GiveBack { claim }
        | Step::Postpone { claim } => {
            let Some(number) = claims.len().checked_sub(claim + 1) else {
                return;
            };
            let done = end(fixture, &claims[number], number, step).await;
            assert_eq!(done, model.holds(number), "{}", told());
            if done {
                end_model(model, number, step);
            }
        }
    }
}

/// A claim's own word on its job; whether it was taken.
async fn end(fixture: &Fixture, claim: &Claim, number: usize, step: Step) -> bool {
    let (shards, shard) = (&fixture.shards, fixture.shard_of(claim.key));
    match step {
        Step::Heartbeat { .. } => {
            let held = [Beat {
                key: claim.key,
                token: claim.token,
                progress: None,
            }];
            let lost = claims::lost(shard, &held).await.unwrap();
            assert_eq!(claims::heartbeat(shard, &held).await.unwrap(), lost);
            lost.is_empty()
        }
        Step::Finish { .. } => {
            let found = analysis(&number.to_string());
            // Alone and together by turns: both ways write.
            if number.is_multiple_of(2) {
                results::save(shards, claim, &found).await.unwrap()
            } else {
                results::save_together(shard, &[(claim, &found)]).await.unwrap() == [Saved::Yes]
            }
        }
        Step::Error { .. } => claims::wait_again(shards, claim, Duration::ZERO, "test").await.unwrap(),
        Step::Fail { .. } => {
            let failure = Failure {
                kind: "model_error",
                detail: String::new(),
            };
            results::save_failure(shards, claim, &failure).await.unwrap()
        }
        Step::GiveBack { .. } => claims::give_back(shards, claim.key, claim.token).await.unwrap(),
        Step::Postpone { .. } => claims::postpone(shards, claim, Duration::ZERO, "test").await.unwrap(),
        _ => unreachable!("no claim says this"),
    }
}

fn end_model(model: &mut Model, number: usize, step: Step) {
    let event = match step {
        Step::Heartbeat { .. } => {
            model.silent = 0;
            return;
        }
        Step::Finish { .. } => {
            model.finished_by = Some(number);
            Event::Succeeded
        }
        Step::Error { .. } => Event::Errored,
        Step::Fail { .. } => Event::Failed,
        Step::GiveBack { .. } => Event::GivenBack,
        Step::Postpone { .. } => Event::Postponed,
        _ => unreachable!("no claim says this"),
    };
    if matches!(event, Event::GivenBack | Event::Postponed) {
        model.attempts -= 1;
    }
    model.happen(event);
}

fn name(answer: &Answer) -> &'static str {
    match answer {
        Answer::Granted(_) => "granted",
        Answer::Ended => "ended",
        Answer::NotDue => "not due",
        Answer::Paused => "paused",
        Answer::Expired => "expired",
        Answer::RunningElsewhere => "running elsewhere",
        Answer::Suspect => "suspect",
        Answer::Poison => "poison",
    }
}
