//! The scripts beside the launcher, with a cargo that only waits.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use docket_local::poll;
use docket_local::testing;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

/// Far longer than a script takes to reach its build, or to end it.
const SOON: Duration = Duration::from_secs(60);

/// A `cargo` that starts a compiler, notes both process ids, and waits.
const CARGO: &str = "#!/bin/sh\nsleep 600 &\necho \"$$ $!\" > \"$PIDS.draft\"\nmv \"$PIDS.draft\" \"$PIDS\"\nwait\n";

struct Building {
    script: Child,
    builders: Vec<Pid>,
}

async fn build_by(script: &str, folder: &Path) -> Building {
    // Whether there is a pip is asked first, which takes a real Python a while.
    for (name, program) in [("cargo", CARGO), ("python3", "#!/bin/sh\n")] {
        let path = folder.join(name);
        fs::write(&path, program).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let pids = folder.join("pids");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let script = Command::new(testing::checkout().root().join("deploy/local").join(script))
        .env("PATH", path)
        .env("HOME", folder) // Cargo's own settings there would put the real one first.
        .env("PIDS", &pids)
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let text = poll::until("the build begins", SOON, async || Ok(fs::read_to_string(&pids).ok()))
        .await
        .unwrap();
    let builders = text
        .split_whitespace()
        .map(|pid| Pid::from_raw(pid.parse().unwrap()).unwrap());
    Building {
        script,
        builders: builders.collect(),
    }
}

/// Whether a process has not ended, be it that nobody has asked how it did.
fn runs(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with('Z'))
}

#[tokio::test]
async fn a_script_that_is_told_to_stop_ends_cargo_and_its_compilers() {
    for script in ["run", "test", "bench", "chaos"] {
        for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
            let folder = tempfile::tempdir().unwrap();
            let mut building = build_by(script, folder.path()).await;
            let pid = Pid::from_raw(building.script.id().unwrap().cast_signed()).unwrap();
            kill_process(pid, signal).unwrap();
            let ended = tokio::time::timeout(SOON, building.script.wait()).await;
            assert_eq!(ended.unwrap().unwrap().code(), Some(code), "{script}, {signal:?}");
            poll::until("cargo and its compiler end", SOON, async || {
                let left = building.builders.iter().any(|pid| runs(*pid));
                Ok((!left).then_some(()))
            })
            .await
            .unwrap();
        }
    }
}
