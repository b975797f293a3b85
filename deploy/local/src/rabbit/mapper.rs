//! Erlang's port mapper (epmd), which tells a node the port of another node. Every node here has a mapper of its own. A mapper
//! can name a proxy's port, and so lead a node to its peers through a proxy that somebody cuts.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Peer;
use crate::poll;

/// How long a starting mapper may take to listen.
const START_DEADLINE: Duration = Duration::from_secs(20);
/// `ALIVE2_REQ` of the mapper's protocol: registers a node.
const ALIVE: u8 = 120;
/// Type of a node that all others may see.
const VISIBLE: u8 = 77;
/// Protocol of the node: TCP over IP version 4.
const TCP: u8 = 0;
/// Versions of the distribution protocol that RabbitMQ's Erlang speaks, highest first.
const VERSIONS: [u16; 2] = [6, 5];
/// The mapper's answer when it has registered the name.
const TAKEN: u8 = 0;

/// Registers a peer's port with a mapper, for as long as the connection is kept.
pub(super) async fn register(mapper_port: u16, peer: &Peer) -> Result<TcpStream> {
    let mut mapper = poll::until("wait for the port mapper", START_DEADLINE, async || {
        Ok(TcpStream::connect(("127.0.0.1", mapper_port)).await.ok())
    })
    .await?;
    let request = alive(peer)?;
    mapper.write_all(&request).await.context("speak to the port mapper")?;
    let [_kind, answer] = {
        let mut answer = [0; 2];
        mapper.read_exact(&mut answer).await.context("hear the port mapper")?;
        answer
    };
    ensure!(answer == TAKEN, "the port mapper refuses the name {}", peer.name);
    Ok(mapper)
}

fn alive(peer: &Peer) -> Result<Vec<u8>> {
    let name = u16::try_from(peer.name.len()).context("a node's name is too long")?;
    let mut request = vec![ALIVE];
    request.extend(peer.port.to_be_bytes());
    request.extend([VISIBLE, TCP]);
    request.extend(VERSIONS.iter().flat_map(|version| version.to_be_bytes()));
    request.extend(name.to_be_bytes());
    request.extend(peer.name.as_bytes());
    request.extend([0, 0]); // No further fields.
    let length = u16::try_from(request.len()).context("a node's name is too long")?;
    Ok([&length.to_be_bytes()[..], &request].concat())
}
