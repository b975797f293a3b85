//! Private RabbitMQ nodes of the distribution's package, alone or as a cluster. Each has its own folder, ports, port mapper and
//! cookie, and listens on loopback only. A system node is never touched.

mod cluster;
mod management;
mod mapper;
mod node;

use anyhow::Result;
use serde::{Deserialize, Serialize};

pub use cluster::Cluster;
pub use management::{Management, QueueDepth};
pub use node::{Node, NodeOptions, Peer, TlsListener};

/// Folder of the package's own scripts. Those in `/usr/sbin` insist on the system node's user and folders.
pub const PROGRAMS: &str = "/usr/lib/rabbitmq/bin";

/// The ports and the administrator of a node.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Endpoint {
    /// Port of AMQP 0-9-1.
    pub amqp_port: u16,
    /// Port of the management plugin's HTTP API.
    pub management_port: u16,
    /// Name of an administrator.
    pub user: String,
    /// Password of the administrator.
    pub password: String,
}

impl Endpoint {
    /// `amqp://` URL of a vhost whose name needs no escaping.
    pub fn amqp_url(&self, vhost: &str) -> String {
        format!(
            "amqp://{}:{}@127.0.0.1:{}/{vhost}",
            self.user, self.password, self.amqp_port
        )
    }

    /// A client of the node's management API.
    pub fn management(&self) -> Result<Management> {
        Management::new(self)
    }
}
