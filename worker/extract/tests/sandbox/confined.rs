//! What a child cannot reach.

use docket_extract::sandbox::{End, ParseError};

use crate::deeds::{Call, Deed};
use crate::world;

pub const FACTS: &[(&str, fn())] = &[
    (
        "files_and_code_are_refused_and_the_child_lives",
        files_and_code_are_refused,
    ),
    (
        "what_only_an_attack_does_ends_the_child",
        what_only_an_attack_does_ends_the_child,
    ),
    (
        "no_process_outside_can_be_signalled",
        no_process_outside_can_be_signalled,
    ),
    ("a_child_inherits_nothing", a_child_inherits_nothing),
    ("this_kernel_enforces_all", this_kernel_enforces_all),
];

fn files_and_code_are_refused() {
    for call in [
        Call::Open,
        Call::Create,
        Call::OpenFolder,
        Call::Proc,
        Call::MapWritableCode,
        Call::MakeCode,
        Call::RaiseLimit,
        Call::NewPrivileges,
    ] {
        assert_eq!(world::run(world::said(Deed::Call(call))), "EPERM", "{call:?}");
    }
}

fn what_only_an_attack_does_ends_the_child() {
    for call in [
        Call::Connect,
        Call::Udp,
        Call::UnixSocket,
        Call::Fork,
        Call::Thread,
        Call::Exec,
        Call::Ptrace,
        Call::KillParent,
        Call::Memfd,
    ] {
        let outcome = world::run(async { world::outcome(&world::pool().await, Deed::Call(call)).await });
        let ended = matches!(outcome, Err(ParseError::Crashed(End::Signal(libc::SIGSYS))));
        assert!(ended, "{call:?}: {outcome:?}");
    }
}

fn no_process_outside_can_be_signalled() {
    assert_eq!(world::run(world::said(Deed::Call(Call::SignalParent))), "EPERM");
}

fn a_child_inherits_nothing() {
    let glibc = "GLIBC_TUNABLES=glibc.malloc.mmap_threshold=8388608:glibc.malloc.trim_threshold=16777216:\
                 glibc.malloc.tcache_count=10000";
    assert_eq!(
        world::run(world::said(Deed::Inherited)),
        format!(r#"["{glibc}", "MIMALLOC_ARENA_MAX_OBJECT_SIZE=8MiB", "MIMALLOC_ARENA_RESERVE=32MiB"] [0, 1, 2] "/""#)
    );
}

fn this_kernel_enforces_all() {
    let missing = world::run(async { world::pool().await.enforced().missing() });
    assert_eq!(
        missing, None,
        "tests need Linux 6.12, with Landlock and seccomp allowed"
    );
}
