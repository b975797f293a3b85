//! The test stack of a checkout: one set of servers for all test processes, kept by a process of its own.
//!
//! Clients connect to a socket, read one line of JSON ([`StackInfo`]) and keep the connection for as long as they need the
//! servers. Over the connection they say which worlds they make and leave. When a connection closes, its worlds are removed. Once
//! no client has been connected for a while, all servers are stopped.

use std::collections::HashSet;
use std::fs::{self, File};
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::future::join_all;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::checkout::Checkout;
use crate::deps::Deps;
use crate::info::StackInfo;
use crate::postgres::{self, Admin};
use crate::s3::S3Server;
use crate::stack::{Stack, StackOptions};
use crate::state::StateDir;

/// Shards of the test stack: the fewest that put two clients on different shards.
pub const SHARDS: usize = 2;
/// Folder of the models that workers keep, with a folder for each world: worlds publish different models under one name.
pub const MODELS: &str = "models";
/// How long the servers stay after the last client: long enough to start the next test run by hand.
const LINGER: Duration = Duration::from_secs(30);
/// How often the servers and the clients are checked.
const TICK: Duration = Duration::from_secs(1);
/// How long ended processes may still count as clients.
const LEAVING_DEADLINE: Duration = Duration::from_secs(1);
/// Pause between counts of the clients during [`LEAVING_DEADLINE`].
const LEAVING_INTERVAL: Duration = Duration::from_millis(20);
/// How long to wait for a predecessor that is stopping its servers.
const PREDECESSOR_DEADLINE: Duration = Duration::from_secs(60);

/// A message of a client.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum Request {
    /// The client makes this world: the world is removed if the client dies.
    World {
        /// The world's id.
        id: String,
    },
    /// The client has left this world, which is removed now.
    Leave {
        /// The world's id.
        id: String,
    },
    /// Stop everything now, unless other clients need the servers. The answer is a line of JSON, `true` or `false`.
    Stop,
}

/// State folder of a checkout's test stack.
pub fn folder(checkout: &Checkout) -> Result<PathBuf> {
    let folder = checkout.state()?.join("test");
    fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    Ok(folder)
}

/// Calls `act` with a short path of the socket, whatever the checkout's path: sockets allow 107 bytes only.
pub fn at_socket<T>(folder: &Path, act: impl FnOnce(&Path) -> std::io::Result<T>) -> std::io::Result<T> {
    let opened = File::open(folder)?;
    act(Path::new(&format!("/proc/self/fd/{}/stack.sock", opened.as_raw_fd())))
}

/// Runs the test stack until no client has needed it for half a minute.
pub async fn run(checkout: &Checkout) -> Result<()> {
    let folder = folder(checkout)?;
    let state = StateDir::hold(&folder, PREDECESSOR_DEADLINE).await?;
    let _ = fs::remove_file(folder.join("stack.sock")); // The socket of a killed predecessor.
    for passing in ["brokers", "pgbouncers", "prometheus", "certificates", MODELS] {
        let _ = fs::remove_dir_all(folder.join(passing)); // Folders of killed tests.
    }
    let deps = Deps::ensure(&checkout.state()?).await?;
    let mut stack = Stack::start(StackOptions {
        state,
        deps,
        shards: SHARDS,
        durable: false,
    })
    .await?;
    sweep(stack.info(), stack.s3()).await?;
    let served = serve(&mut stack, &folder).await;
    stack.stop().await;
    served
}

async fn serve(stack: &mut Stack, folder: &Path) -> Result<()> {
    let listener = at_socket(folder, |path| std::os::unix::net::UnixListener::bind(path)).context("make the socket")?;
    listener.set_nonblocking(true)?;
    let listener = UnixListener::from_std(listener)?;
    let stop = CancellationToken::new();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let tasks = TaskTracker::new();
    let shared = Arc::new(Shared {
        info: stack.info().clone(),
        s3: stack.s3().clone(),
        clients: AtomicUsize::new(0),
        tasks: tasks.clone(),
    });
    let mut tick = tokio::time::interval(TICK);
    let mut needed = Instant::now();
    let outcome = loop {
        tokio::select! {
            () = stop.cancelled() => break Ok(()),
            _ = interrupt.recv() => break Ok(()),
            _ = terminate.recv() => break Ok(()),
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                shared.clients.fetch_add(1, Ordering::SeqCst);
                tasks.spawn(Arc::clone(&shared).attend(stream, stop.clone()));
            },
            _ = tick.tick() => {
                if let Err(error) = stack.check() { break Err(error) }
                if shared.clients.load(Ordering::SeqCst) > 0 { needed = Instant::now() }
                if needed.elapsed() > LINGER || (needed.elapsed() > TICK && is_outdated()) { break Ok(()) }
            }
        }
    };
    // The socket goes first, so that new clients start a stack of their own.
    let _ = fs::remove_file(folder.join("stack.sock"));
    drop(listener);
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    outcome
}

/// Whether this program's file was replaced since it started.
fn is_outdated() -> bool {
    fs::read_link("/proc/self/exe").is_ok_and(|path| path.to_string_lossy().ends_with(" (deleted)"))
}

struct Shared {
    info: StackInfo,
    s3: Arc<S3Server>,
    clients: AtomicUsize,
    tasks: TaskTracker,
}

impl Shared {
    async fn attend(self: Arc<Self>, mut stream: UnixStream, stop: CancellationToken) {
        let mut worlds = HashSet::new();
        let outcome = stop
            .run_until_cancelled(self.listen(&mut stream, &mut worlds, &stop))
            .await;
        if let Some(Err(error)) = outcome {
            eprintln!("a client: {error:#}");
        }
        self.clients.fetch_sub(1, Ordering::SeqCst);
        worlds.into_iter().for_each(|id| self.remove_world(id));
    }

    async fn listen(
        self: &Arc<Self>,
        stream: &mut UnixStream,
        worlds: &mut HashSet<String>,
        stop: &CancellationToken,
    ) -> Result<()> {
        let (reader, mut writer) = stream.split();
        let mut info = serde_json::to_vec(&self.info)?;
        info.push(b'\n');
        writer.write_all(&info).await?;
        let mut lines = BufReader::new(reader).lines();
        while let Some(line) = lines.next_line().await? {
            match serde_json::from_str(&line).context("understand a client")? {
                Request::World { id } => drop(worlds.insert(id)),
                Request::Leave { id } => {
                    worlds.remove(&id);
                    self.remove_world(id);
                }
                Request::Stop => {
                    let is_last = self.is_left_alone().await;
                    writer.write_all(format!("{is_last}\n").as_bytes()).await?;
                    if is_last {
                        stop.cancel();
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the asking client is the only one. Processes that have just ended may count for a moment.
    async fn is_left_alone(&self) -> bool {
        let asked = Instant::now();
        while self.clients.load(Ordering::SeqCst) > 1 && asked.elapsed() < LEAVING_DEADLINE {
            tokio::time::sleep(LEAVING_INTERVAL).await;
        }
        self.clients.load(Ordering::SeqCst) == 1
    }

    /// Removes a world in the background, so that no client waits.
    fn remove_world(self: &Arc<Self>, id: String) {
        let shared = Arc::clone(self);
        self.tasks.spawn(async move {
            if let Err(error) = remove(&shared.info, &shared.s3, &id).await {
                eprintln!("remove world {id}: {error:#}"); // The next start removes the rest.
            }
        });
    }
}

/// Removes the worlds whose processes and daemon were killed.
async fn sweep(info: &StackInfo, s3: &S3Server) -> Result<()> {
    remove(info, s3, "").await
}

/// Removes the databases, vhosts and buckets of all worlds whose id begins with `id`.
async fn remove(info: &StackInfo, s3: &S3Server, id: &str) -> Result<()> {
    for bucket in s3.buckets(&format!("w-{id}")) {
        s3.remove_bucket(&bucket)?;
    }
    let prefix = format!("w_{id}");
    let databases = join_all(info.clusters().map(|cluster| drop_databases(cluster, &prefix))).await;
    databases.into_iter().collect::<Result<()>>()?;
    let management = info.rabbit.management()?;
    for vhost in management
        .vhosts()
        .await?
        .iter()
        .filter(|vhost| vhost.starts_with(&prefix))
    {
        management.delete_vhost(vhost).await?;
    }
    Ok(())
}

async fn drop_databases(cluster: &postgres::Endpoint, prefix: &str) -> Result<()> {
    let mut admin = Admin::connect(cluster, "postgres").await?;
    for database in admin.databases(prefix).await? {
        admin.drop(&database).await?;
    }
    admin.disconnect().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_works_in_a_deep_folder() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("d".repeat(120)).join("e".repeat(120));
        fs::create_dir_all(&deep).unwrap();
        let listener = at_socket(&deep, |path| std::os::unix::net::UnixListener::bind(path)).unwrap();
        at_socket(&deep, |path| std::os::unix::net::UnixStream::connect(path)).unwrap();
        listener.accept().unwrap();
    }
}
