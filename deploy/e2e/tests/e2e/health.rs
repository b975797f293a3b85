//! What the images' health checks run.

use docket_e2e::system::{Program, System};
use docket_local::testing;
use tokio::process::Command;

/// Runs the health check of a program beside a running one; what it complains of.
async fn check(name: &str, setting: &str, running: &Program) -> Result<(), String> {
    let command = Command::new(testing::binary(name))
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
