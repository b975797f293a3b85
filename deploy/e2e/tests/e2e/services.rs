//! Each service in a process of its own, whose login to databases and broker may do only that service's work.

use std::time::Duration;

use docket_e2e::system::{Program, System};
use docket_local::postgres::Login;
use jiff::{SignedDuration, Timestamp};
use tokio::process::Command;

use crate::{LETTER, NO_TEXT};

/// More documents than the accepting process hands over: the dispatcher publishes the rest.
const BURST: usize = 20;
/// Deadline of a job that is to expire: the sweeper looks every few seconds.
const EXPIRES_IN: SignedDuration = SignedDuration::from_secs(3);
/// Far longer than the sweeper takes.
const SOON: Duration = Duration::from_secs(60);

/// What the broker or a database refused a program.
fn refusals(program: &Program) -> Vec<String> {
    let lines = program.log_lines().into_iter().map(|line| line.to_string());
    lines
        .filter(|line| line.contains("permission denied") || line.contains("ACCESS_REFUSED"))
        .collect()
}

#[tokio::test]
async fn each_service_does_its_work_with_a_login_of_its_own() {
    let (system, dispatcher) = System::start_apart().await;
    let mut worker = system.worker().await;
    let caller = system.caller("acme").await;
    let mut burst = Vec::new();
    for _ in 0..BURST {
        burst.push(caller.upload(LETTER).await);
    }
    for accepted in &burst {
        caller.checked_entities(accepted).await;
    }
    let again = caller.analyse_again(&burst[0], "ner-legal").await;
    caller.until(&again, "succeeded").await;
    let unreadable = caller.upload_bytes(NO_TEXT).await;
    caller.until(&unreadable, "failed").await;
    let tomorrow = Timestamp::now() + SignedDuration::from_hours(24);
    let deferred = caller.upload_with(&format!("not_before={tomorrow}"), LETTER).await;
    assert_eq!(caller.cancel(&deferred).await["state"], "cancelled");
    worker.terminate().await;
    let deadline = Timestamp::now() + EXPIRES_IN;
    let late = caller
        .upload_with(&format!("priority=bulk&deadline={deadline}"), LETTER)
        .await;
    let expired = tokio::time::timeout(SOON, caller.until(&late, "expired")).await;
    assert!(expired.is_ok(), "the sweeper ends what is late");

    for (command, said) in [
        (vec!["pause", "--client", "acme"], ""),
        (vec!["resume", "--client", "acme"], ""),
        (vec!["dead", "redrive", &unreadable.job], "1 job waits again"),
        (vec!["parked", "list"], ""),
        (vec!["audit", "list"], "redrive"),
        (vec!["dispatch", "requeue"], ""),
    ] {
        let output = system.operator(&command).await;
        assert!(output.contains(said), "{command:?}: {output}");
    }
    for program in [&system.producer, &dispatcher, &worker] {
        assert_eq!(refusals(program), Vec::<String>::new());
    }
}

#[tokio::test]
async fn the_doctor_finds_each_services_login_to_be_enough() {
    let (system, _dispatcher) = System::start_apart().await;
    for login in [Login::Api, Login::Dispatch, Login::Producer, Login::Worker] {
        let doctor = Command::new(docket_testing::binary("docket-producer"))
            .arg("doctor")
            .envs(system.world.env_as(login))
            .output();
        let said = String::from_utf8(doctor.await.unwrap().stdout).unwrap();
        let enough = said.matches("the role may do what it must").count();
        assert_eq!(enough, 3, "{login:?}, in the catalog and two shards:\n{said}");
        assert!(
            said.contains("the user may declare, publish and consume"),
            "{login:?}:\n{said}"
        );
    }
}
