//! The health checks of the images, and the readiness that a process reports.

use docket_e2e::system::{Program, System};
use docket_local::postgres::Login;
use docket_testing::World;
use tokio::process::Command;

/// Runs a program's health check beside a running process; returns its complaint.
async fn check(name: &str, setting: &str, running: &Program) -> Result<(), String> {
    let command = Command::new(docket_testing::binary(name))
        .env(setting, running.base.trim_start_matches("http://"))
        .arg("healthcheck")
        .output();
    let output = command.await.unwrap();
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

#[tokio::test]
async fn each_program_can_tell_whether_it_is_alive() {
    let mut system = System::start().await;
    let mut worker = system.worker().await;
    for (name, setting, running) in [
        ("docket-producer", "DOCKET_HTTP_ADDR", &mut system.producer),
        ("docket-worker", "DOCKET_WORKER_HTTP_ADDR", &mut worker),
    ] {
        check(name, setting, running).await.unwrap();
        running.freeze();
        let frozen = check(name, setting, running).await.unwrap_err();
        assert!(
            frozen.ends_with("no answer within 3s: deadline has elapsed"),
            "{frozen}"
        );
        running.wake();
        check(name, setting, running).await.unwrap();
        running.kill9().await;
        let gone = check(name, setting, running).await.unwrap_err();
        assert!(gone.contains("connect to 127.0.0.1:"), "{gone}");
    }
}

/// An unready process gets no requests, so none of its requests shows that something is wrong.
#[tokio::test]
async fn a_producer_tells_its_metrics_whether_it_is_ready() {
    let system = System::start().await;
    let shown = async |value: u8| {
        for role in ["api", "dispatch"] {
            let line = format!("docket_ready{{role=\"{role}\"}} {value}");
            system.producer.until_metric(&line).await;
        }
    };
    shown(1).await;
    for shard in ["s1", "s2"] {
        system.world.shard_down(shard).await;
    }
    shown(0).await;
    for shard in ["s1", "s2"] {
        system.world.shard_up(shard).await;
    }
    shown(1).await;
}

#[tokio::test]
async fn pretty_logs_in_a_file_have_no_colours() {
    let world = World::start().await;
    docket_testing::build_binaries();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let log = std::fs::File::create(&path).unwrap();
    let mut producer = Command::new(docket_testing::binary("docket-producer"))
        .args(["serve", "--roles", "dispatch"])
        .envs(world.env_as(Login::Producer))
        .env("DOCKET_LOG_FORMAT", "pretty")
        .stdout(log)
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let said = async || std::fs::read_to_string(&path).unwrap();
    let written = async {
        while !said().await.contains("serving") {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let written = tokio::time::timeout(std::time::Duration::from_secs(60), written).await;
    producer.kill().await.unwrap();
    assert!(written.is_ok(), "{}", said().await);
    assert!(!said().await.contains('\u{1b}'), "{}", said().await);
}
