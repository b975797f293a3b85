//! A RabbitMQ node of a test's own, for tests that stop, kill or wipe the broker.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Result;
use tokio::sync::Mutex;

use super::{or_panic, stack};
use crate::certificates::Identity;
use crate::ports;
use crate::rabbit::{Endpoint, Node, NodeOptions, TlsListener};

/// A node that only this test uses. It keeps its ports and password through everything, and ends when dropped.
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

    /// The same, which also listens for TLS.
    pub async fn start_with_tls(identity: &Identity) -> Self {
        let port = or_panic("find a port", ports::pick());
        let identity = identity.clone();
        Self::start_with(Some(TlsListener { port, identity })).await
    }

    async fn start_with(tls: Option<TlsListener>) -> Self {
        let tls_port = tls.as_ref().map(|listener| listener.port);
        let name = uuid::Uuid::new_v4().simple().to_string();
        // The shared stack is there first: when it starts it removes the folders of killed tests.
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

    /// How to reach it.
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint.clone()
    }

    /// `amqps://` URL of a vhost, by this name of its host.
    pub fn tls_url(&self, host: &str, vhost: &str) -> String {
        let Endpoint { user, password, .. } = &self.endpoint;
        let port = self.tls_port.expect("it was started with TLS");
        format!("amqps://{user}:{password}@{host}:{port}/{vhost}")
    }

    /// Raises the alarm of too much memory, or ends it. The broker then reads nothing more from connections that publish.
    pub async fn set_alarm(&self, raised: bool) {
        let limit = if raised { "1" } else { "512000000" };
        self.eval(&format!(
            "vm_memory_monitor:set_vm_memory_high_watermark({{absolute, {limit}}})."
        ))
        .await;
    }

    /// Has channels that are opened from now on closed whose consumer keeps a delivery for longer than this, in
    /// milliseconds. Looked at every second.
    pub async fn set_consumer_timeout(&self, timeout: u32) {
        for setting in [("consumer_timeout", timeout), ("channel_tick_interval", 1_000)] {
            self.eval(&format!("application:set_env(rabbit, {}, {}).", setting.0, setting.1))
                .await;
        }
    }

    /// Has the channels that are open now stand still, or go on: what the broker tells them meanwhile they learn afterwards.
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

    /// Ends it as an operator would; its data stays.
    pub async fn stop(&self) {
        self.inner.lock().await.node.stop().await;
    }

    /// Ends it as `kill -9` does; its data stays. RabbitMQ 3.10 loses even confirmed messages of a quorum queue that was
    /// declared less than a second before: it writes the queue's name to disk lazily.
    pub async fn kill9(&self) {
        self.inner.lock().await.node.kill9().await;
    }

    /// Ends it and deletes all its data.
    pub async fn wipe(&self) {
        or_panic("wipe a broker", self.inner.lock().await.node.wipe().await);
    }

    /// Starts it again and waits until it serves clients. Vhosts that it lost are made anew, empty.
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
        let _ = std::fs::remove_dir_all(&self.folder); // What is left the next start of the stack removes.
    }
}
