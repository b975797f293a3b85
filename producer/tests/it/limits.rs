//! Limits that protect clients from each other: places, connections to a shard, and the memory of the process.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::{Child, Command};

use docket_testing::World;
use futures::future::join_all;
use reqwest::StatusCode;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::api::{ACME, Api, assert_problem, client_on, eventually, execute, shard_of};

/// Connections that send an endless head: fewer than a process accepts, so that a low limit of open files suffices here.
const ENDLESS: usize = 400;

/// Statements of the API that wait for a lock on a client's shard.
async fn waiting(api: &Api, client: &str) -> i64 {
    let mut connection = shard_of(api, client).await;
    let sql = "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'docket'
               and wait_event_type = 'Lock'";
    sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn a_client_that_reads_much_at_once_is_told_so_and_leaves_room_for_others() {
    let api = Api::start().await;
    let (first, second) = (client_on(&api, "s1"), client_on(&api, "s2"));
    let mut shard = shard_of(&api, &first).await;
    // The client's reads wait for this lock.
    execute(&mut shard, "begin; lock table documents in access exclusive mode").await;
    let reads = (0..40).map(|_| api.get(&first, "/v1/documents").send());
    let reads = tokio::spawn(join_all(reads.collect::<Vec<_>>()));
    eventually("its reads are under way", async || waiting(&api, &first).await > 1).await;
    let read = api.get(&second, "/v1/documents").send().await.unwrap();
    assert_eq!(read.status(), StatusCode::OK, "another client's read");
    let mut refused = 0;
    for read in reads.await.unwrap() {
        let read = read.unwrap();
        if read.status() == StatusCode::TOO_MANY_REQUESTS {
            let detail = assert_problem(read, 429, "too-many-requests").await;
            assert!(detail.starts_with("16 requests of this client"), "{detail}");
            refused += 1;
        }
    }
    assert!(refused > 0);
    execute(&mut shard, "rollback").await;
    eventually("its places are free again", async || {
        let read = api.get(&first, "/v1/documents").send().await.unwrap();
        read.status() == StatusCode::OK
    })
    .await;
}

#[tokio::test]
async fn a_query_ends_soon_after_its_caller_has_left() {
    let api = Api::start().await;
    let mut locking = shard_of(&api, ACME).await;
    execute(&mut locking, "begin; lock table documents in access exclusive mode").await;
    let reading = tokio::spawn(api.get(ACME, "/v1/documents").send());
    eventually("the query waits", async || waiting(&api, ACME).await == 1).await;
    reading.abort();
    // Nobody releases the lock: the query ends by itself, sooner than a transaction must.
    eventually("the query has ended", async || waiting(&api, ACME).await == 0).await;
}

/// A producer as a process of its own, whose memory is measured.
struct Producer {
    child: Child,
    address: SocketAddr,
    _world: World,
}

impl Producer {
    async fn start() -> Self {
        let world = World::start().await;
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let mut env: HashMap<String, String> = world.env();
        env.insert("DOCKET_HTTP_ADDR".into(), address.to_string());
        let mut command = Command::new(env!("CARGO_BIN_EXE_docket-producer"));
        let child = command.args(["serve", "--roles", "api"]).envs(env).spawn().unwrap();
        let started = Self {
            child,
            address,
            _world: world,
        };
        // The first request allocates what is allocated once.
        let ready = format!("http://{address}/readyz");
        let is_ready = async || {
            reqwest::get(&ready)
                .await
                .is_ok_and(|answer| answer.status() == StatusCode::OK)
        };
        eventually("it is ready", is_ready).await;
        started
    }

    async fn connect(&self) -> std::io::Result<TcpStream> {
        TcpStream::connect(self.address).await
    }

    /// The producer's largest memory so far, in KiB.
    fn peak(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn heads_without_an_end_hold_little_memory_and_are_refused() {
    let producer = Producer::start().await;
    let before = producer.peak();
    let mut open = Vec::new();
    for _ in 0..ENDLESS {
        let mut caller = producer.connect().await.unwrap();
        caller.write_all(b"GET /livez HTTP/1.1\r\n").await.unwrap();
        open.push(caller);
    }
    // One piece in turn on each connection, so that all hold what they may before the first is refused.
    let line = [b'a'; 1024];
    let mut refused = 0;
    for _ in 0..512 {
        for caller in &mut open {
            refused += usize::from(caller.write_all(&line).await.is_err());
        }
    }
    for mut caller in open {
        let mut answer = Vec::new();
        let _ = caller.read_to_end(&mut answer).await; // Or the connection is reset, since the caller kept sending.
    }
    let grown = producer.peak() - before;
    println!("{ENDLESS} endless heads: {grown} KiB, {refused} refused writes");
    // The bound of `server.rs`, and 8 MiB for memory that has nothing to do with connections.
    assert!(
        grown <= ENDLESS * 64 + 8 * 1024,
        "{grown} KiB for {ENDLESS} connections"
    );
}
