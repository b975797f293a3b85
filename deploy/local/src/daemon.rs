//! The test stack of a checkout: one set of servers for all test processes, kept by a process of its own.
//!
//! Clients connect to a socket, read one line of JSON ([`StackInfo`]) and keep the connection for as long as they need
//! the servers; over it they say which worlds they make and leave. The worlds of a connection that closes are removed.
//! When nobody has been connected for a while, all servers are stopped.

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

/// Shards of the test stack: the fewest with which a client can be on another one.
pub const SHARDS: usize = 2;
/// Folder of the models that workers keep, with a folder for each world: tests publish different models under one name.
pub(crate) const MODELS: &str = "models";
/// How long the servers stay after the last client: as long as it takes to start the next test run by hand.
const LINGER: Duration = Duration::from_secs(30);
/// How often the servers and the clock are looked at.
const TICK: Duration = Duration::from_secs(1);
/// How long ended processes may still count as clients.
const LEAVING_DEADLINE: Duration = Duration::from_secs(1);
/// How often clients are counted meanwhile.
const LEAVING_INTERVAL: Duration = Duration::from_millis(20);
/// How long to wait for a predecessor that is stopping its servers.
const PREDECESSOR_DEADLINE: Duration = Duration::from_secs(60);

/// What a client says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum Request {
    /// It makes this world: if it dies, the world is to be removed.
    World {
        /// Which one.
        id: String,
    },
    /// It needs this world no more.
    Leave {
        /// Which one.
        id: String,
    },
    /// Everything is to be stopped now, unless others need it. The answer is a line of JSON, `true` or `false`.
    Stop,
}

/// State folder of a checkout's test stack.
pub fn folder(checkout: &Checkout) -> Result<PathBuf> {
    let folder = checkout.state()?.join("test");
    fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    Ok(folder)
}

/// The path by which `act` can reach the socket, however long that of the checkout is: sockets allow 107 bytes only.
pub fn at_socket<T>(folder: &Path, act: impl FnOnce(&Path) -> std::io::Result<T>) -> std::io::Result<T> {
    let opened = File::open(folder)?;
    act(Path::new(&format!("/proc/self/fd/{}/stack.sock", opened.as_raw_fd())))
}

/// Runs the test stack until nobody needs it.
pub async fn run(checkout: &Checkout) -> Result<()> {
    let folder = folder(checkout)?;
    let state = StateDir::hold(&folder, PREDECESSOR_DEADLINE).await?;
    let _ = fs::remove_file(folder.join("stack.sock")); // A killed predecessor's.
    for passing in ["brokers", "pgbouncers", "prometheus", "certificates", MODELS] {
        let _ = fs::remove_dir_all(folder.join(passing)); // Those of killed tests.
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
    // First the name, so that clients who come now start a stack of their own.
    let _ = fs::remove_file(folder.join("stack.sock"));
    drop(listener);
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    outcome
}

/// Whether this program was built anew since it was started.
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

    /// Whether the client that asks is the only one. Processes that have just ended may still be counted.
    async fn is_left_alone(&self) -> bool {
        let asked = Instant::now();
        while self.clients.load(Ordering::SeqCst) > 1 && asked.elapsed() < LEAVING_DEADLINE {
            tokio::time::sleep(LEAVING_INTERVAL).await;
        }
        self.clients.load(Ordering::SeqCst) == 1
    }

    /// Removes a world beside everything else, so that no client waits for it.
    fn remove_world(self: &Arc<Self>, id: String) {
        let shared = Arc::clone(self);
        self.tasks.spawn(async move {
            if let Err(error) = remove(&shared.info, &shared.s3, &id).await {
                eprintln!("remove world {id}: {error:#}"); // The next start sweeps it.
            }
        });
    }
}

/// Removes what worlds have left behind whose processes and daemon were killed.
async fn sweep(info: &StackInfo, s3: &S3Server) -> Result<()> {
    remove(info, s3, "").await
}

/// Removes the databases, vhosts and buckets of the worlds whose id begins so.
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
