//! Producers and workers as processes. Like an orchestrator, the fleet restarts processes that end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use docket_local::checkout::Checkout;
use docket_local::postgres::Login;
use docket_local::process::{Launch, Process};
use docket_local::proxy::{Mode, Proxy};
use docket_local::{poll, ports};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use tokio::sync::Mutex;

use crate::plan::{self, PRODUCERS, SHARDS, Server, WORKERS};
use crate::servers::{BUCKET, Servers};
use crate::texts::MODEL;

/// Pause between looks for ended processes.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long a process stays suspended that stopped itself at a failpoint.
const STOPPED: Duration = Duration::from_secs(3);
/// How long a process may take to become ready on a busy machine.
const READY_MAX: Duration = Duration::from_secs(60);
/// How long a process may take to stop when asked.
const STOP_MAX: Duration = Duration::from_secs(30);
/// Secret that signs the run's tokens.
const JWT_SECRET: &str = "a secret of chaos, known to everybody who reads it";

/// All processes of a run.
pub struct Fleet {
    /// Producers first, then workers.
    pub members: Vec<Member>,
    /// Settings that lead a command to the servers without a proxy.
    direct: Vec<(String, String)>,
    owner: PathBuf,
}

/// The place of one process, which keeps its address and its proxies through every start.
pub struct Member {
    /// Name of the process in plans.
    pub name: String,
    /// Host and port of its HTTP server.
    pub address: String,
    /// Folder of its models, kept between starts.
    pub cache: PathBuf,
    /// Locked by whoever changes the process.
    pub turn: Mutex<()>,
    links: Vec<(Server, Proxy)>,
    settings: Vec<(String, String)>,
    program: PathBuf,
    log: PathBuf,
    owner: PathBuf,
    running: Mutex<Running>,
}

#[derive(Default)]
struct Running {
    process: Option<Process>,
    /// Only the fault may start the process now.
    is_held: bool,
    /// Only the fault may resume the process.
    is_frozen: bool,
    stopped_since: Option<Instant>,
    starts: usize,
}

/// What one start adds to a process's settings.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// Environment variables and their values.
    pub settings: Vec<(String, String)>,
    /// Largest file that the process may write, in blocks of the shell's `ulimit -f`; `None` is no limit.
    pub file_blocks: Option<u32>,
}

impl Fleet {
    /// Places for all processes, none of them started. `always` is a setting of every start.
    pub async fn new(servers: &Servers, always: Option<(String, String)>) -> Result<Self> {
        let owner = servers.state.path().to_owned();
        std::fs::create_dir_all(owner.join("logs")).context("make a folder for logs")?;
        let direct = settings(servers, |server| match server {
            Server::Broker => servers.to_broker.port,
            other => ports_of(servers, other)[0],
        });
        let mut members = Vec::new();
        for number in 0..PRODUCERS + WORKERS {
            let mut links = Vec::new();
            for server in Server::ALL {
                let mut to = ports_of(servers, server);
                // Processes begin at different nodes.
                let first = number % to.len();
                to.rotate_left(first);
                links.push((server, Proxy::open(&to).await?));
            }
            let port = |server| links.iter().find(|link| link.0 == server).map_or(0, |link| link.1.port);
            let (name, is_producer) = (plan::process(number), number < PRODUCERS);
            let login = if is_producer { Login::Producer } else { Login::Worker };
            let mut settings = with_login(settings(servers, port), login);
            settings.extend(always.clone());
            let (address, cache) = (
                format!("127.0.0.1:{}", ports::pick()?),
                owner.join(name.replace(' ', "-")),
            );
            let listen = if is_producer {
                "DOCKET_HTTP_ADDR"
            } else {
                "DOCKET_WORKER_HTTP_ADDR"
            };
            settings.push((listen.to_owned(), address.clone()));
            settings.push(("DOCKET_MODEL_CACHE_DIR".to_owned(), cache.display().to_string()));
            members.push(Member {
                log: owner.join("logs").join(format!("{}.log", name.replace(' ', "-"))),
                owner: owner.clone(),
                program: Checkout::sibling(if is_producer {
                    "docket-producer"
                } else {
                    "docket-worker"
                })?,
                turn: Mutex::default(),
                running: Mutex::default(),
                name,
                address,
                cache,
                links,
                settings,
            });
        }
        Ok(Self { members, direct, owner })
    }

    /// Starts all processes and waits until they are ready.
    pub async fn start(&self) -> Result<()> {
        for member in &self.members {
            member.start(&Start::default()).await?;
        }
        for member in &self.members {
            member.until_ready().await?;
        }
        Ok(())
    }

    /// Restarts ended processes until it is aborted.
    pub async fn look_after(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            for member in &self.members {
                if let Err(error) = member.look().await {
                    println!("     {}: {error:#}", member.name);
                }
            }
        }
    }

    /// Runs a command of the producer or the worker on the servers, without a proxy; returns its output.
    pub async fn command(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let mut command = docket_bench::program::command(Checkout::sibling(program)?);
        command
            .args(arguments)
            .envs(self.direct.iter().cloned())
            .kill_on_drop(true);
        let output = command.output().await.with_context(|| format!("run {program}"))?;
        if !output.status.success() {
            bail!(
                "{program} {}: {}",
                arguments.join(" "),
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Sets the mode of every process's proxy to a server.
    pub fn set_all(&self, server: Server, mode: Mode) {
        for member in &self.members {
            member.set(server, mode);
        }
    }

    /// Sets all proxies to carry everything.
    pub fn open_all(&self) {
        for server in Server::ALL {
            self.set_all(server, Mode::Open);
        }
    }

    /// Number of starts of all processes so far.
    pub async fn starts(&self) -> usize {
        let mut starts = 0;
        for member in &self.members {
            starts += member.running.lock().await.starts;
        }
        starts
    }

    /// Stops all processes.
    pub async fn stop(&self) {
        for member in &self.members {
            member.end(true).await;
        }
    }

    /// State folder that owns the processes.
    pub fn owner(&self) -> &Path {
        &self.owner
    }
}

impl Member {
    /// Starts the process; the caller holds its turn.
    pub async fn start(&self, start: &Start) -> Result<()> {
        let mut running = self.running.lock().await;
        self.start_within(&mut running, start).await
    }

    async fn start_within(&self, running: &mut Running, start: &Start) -> Result<()> {
        let limit = start.file_blocks.map(|blocks| format!("ulimit -f {blocks}; "));
        // A write beyond the limit must fail, as on a full disk, and not end the process.
        let script = format!("trap '' XFSZ; {}exec \"$@\"", limit.unwrap_or_default());
        let launch = Launch::new(&self.name, "/bin/sh", &self.owner, &self.log);
        let launch = launch.arg("-c").arg(script).arg("docket").arg(&self.program);
        let launch = if self.program.ends_with("docket-producer") {
            launch.arg("serve")
        } else {
            launch
        };
        let settings = self.settings.iter().chain(&start.settings);
        let launch = settings.fold(launch, |launch, (name, value)| launch.env(name, value));
        running.process = Some(launch.spawn().await?);
        running.is_held = false;
        running.starts += 1;
        Ok(())
    }

    async fn look(&self) -> Result<()> {
        let Ok(mut running) = self.running.try_lock() else {
            return Ok(());
        };
        if running.is_held {
            return Ok(());
        }
        let Some(process) = running.process.as_mut() else {
            return Ok(());
        };
        if process.check().is_err() {
            running.stopped_since = None;
            return self.start_within(&mut running, &Start::default()).await;
        }
        let pid = process.pid();
        if running.is_frozen || !is_stopped(pid) {
            running.stopped_since = None;
        } else if running.stopped_since.get_or_insert_with(Instant::now).elapsed() > STOPPED {
            signal(pid, Signal::CONT);
        }
        Ok(())
    }

    /// Waits until `/readyz` answers yes.
    pub async fn until_ready(&self) -> Result<()> {
        let url = format!("http://{}/readyz", self.address);
        poll::until(&format!("{} becomes ready", self.name), READY_MAX, async || {
            let answer = reqwest::get(&url).await;
            Ok(answer.is_ok_and(|answer| answer.status().is_success()).then_some(()))
        })
        .await
    }

    /// Ends the process: as an orchestrator does if `asked`, otherwise as `kill -9` does. Nobody restarts it until
    /// [`Member::start`].
    pub async fn end(&self, asked: bool) {
        let process = {
            let mut running = self.running.lock().await;
            running.is_held = true;
            running.process.take()
        };
        if let Some(process) = process {
            if asked {
                process.stop(Signal::TERM, STOP_MAX).await;
            } else {
                process.kill().await;
            }
        }
    }

    /// Suspends the process for this long.
    pub async fn freeze(&self, lasts: Duration) {
        let Some(pid) = self.set_frozen(true).await else { return };
        signal(pid, Signal::STOP);
        tokio::time::sleep(lasts).await;
        signal(pid, Signal::CONT);
        self.set_frozen(false).await;
    }

    async fn set_frozen(&self, is_frozen: bool) -> Option<u32> {
        let mut running = self.running.lock().await;
        running.is_frozen = is_frozen;
        running.process.as_ref().map(Process::pid)
    }

    /// Limits a resource of the process to this many bytes from now on; `None` lifts the limit.
    pub async fn limit(&self, resource: Resource, bytes: Option<u64>) {
        let pid = self.running.lock().await.process.as_ref().map(Process::pid);
        if let Some(pid) = pid.and_then(|pid| Pid::from_raw(pid.cast_signed())) {
            let _ = prlimit(
                Some(pid),
                resource,
                Rlimit {
                    current: bytes,
                    maximum: None,
                },
            ); // The process may have ended since.
        }
    }

    /// Current address space of the process, in bytes.
    pub async fn address_space(&self) -> Option<u64> {
        let pid = self.running.lock().await.process.as_ref().map(Process::pid)?;
        let pages = std::fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
        let pages: u64 = pages.split(' ').next()?.parse().ok()?;
        Some(pages * rustix::param::page_size() as u64)
    }

    /// Sets the mode of the process's proxy to a server.
    pub fn set(&self, server: Server, mode: Mode) {
        if let Some((_, proxy)) = self.links.iter().find(|link| link.0 == server) {
            proxy.set(mode);
        }
    }
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid.cast_signed()) {
        let _ = kill_process(pid, signal); // The process may have ended since.
    }
}

/// Whether the process is suspended. Its state follows its name, which is in brackets.
fn is_stopped(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('T'))
}

fn ports_of(servers: &Servers, server: Server) -> Vec<u16> {
    match server {
        Server::Broker => servers.rabbit.iter().map(|node| node.amqp_port).collect(),
        Server::Catalog => vec![servers.clusters[0].endpoint.port],
        Server::Shard(number) => vec![servers.clusters[1 + number].endpoint.port],
        Server::Storage => {
            let port = servers.storage().url.rsplit(':').next();
            vec![port.and_then(|port| port.parse().ok()).unwrap_or(0)]
        }
    }
}

/// The settings of a service, with its own login to the databases. A wiped broker loses its users, so all services use the user
/// that the broker makes itself.
fn with_login(settings: Vec<(String, String)>, login: Login) -> Vec<(String, String)> {
    let own = settings.into_iter().filter_map(|(name, value)| match name.as_str() {
        "DOCKET_AMQP_URL" => Some((name, value)),
        _ => login.setting(&name, &value).map(|value| (name, value)),
    });
    own.collect()
}

/// The settings of a process whose servers are at these ports.
fn settings(servers: &Servers, port: impl Fn(Server) -> u16) -> Vec<(String, String)> {
    let shards = (0..SHARDS).map(|number| {
        let shard = &servers.clusters[1 + number];
        format!("{}={}", shard.endpoint.name, shard.url_at(port(Server::Shard(number))))
    });
    let storage = servers.storage();
    let settings = [
        ("DOCKET_AMQP_URL", servers.amqp_at(port(Server::Broker))),
        ("DOCKET_CATALOG_URL", servers.clusters[0].url_at(port(Server::Catalog))),
        ("DOCKET_SHARD_URLS", shards.collect::<Vec<_>>().join(",")),
        (
            "DOCKET_S3_ENDPOINT",
            format!("http://127.0.0.1:{}", port(Server::Storage)),
        ),
        ("DOCKET_S3_BUCKET", BUCKET.to_owned()),
        ("DOCKET_S3_PATH_STYLE", "true".to_owned()),
        ("DOCKET_S3_ACCESS_KEY", storage.access_key.clone()),
        ("DOCKET_S3_SECRET_KEY", storage.secret_key.clone()),
        ("DOCKET_S3_REGION", storage.region.clone()),
        ("DOCKET_JWT_SECRET", JWT_SECRET.to_owned()),
        ("DOCKET_ONNXRUNTIME_LIB", servers.onnxruntime.display().to_string()),
        ("DOCKET_PDFIUM_LIB", servers.pdfium.display().to_string()),
        ("DOCKET_MODELS", MODEL.to_owned()),
        ("DOCKET_MODEL_DEFAULT", MODEL.to_owned()),
        ("DOCKET_SESSIONS", "1".to_owned()),
        ("DOCKET_DRAIN_SECONDS", "3".to_owned()),
    ];
    settings
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
