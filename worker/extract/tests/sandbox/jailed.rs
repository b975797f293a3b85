//! What a process that reads a picture cannot reach: other programs in Tesseract's place try.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output, Stdio};

use docket_extract::sandbox::JAIL_COMMAND;

pub const FACTS: &[(&str, fn())] = &[
    (
        "a_jailed_program_reads_only_libraries",
        a_jailed_program_reads_only_libraries,
    ),
    (
        "a_jailed_program_starts_nothing_and_reaches_nobody",
        a_jailed_program_starts_nothing,
    ),
    (
        "a_jailed_program_has_bounded_memory_and_writes_no_file",
        a_jailed_program_has_bounded_memory,
    ),
    ("a_jailed_program_inherits_nothing", a_jailed_program_inherits_nothing),
    ("a_program_that_is_missing_is_said", a_program_that_is_missing),
];

fn jailed(program: &[&str]) -> Output {
    let mut command = Command::new("/proc/self/exe");
    command.args([JAIL_COMMAND, "true"]).args(program);
    command.env("DOCKET_SECRET", "of the parent").stdin(Stdio::null());
    command.output().unwrap()
}

fn shell(script: &str) -> Output {
    jailed(&["/bin/sh", "-c", script])
}

fn a_jailed_program_reads_only_libraries() {
    for file in ["/usr/lib/os-release", "/etc/ld.so.cache"] {
        assert!(jailed(&["/bin/cat", file]).status.success(), "{file}");
    }
    for file in [
        "/etc/passwd",
        "/proc/self/environ",
        "/proc/1/cmdline",
        env!("CARGO_MANIFEST_DIR"),
    ] {
        let output = jailed(&["/bin/cat", file]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{file}");
    }
}

fn a_jailed_program_starts_nothing() {
    // A host's name is asked of other processes and hosts, by sockets.
    for script in [
        "exec /usr/bin/getent ahosts example.invalid",
        "/bin/true; exit 0",
        "kill -9 $PPID",
        "exec /usr/bin/prlimit --pid $PPID --cpu=9",
        "exec /bin/chmod 777 /proc/self",
    ] {
        assert_eq!(shell(script).status.signal(), Some(libc::SIGSYS), "{script}");
    }
}

fn a_jailed_program_has_bounded_memory() {
    let of_length = |doublings| {
        let doubling = "x=$x$x; ".repeat(doublings);
        shell(&format!("x=a; {doubling}"))
    };
    assert!(of_length(20).status.success());
    assert!(!of_length(31).status.success());
    for folder in ["/tmp", "/usr", "/dev/shm"] {
        let write = format!("echo > {folder}/of-a-jailed-program");
        assert!(!shell(&write).status.success(), "{folder}");
    }
}

fn a_jailed_program_inherits_nothing() {
    let environment = jailed(&["/usr/bin/env"]);
    assert_eq!(String::from_utf8(environment.stdout).unwrap(), "OMP_THREAD_LIMIT=1\n");
    let niceness = jailed(&["/usr/bin/nice"]);
    let niceness: i32 = String::from_utf8(niceness.stdout).unwrap().trim().parse().unwrap();
    assert!(niceness >= 10, "{niceness}");
}

fn a_program_that_is_missing() {
    assert_eq!(jailed(&["/usr/bin/no-such-program"]).status.code(), Some(125));
    let none = Command::new("/proc/self/exe").arg(JAIL_COMMAND).output().unwrap();
    assert_eq!(none.status.code(), Some(122));
}
