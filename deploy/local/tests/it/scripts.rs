//! The scripts beside the launcher: in a checkout with a cargo that only waits, and in a release with programs that only print.

use std::env::consts::ARCH;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use docket_local::poll;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// Far longer than a script takes to reach its build, or to end it.
const SOON: Duration = Duration::from_secs(60);

/// A `cargo` that starts a compiler, notes both process ids, and waits.
const CARGO: &str = "#!/bin/sh\nsleep 600 &\necho \"$$ $!\" > \"$PIDS.draft\"\nmv \"$PIDS.draft\" \"$PIDS\"\nwait\n";

fn write_program(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

struct Building {
    script: Child,
    builders: Vec<Pid>,
}

async fn build_by(script: &str, folder: &Path) -> Building {
    // The script first asks whether there is a pip, for which a real Python takes a while.
    for (name, program) in [("cargo", CARGO), ("python3", "#!/bin/sh\n")] {
        write_program(&folder.join(name), program);
    }
    let pids = folder.join("pids");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let script = Command::new(docket_testing::checkout().root().join("deploy/local").join(script))
        .env("PATH", path)
        .env("HOME", folder) // Cargo's own settings in a home folder would put the real cargo first.
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

/// Whether a process still runs; a zombie has ended.
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

/// An unpacked release for a machine. Its programs print their arguments; `tools` holds a Python with pip.
fn unpacked_release(machine: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["deploy/local", "bin", "tools"] {
        fs::create_dir_all(folder.path().join(name)).unwrap();
    }
    for script in ["run", "ctl", "autoscale", "release.sh"] {
        let path = Path::new("deploy/local").join(script);
        fs::copy(docket_testing::checkout().root().join(&path), folder.path().join(path)).unwrap();
    }
    let facts = format!("version=1.2.3\nmachine={machine}\ncommit=abc\n");
    fs::write(folder.path().join("RELEASE"), facts).unwrap();
    for program in ["docket-local", "docket-producer", "docket-worker"] {
        write_program(&folder.path().join("bin").join(program), "#!/bin/sh\necho \"$@\"\n");
    }
    write_program(&folder.path().join("tools/python3"), "#!/bin/sh\n");
    folder
}

/// The output of a release's script, or its error. Its path holds no cargo.
async fn said(release: &Path, script: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(release.join("deploy/local").join(script))
        .args(arguments)
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", release.join("tools").display()))
        .env("HOME", release)
        .output()
        .await
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap().trim_end().to_owned();
    if output.status.success() {
        Ok(text(output.stdout))
    } else {
        Err(text(output.stderr))
    }
}

#[tokio::test]
async fn the_scripts_of_a_release_start_its_programs_and_build_nothing() {
    let release = unpacked_release(ARCH);
    let root = release.path().display();
    for (script, arguments, command) in [
        ("run", vec!["--exit"], "run --exit"),
        ("ctl", vec!["env", "worker"], "env worker"),
        ("autoscale", vec!["--max", "3"], "autoscale --max 3"),
    ] {
        let printed = said(release.path(), script, &arguments).await;
        assert_eq!(printed, Ok(format!("--checkout {root} {command}")));
    }
}

#[tokio::test]
async fn a_release_for_another_machine_says_so() {
    let release = unpacked_release("s390x");
    let message = said(release.path(), "run", &[]).await.unwrap_err();
    let expected = format!("docket: this release is for s390x, but this machine is {ARCH}: take the other archive");
    assert_eq!(message, expected);
}

#[tokio::test]
async fn a_release_names_the_library_that_the_system_lacks() {
    let release = unpacked_release(ARCH);
    let ldd = "#!/bin/sh\necho \"$1: version 'GLIBC_9.9' not found\" >&2\nexit 1\n";
    write_program(&release.path().join("tools/ldd"), ldd);
    let message = said(release.path(), "run", &[]).await.unwrap_err();
    assert!(
        message.starts_with("docket: docket-local of Docket 1.2.3 needs libraries of "),
        "{message}"
    );
    assert!(
        message.ends_with("bin/docket-local: version 'GLIBC_9.9' not found"),
        "{message}"
    );
}
