//! Children do not disturb one another, and none outlives its use.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use docket_extract::place_for_any_scan;
use docket_extract::sandbox::{ParseError, Pool, StartError, Unavailable};
use tokio::sync::oneshot;

use crate::deeds::Deed;
use crate::world;

pub const FACTS: &[(&str, fn())] = &[
    ("a_crash_disturbs_no_other_document", a_crash_disturbs_no_other_document),
    (
        "a_document_whose_caller_leaves_is_stopped",
        a_document_whose_caller_leaves_is_stopped,
    ),
    (
        "a_pool_lives_through_a_hundred_crashes",
        a_pool_lives_through_a_hundred_crashes,
    ),
    ("no_more_children_work_than_may", no_more_children_work_than_may),
    ("a_dropped_pool_leaves_no_child", a_dropped_pool_leaves_no_child),
    (
        "a_child_killed_while_it_waits_is_replaced",
        a_child_killed_while_it_waits_is_replaced,
    ),
    (
        "children_end_with_a_parent_that_is_killed",
        children_end_with_a_parent_that_is_killed,
    ),
    (
        "a_pool_outlives_the_runtime_that_started_it",
        a_pool_outlives_the_runtime_that_started_it,
    ),
    (
        "a_pool_needs_the_whole_sandbox_if_that_is_required",
        a_pool_needs_the_whole_sandbox,
    ),
    (
        "a_pool_whose_children_do_not_start_says_so",
        a_pool_whose_children_do_not_start_says_so,
    ),
];

/// State and parent of a process, while there is one.
fn process(id: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// Whether a process has ended. Its parent, or whoever inherits it, may take its time to reap it.
fn ended(id: &u32) -> bool {
    process(*id).is_none_or(|(state, _)| state == 'Z' || state == 'X')
}

fn children_of(parent: u32) -> HashSet<u32> {
    let ids = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|&id| process(id).is_some_and(|(_, its_parent)| its_parent == parent))
        .collect()
}

/// Parses in a child that names itself and never ends; the first value to arrive is its process ID.
fn endless(pool: Arc<Pool>, deed: Deed) -> (tokio::task::JoinHandle<()>, oneshot::Receiver<u32>) {
    let (tell, told) = oneshot::channel();
    let parse = async move {
        let named = async |summary: &docket_extract::sandbox::Summary<String>| {
            let _ = tell.send(summary.about.parse().unwrap());
            Ok::<(), std::fmt::Error>(())
        };
        let _ = pool
            .parse(world::task(&deed, Bytes::new()), place_for_any_scan, named)
            .await;
    };
    (tokio::spawn(parse), told)
}

fn a_crash_disturbs_no_other_document() {
    world::run(async {
        let pool = world::pool().await;
        let bytes = 32 << 20;
        let quiet = async {
            for _ in 0..3 {
                let parsed = world::outcome(&pool, Deed::Fill(bytes)).await.unwrap();
                assert_eq!(parsed.parts.concat().len(), bytes);
            }
        };
        let wild = async {
            for _ in 0..10 {
                let outcome = world::outcome(&pool, Deed::BadPointer).await;
                assert!(matches!(outcome, Err(ParseError::Crashed(_))), "{outcome:?}");
            }
        };
        tokio::join!(quiet, wild);
    });
}

fn a_document_whose_caller_leaves_is_stopped() {
    world::run(async {
        let pool = Arc::new(world::pool().await);
        for deed in [Deed::NameAndSpin, Deed::NameAndHang] {
            let (parsing, child) = endless(pool.clone(), deed);
            let child = child.await.unwrap();
            assert!(process(child).is_some());
            parsing.abort();
            world::until("the child is still there", || process(child).is_none()).await;
        }
        let echo = world::outcome(&pool, Deed::Echo("on".to_owned())).await;
        assert_eq!(echo.unwrap().about, "on");
    });
}

fn a_pool_lives_through_a_hundred_crashes() {
    world::run(async {
        let pool = world::pool().await;
        for n in 0..100 {
            let deed = [Deed::BadPointer, Deed::Panic, Deed::Exit(0), Deed::Abort][n % 4].clone();
            assert!(world::outcome(&pool, deed).await.is_err());
        }
        let echo = world::outcome(&pool, Deed::Echo("on".to_owned())).await;
        assert_eq!(echo.unwrap().about, "on");
        // Other tests have children too, so each zombie that is seen must go, and not all at once.
        let zombies = children_of(std::process::id()).into_iter();
        let zombies: Vec<u32> = zombies
            .filter(|&id| process(id).is_some_and(|(state, _)| state == 'Z'))
            .collect();
        let gone = || {
            zombies
                .iter()
                .all(|&id| process(id).is_none_or(|(state, _)| state != 'Z'))
        };
        world::until("zombies stay", gone).await;
    });
}

fn no_more_children_work_than_may() {
    world::run(async {
        let pool = Arc::new(world::pool().await);
        let mut working = Vec::new();
        for _ in 0..2 {
            let (parsing, child) = endless(pool.clone(), Deed::NameAndHang);
            working.push((parsing, child.await.unwrap()));
        }
        let echo = Deed::Echo(String::new());
        let mut third = Box::pin(world::outcome(&pool, echo));
        let soon = std::time::Duration::from_millis(300);
        assert!(tokio::time::timeout(soon, &mut third).await.is_err(), "two are at work");
        working[0].0.abort();
        assert!(third.await.is_ok());
        working[1].0.abort();
    });
}

/// Other tests have children at the same time: all that are seen must go, since each test ends within seconds.
fn a_dropped_pool_leaves_no_child() {
    world::run(async {
        let mut options = world::options();
        options.warm = 3;
        let pool = world::pool_of(options).await.unwrap();
        let enough = || children_of(std::process::id()).len() >= 3;
        world::until("no children wait", enough).await;
        let children = children_of(std::process::id());
        drop(pool);
        world::until("children stay", || children.iter().all(|&id| process(id).is_none())).await;
    });
}

#[expect(unsafe_code, reason = "std kills only children of its own")]
fn kill(process: u32) {
    unsafe { libc::kill(i32::try_from(process).unwrap(), libc::SIGKILL) };
}

fn a_child_killed_while_it_waits_is_replaced() {
    // A process of its own, so that all of its children are those of one pool.
    let (mut parent, said) = start_parent();
    let children: Vec<u32> = said.split_whitespace().skip(1).map(|id| id.parse().unwrap()).collect();
    children.iter().for_each(|&child| kill(child));
    world::run(world::until("children stay", || children.iter().all(ended)));
    let mut answer = String::new();
    parent.stdin.take().unwrap();
    BufReader::new(parent.stdout.take().unwrap())
        .read_line(&mut answer)
        .unwrap();
    assert_eq!(answer, "on\n");
    parent.wait().unwrap();
}

/// A parent with one child at work and some that wait. It prints their process IDs, and once its input ends, whether its pool goes
/// on.
pub fn parent() -> ExitCode {
    world::run(async {
        let pool = Arc::new(world::pool().await);
        let (_parsing, child) = endless(pool.clone(), Deed::NameAndHang);
        let working = child.await.unwrap();
        let mut children = HashSet::new();
        let waiting = || {
            children = children_of(std::process::id());
            children.len() == 3
        };
        world::until("no child waits", waiting).await;
        let waiting = children.into_iter().filter(|&id| id != working);
        let ids: Vec<String> = [working].into_iter().chain(waiting).map(|id| id.to_string()).collect();
        println!("{}", ids.join(" "));
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).unwrap();
        println!(
            "{}",
            world::outcome(&pool, Deed::Echo("on".to_owned())).await.unwrap().about
        );
    });
    ExitCode::SUCCESS
}

fn start_parent() -> (std::process::Child, String) {
    let mut parent = Command::new("/proc/self/exe");
    let mut parent = parent
        .arg(world::PARENT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut stdout = BufReader::with_capacity(1, parent.stdout.take().unwrap());
    stdout.read_line(&mut said).unwrap();
    parent.stdout = Some(stdout.into_inner());
    (parent, said)
}

fn children_end_with_a_parent_that_is_killed() {
    let (mut parent, said) = start_parent();
    let children: Vec<u32> = said.split_whitespace().map(|id| id.parse().unwrap()).collect();
    assert_eq!(children.len(), 3);
    parent.kill().unwrap();
    parent.wait().unwrap();
    world::run(world::until("children stay", || children.iter().all(ended)));
}

fn a_pool_outlives_the_runtime_that_started_it() {
    let started = std::thread::spawn(|| world::run(world::pool()));
    let pool = started.join().unwrap();
    let echo = world::run(world::outcome(&pool, Deed::Echo("on".to_owned())));
    assert_eq!(echo.unwrap().about, "on");
    assert_eq!(pool.counts().ended(docket_contract::outcome::ParserEnd::NotReady), 0);
}

fn a_pool_needs_the_whole_sandbox() {
    let mut options = world::options();
    options.arguments = vec![world::WEAK_CHILD.into()];
    let pool = world::run(world::pool_of(options.clone())).unwrap();
    assert!(pool.enforced().missing().is_some());
    options.required = true;
    let error = world::run(world::pool_of(options)).expect_err("the whole sandbox is required");
    assert_eq!(
        error.to_string(),
        "documents would be parsed without their whole sandbox: no seccomp (Linux 5.13 has both); DOCKET_SANDBOX_REQUIRED=false \
         accepts that"
    );
}

fn a_pool_whose_children_do_not_start_says_so() {
    let mut options = world::options();
    options.program = "/nowhere/docket-worker".into();
    let error = world::run(world::pool_of(options.clone()));
    assert!(
        matches!(error, Err(StartError::Unavailable(Unavailable::Spawn(_)))),
        "{error:?}"
    );
    options.program = "/bin/false".into();
    let error = world::run(world::pool_of(options));
    assert!(
        matches!(error, Err(StartError::Unavailable(Unavailable::NotReady))),
        "{error:?}"
    );
}
