//! A container's first process has no default actions: an unhandled signal is lost.

use std::collections::HashMap;
use std::process::Stdio;
use std::time::Duration;

use docket_e2e::system;
use docket_testing::World;
use rustix::process::Signal;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

/// Far longer than a program takes to connect.
const CONNECTS_WITHIN: Duration = Duration::from_secs(60);
/// Far less than the 30 s after which Kubernetes kills.
const ENDS_WITHIN: Duration = Duration::from_secs(10);

/// Starts a program without a default action for SIGTERM, as a container's first process is.
fn start(program: &str, arguments: &[&str], env: &HashMap<String, String>) -> Child {
    let command = Command::new("sh")
        .args(["-c", "trap '' TERM; exec \"$0\" \"$@\""])
        .arg(docket_testing::binary(program))
        .args(arguments)
        .envs(env)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    command.unwrap()
}

/// The exit code of a program that is stopped while every server accepts connections and stays silent.
async fn exit_code(program: &str, arguments: &[&str], world: &World) -> Option<i32> {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let mut env = world.env();
    for (setting, value) in [
        ("DOCKET_CATALOG_URL", format!("postgres://docket:x@{address}/catalog")),
        ("DOCKET_SHARD_URLS", format!("s1=postgres://docket:x@{address}/s1")),
        ("DOCKET_S3_ENDPOINT", format!("http://{address}")),
    ] {
        env.insert(setting.to_owned(), value);
    }
    let mut child = start(program, arguments, &env);
    let _waiting = tokio::select! {
        connected = tokio::time::timeout(CONNECTS_WITHIN, silent.accept()) => connected.expect("it connects").unwrap(),
        ended = child.wait() => panic!("{program} {arguments:?} ended by itself: {ended:?}"),
    };
    system::signal(&child, Signal::TERM);
    let ended = tokio::time::timeout(ENDS_WITHIN, child.wait()).await;
    ended
        .unwrap_or_else(|_| panic!("{program} {arguments:?} heard nothing"))
        .unwrap()
        .code()
}

#[tokio::test]
async fn a_program_that_waits_for_a_server_ends_on_a_signal() {
    docket_testing::build_binaries();
    let world = World::start().await;
    for (program, arguments, code) in [
        ("docket-producer", ["serve"].as_slice(), 0),
        ("docket-producer", &["migrate"], 143),
        ("docket-producer", &["doctor"], 143),
        ("docket-worker", &["run"], 0),
        ("docket-worker", &["models", "list"], 143),
    ] {
        let ended = exit_code(program, arguments, &world).await;
        assert_eq!(ended, Some(code), "{program} {arguments:?}");
    }
}
