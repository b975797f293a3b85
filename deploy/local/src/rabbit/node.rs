//! One RabbitMQ node: its configuration, start, health and end.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use futures::future::try_join_all;
use rustix::process::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Endpoint, Management, PROGRAMS, mapper};
use crate::certificates::Identity;
use crate::process::{Launch, Process};
use crate::state::{StateDir, write_private};
use crate::{poll, ports};

/// How long the processes of a killed node may still write.
const WIPE_DEADLINE: Duration = Duration::from_secs(10);
/// How long a starting node may take to answer: 5 s alone, more while a machine also compiles.
const START_DEADLINE: Duration = Duration::from_secs(120);
/// How long a stopping node may take to close its queues and end.
const STOP_DEADLINE: Duration = Duration::from_secs(20);
/// How long each application of a stopping node may take, in milliseconds. Without a limit the management plugin takes five
/// seconds to end, long after queues and messages are safe.
const APPLICATION_STOP_MS: u32 = 1500;
/// How long one look at a starting node may take.
const PROBE_DEADLINE: Duration = Duration::from_secs(2);
/// Starts before giving up: a start may lose its port, or the race with a dying predecessor.
const STARTS_MAX: usize = 3;
/// The first bytes of an AMQP 0-9-1 client.
const AMQP_HEADER: &[u8; 8] = b"AMQP\x00\x00\x09\x01";
/// Type of the server's first frame.
const METHOD_FRAME: u8 = 1;

/// How soon a node of a cluster takes a silent peer for lost, in seconds, give or take a quarter. Longer than a busy machine
/// keeps a peer waiting, far shorter than RabbitMQ's minute, so that tests of partitions end.
const SILENCE_SECONDS: u32 = 8;

/// Where a node lives and how it runs.
#[derive(Debug)]
pub struct NodeOptions {
    /// Name of the node; its host is always `localhost`.
    pub name: String,
    /// Folder of the node alone.
    pub folder: PathBuf,
    /// State folder of the stack that owns the node.
    pub owner: PathBuf,
    /// Ports and administrator that the node will have.
    pub endpoint: Endpoint,
    /// Port of Erlang's distribution protocol.
    pub distribution_port: u16,
    /// Port of the node's private port mapper.
    pub mapper_port: u16,
    /// The vhost that a new node makes.
    pub vhost: String,
    /// The secret of all nodes and commands that may speak to the node.
    pub cookie: String,
    /// The other nodes of the cluster; empty for a node alone.
    pub peers: Vec<Peer>,
    /// The port and certificate of AMQP over TLS, if the node has one.
    pub tls: Option<TlsListener>,
}

/// A port for AMQP over TLS.
#[derive(Debug)]
pub struct TlsListener {
    /// Port on the loopback interface.
    pub port: u16,
    /// Certificate and key that the node presents.
    pub identity: Identity,
}

/// Another node of the same cluster.
#[derive(Debug)]
pub struct Peer {
    /// Name of the node.
    pub name: String,
    /// Port on which the node is reached, which may be a proxy's.
    pub port: u16,
}

impl NodeOptions {
    /// A node in a subfolder of a stack's state, with the ports and the password of last time.
    pub fn of_stack(state: &mut StateDir, vhost: &str) -> Result<Self> {
        Self::numbered(state, vhost, "")
    }

    /// One of several such nodes, which do not know each other yet.
    pub fn member(state: &mut StateDir, vhost: &str, number: usize) -> Result<Self> {
        Self::numbered(state, vhost, &number.to_string())
    }

    fn numbered(state: &mut StateDir, vhost: &str, number: &str) -> Result<Self> {
        let mut port = |name: &str| state.port(&format!("{name}{number}"));
        let (distribution_port, mapper_port) = (port("erlang")?, port("epmd")?);
        let endpoint = Endpoint {
            amqp_port: port("amqp")?,
            management_port: port("management")?,
            user: "docket".to_owned(),
            password: state.secret("rabbit")?,
        };
        Ok(Self {
            name: format!("docket{number}"),
            folder: state.path().join(format!("rabbit{number}")),
            owner: state.path().to_owned(),
            endpoint,
            distribution_port,
            mapper_port,
            vhost: vhost.to_owned(),
            cookie: state.secret("erlang")?,
            peers: Vec::new(),
            tls: None,
        })
    }

    /// A node in a temporary folder, never started again once its folder is gone.
    pub fn passing(folder: &Path) -> Result<Self> {
        let endpoint = Endpoint {
            amqp_port: ports::pick()?,
            management_port: ports::pick()?,
            user: "docket".to_owned(),
            password: uuid::Uuid::new_v4().simple().to_string(),
        };
        Ok(Self {
            name: "docket".to_owned(),
            folder: folder.to_owned(),
            owner: folder.to_owned(),
            endpoint,
            distribution_port: ports::pick()?,
            mapper_port: ports::pick()?,
            vhost: "docket".to_owned(),
            cookie: uuid::Uuid::new_v4().simple().to_string(),
            peers: Vec::new(),
            tls: None,
        })
    }
}

/// A RabbitMQ node, running or not.
#[derive(Debug)]
pub struct Node {
    options: NodeOptions,
    processes: Option<Processes>,
}

#[derive(Debug)]
struct Processes {
    server: Process,
    mapper: Process,
    /// Connections to the mapper, which knows each peer for as long as its connection is kept.
    _peers: Vec<TcpStream>,
}

impl Node {
    /// A node that is not started yet.
    pub fn new(options: NodeOptions) -> Self {
        Self {
            options,
            processes: None,
        }
    }

    /// The node's ports and administrator.
    pub fn endpoint(&self) -> &Endpoint {
        &self.options.endpoint
    }

    /// Starts the node unless it runs, and waits until it serves clients.
    pub async fn start(&mut self) -> Result<()> {
        for attempt in 1.. {
            match self.try_start().await {
                Err(error) if attempt == STARTS_MAX => return Err(error.context("start RabbitMQ")),
                Err(_) => self.kill9().await,
                Ok(()) => break,
            }
        }
        Ok(())
    }

    async fn try_start(&mut self) -> Result<()> {
        if self.processes.is_none() {
            self.configure()?;
            let mapper = self.mapper()?.spawn().await?;
            let peers = self.options.peers.iter();
            let peers = peers.map(|peer| mapper::register(self.options.mapper_port, peer));
            self.processes = Some(Processes {
                _peers: try_join_all(peers).await?,
                mapper,
                server: self.server()?.spawn().await?,
            });
        }
        let management = self.options.endpoint.management()?;
        poll::until("wait for RabbitMQ", START_DEADLINE, async || {
            let processes = self.processes.as_mut().context("it is stopped")?;
            processes.mapper.check()?;
            processes.server.check()?;
            Ok(self.serves(&management).await.then_some(()))
        })
        .await
    }

    /// Whether the node serves clients now, over AMQP and its management API.
    pub(super) async fn serves(&self, management: &Management) -> bool {
        speaks_amqp(self.options.endpoint.amqp_port).await && management.is_healthy().await
    }

    /// Process id of the server; `None` while the node is stopped.
    pub fn pid(&self) -> Option<u32> {
        self.processes.as_ref().map(|processes| processes.server.pid())
    }

    /// An error if the node has ended by itself.
    pub fn check(&mut self) -> Result<()> {
        self.processes
            .as_mut()
            .map_or(Ok(()), |processes| processes.server.check())
    }

    /// Stops the node as an operator would; its data stays.
    pub async fn stop(&mut self) {
        if let Some(Processes { server, mapper, .. }) = self.processes.take() {
            server.stop(Signal::TERM, STOP_DEADLINE).await;
            mapper.kill().await;
        }
    }

    /// Evaluates an Erlang expression on the running node, as an operator would to change a setting at once.
    pub async fn eval(&self, expression: &str) -> Result<()> {
        let control = self.launch("rabbitmqctl", &Path::new(PROGRAMS).join("rabbitmqctl"))?;
        let control = control
            .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
            .env("RABBITMQ_NODENAME", at_localhost(&self.options.name));
        control
            .arg("eval")
            .arg(expression)
            .run()
            .await
            .context("change RabbitMQ")
    }

    /// Kills the node as `kill -9` does; its data stays.
    pub async fn kill9(&mut self) {
        if let Some(Processes { server, mapper, .. }) = self.processes.take() {
            server.kill().await;
            mapper.kill().await;
        }
    }

    /// Kills the node as `kill -9` does, without waiting.
    pub fn abandon(&mut self) {
        drop(self.processes.take());
    }

    /// Kills the node and deletes all its data: the next start makes a new node.
    pub async fn wipe(&mut self) -> Result<()> {
        self.kill9().await;
        let folder = &self.options.folder;
        // The last processes of the node's group may write on for a moment.
        poll::until("wipe RabbitMQ", WIPE_DEADLINE, async || {
            match fs::remove_dir_all(folder) {
                Err(error) if error.kind() != ErrorKind::NotFound => Ok(None),
                _ => Ok(Some(())),
            }
        })
        .await
    }

    fn configure(&self) -> Result<()> {
        let folder = &self.options.folder;
        for name in ["mnesia", "log", "home"] {
            fs::create_dir_all(folder.join(name)).with_context(|| format!("make {}", folder.join(name).display()))?;
        }
        write_private(&folder.join("home/.erlang.cookie"), self.options.cookie.as_bytes())?;
        let configuration = self.configuration() + &self.tls_configuration()?;
        write_private(&folder.join("rabbitmq.conf"), configuration.as_bytes())?;
        write_private(&folder.join("enabled_plugins"), b"[rabbitmq_management].\n")?;
        // Quorum queues report their depths every second instead of every five.
        write_private(
            &folder.join("advanced.config"),
            b"[{rabbit,[{quorum_tick_interval,1000}]}].\n",
        )
    }

    fn configuration(&self) -> String {
        let NodeOptions { endpoint, vhost, .. } = &self.options;
        let Endpoint {
            amqp_port,
            management_port,
            user,
            password,
        } = endpoint;
        let node = format!(
            "listeners.tcp.1 = 127.0.0.1:{amqp_port}\n\
             management.tcp.ip = 127.0.0.1\n\
             management.tcp.port = {management_port}\n\
             loopback_users = none\n\
             default_vhost = {vhost}\n\
             default_user = {user}\n\
             default_pass = {password}\n\
             default_user_tags.administrator = true\n\
             vm_memory_high_watermark.absolute = 512MB\n\
             disk_free_limit.absolute = 200MB\n\
             raft.wal_max_size_bytes = 67108864\n\
             collect_statistics_interval = 1000\n\
             log.console = false\n\
             log.file.level = warning\n"
        );
        node + &self.membership()
    }

    /// The configuration of a cluster's node. A minority stops serving until it sees the other nodes again.
    fn membership(&self) -> String {
        let NodeOptions { name, peers, .. } = &self.options;
        if peers.is_empty() {
            return String::new();
        }
        let names: BTreeSet<&str> = peers.iter().map(|peer| &*peer.name).chain([&**name]).collect();
        let mut lines = "cluster_partition_handling = pause_minority\n\
                         cluster_formation.peer_discovery_backend = classic_config\n"
            .to_owned();
        for (number, name) in (1..).zip(names) {
            let name = at_localhost(name);
            lines += &format!("cluster_formation.classic_config.nodes.{number} = {name}\n");
        }
        lines
    }

    fn tls_configuration(&self) -> Result<String> {
        let Some(TlsListener { port, identity }) = &self.options.tls else {
            return Ok(String::new());
        };
        let (certificate, key) = identity.write(&self.options.folder)?;
        Ok(format!(
            "listeners.ssl.1 = 127.0.0.1:{port}\n\
             ssl_options.certfile = {}\n\
             ssl_options.keyfile = {}\n\
             ssl_options.verify = verify_none\n",
            certificate.display(),
            key.display()
        ))
    }

    /// The port mapper, started here in the foreground: a node would leave its own behind.
    fn mapper(&self) -> Result<Launch> {
        let port = self.options.mapper_port.to_string();
        Ok(self
            .launch("epmd", Path::new("epmd"))?
            .arg("-port")
            .arg(port)
            .arg("-address")
            .arg("127.0.0.1"))
    }

    fn server(&self) -> Result<Launch> {
        let folder = &self.options.folder;
        let launch = self.launch("rabbitmq", &Path::new(PROGRAMS).join("rabbitmq-server"))?;
        Ok(launch
            // With this variable the script becomes the server instead of its parent, so that signals reach the server.
            .env("RUNNING_UNDER_SYSTEMD", "true")
            .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
            .env("RABBITMQ_NODENAME", at_localhost(&self.options.name))
            .env("RABBITMQ_MNESIA_BASE", folder.join("mnesia"))
            .env("RABBITMQ_LOG_BASE", folder.join("log"))
            .env("RABBITMQ_PID_FILE", folder.join("pid"))
            .env("RABBITMQ_CONFIG_FILE", folder.join("rabbitmq.conf"))
            .env("RABBITMQ_ADVANCED_CONFIG_FILE", folder.join("advanced.config"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", folder.join("enabled_plugins"))
            .env("RABBITMQ_GENERATED_CONFIG_DIR", folder.join("generated"))
            .env("RABBITMQ_DIST_PORT", self.options.distribution_port.to_string())
            .env(
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                format!(
                    "-kernel inet_dist_use_interface {{127,0,0,1}} -kernel shutdown_timeout {APPLICATION_STOP_MS} \
                         -kernel net_ticktime {SILENCE_SECONDS} -start_epmd false +sbwt none +sbwtdcpu none +sbwtdio none"
                ),
            ))
    }

    fn launch(&self, name: &str, program: &Path) -> Result<Launch> {
        let folder = &self.options.folder;
        Ok(Launch::new(name, program, &self.options.owner, &folder.join("log/out"))
            .env("HOME", folder.join("home"))
            .env("ERL_EPMD_PORT", self.options.mapper_port.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1"))
    }
}

fn at_localhost(name: &str) -> String {
    format!("{name}@localhost")
}

async fn speaks_amqp(port: u16) -> bool {
    let greeting = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        stream.write_all(AMQP_HEADER).await.ok()?;
        stream.read_u8().await.ok()
    };
    tokio::time::timeout(PROBE_DEADLINE, greeting).await == Ok(Some(METHOD_FRAME))
}
