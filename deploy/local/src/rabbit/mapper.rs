//! Erlang's port mapper (epmd), which tells a node on which port it finds another one. Every node here has a mapper of
//! its own: what that one says is the node's way to its peers, which can thus be a way that somebody cuts.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Peer;
use crate::poll;

/// How long a mapper that was just started may take to listen.
const START_DEADLINE: Duration = Duration::from_secs(20);
/// `ALIVE2_REQ` of the mapper's protocol: a node is alive.
const ALIVE: u8 = 120;
/// Kind of a node that all may see.
const VISIBLE: u8 = 77;
/// TCP over IP version 4.
const TCP: u8 = 0;
/// Versions of the distribution protocol that RabbitMQ's Erlang speaks, from the highest.
const VERSIONS: [u16; 2] = [6, 5];
/// What the mapper says when it took the name.
const TAKEN: u8 = 0;

/// Tells a mapper where a peer is found. It holds for as long as the connection is kept.
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
    request.extend([0, 0]); // Nothing else is said of it.
    let length = u16::try_from(request.len()).context("a node's name is too long")?;
    Ok([&length.to_be_bytes()[..], &request].concat())
}
