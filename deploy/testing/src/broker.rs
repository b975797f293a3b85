//! A private RabbitMQ node, for tests that stop, kill or wipe the broker.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Result;
use tokio::sync::Mutex;

use crate::{or_panic, stack};
use docket_local::certificates::Identity;
use docket_local::ports;
use docket_local::rabbit::{Endpoint, Node, NodeOptions, TlsListener};

/// A node of one test. It keeps its ports and password through every restart, and ends when dropped.
#[derive(Debug)]
pub struct PrivateBroker {
    endpoint: Endpoint,
    folder: PathBuf,
    tls_port: Option<u16>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    node: Node,
    vhosts: BTreeSet<String>,
}

impl PrivateBroker {
    /// Makes a new node and waits until it serves clients.
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    /// Makes a new node that also listens for TLS.
    pub async fn start_with_tls(identity: &Identity) -> Self {
        let port = or_panic("find a port", ports::pick());
        let identity = identity.clone();
        Self::start_with(Some(TlsListener { port, identity })).await
    }

    async fn start_with(tls: Option<TlsListener>) -> Self {
        let tls_port = tls.as_ref().map(|listener| listener.port);
        let name = uuid::Uuid::new_v4().simple().to_string();
        // The shared stack must start first: at its start it removes the folders of killed tests.
        let folder = stack().await.state.join("brokers").join(&name[..12]);
        let options = or_panic("plan a broker", NodeOptions::passing(&folder));
        let mut node = Node::new(NodeOptions { tls, ..options });
        or_panic("start a broker", node.start().await);
        let endpoint = node.endpoint().clone();
        Self {
            endpoint,
            folder,
            tls_port,
            inner: Mutex::new(Inner {
                node,
                vhosts: BTreeSet::new(),
            }),
        }
    }

    /// The node's ports and administrator.
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint.clone()
    }

    /// `amqps://` URL of a vhost, with this host name for the node.
    pub fn tls_url(&self, host: &str, vhost: &str) -> String {
        let Endpoint { user, password, .. } = &self.endpoint;
        let port = self.tls_port.expect("it was started with TLS");
        format!("amqps://{user}:{password}@{host}:{port}/{vhost}")
    }

    /// Raises or ends the memory alarm. While it lasts, the broker reads nothing from connections that publish.
    pub async fn set_alarm(&self, raised: bool) {
        let limit = if raised { "1" } else { "512000000" };
        self.eval(&format!(
            "vm_memory_monitor:set_vm_memory_high_watermark({{absolute, {limit}}})."
        ))
        .await;
    }

    /// From now on the broker closes a new channel whose consumer keeps a delivery for longer than this, in milliseconds. The
    /// broker checks every second.
    pub async fn set_consumer_timeout(&self, timeout: u32) {
        for setting in [("consumer_timeout", timeout), ("channel_tick_interval", 1_000)] {
            self.eval(&format!("application:set_env(rabbit, {}, {}).", setting.0, setting.1))
                .await;
        }
    }

    /// Suspends or resumes the channels that are open now. Resumed channels learn what the broker told them meanwhile.
    pub async fn set_channels_still(&self, still: bool) {
        let change = if still { "suspend" } else { "resume" };
        self.eval(&format!(
            "[sys:{change}(Channel) || Channel <- rabbit_channel:list_local()]."
        ))
        .await;
    }

    async fn eval(&self, expression: &str) {
        or_panic("change a broker", self.inner.lock().await.node.eval(expression).await);
    }

    /// Stops the node as an operator would; its data stays.
    pub async fn stop(&self) {
        self.inner.lock().await.node.stop().await;
    }

    /// Kills the node as `kill -9` does; its data stays. RabbitMQ 3.10 loses even confirmed messages of a quorum queue that was
    /// declared less than a second before: it writes the queue's name to disk lazily.
    pub async fn kill9(&self) {
        self.inner.lock().await.node.kill9().await;
    }

    /// Kills the node and deletes all its data.
    pub async fn wipe(&self) {
        or_panic("wipe a broker", self.inner.lock().await.node.wipe().await);
    }

    /// Starts the node again and waits until it serves clients. Lost vhosts are made anew, empty.
    pub async fn up(&self) {
        let mut inner = self.inner.lock().await;
        or_panic("start a broker again", inner.node.start().await);
        let management = or_panic("make a client of the management API", self.endpoint.management());
        for vhost in &inner.vhosts {
            or_panic("make a vhost anew", management.create_vhost(vhost).await);
        }
    }

    pub(super) async fn create_vhost(&self, vhost: &str) -> Result<()> {
        let mut inner = self.inner.lock().await;
        inner.vhosts.insert(vhost.to_owned());
        self.endpoint.management()?.create_vhost(vhost).await
    }
}

impl Drop for PrivateBroker {
    fn drop(&mut self) {
        self.inner.get_mut().node.abandon();
        let _ = std::fs::remove_dir_all(&self.folder); // The next start of the stack removes the rest.
    }
}
