//! A proxy to a server, or to several as a load balancer, whose connections can be made bad.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::ports;

/// Largest read and write at a time.
const CHUNK_BYTES: usize = 16 * 1024;
/// The answer of an overloaded S3.
const SLOW_DOWN: &[u8] = b"HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// The state of a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Carries bytes both ways.
    Open,
    /// Nothing arrives, and no end is told: bytes under way wait.
    Cut,
    /// Ends all connections, and each new one at once.
    Reset,
    /// Delays each packet by this time.
    Slow(Duration),
    /// Ends a connection after this many bytes of answers.
    Truncated(usize),
    /// Ends all connections, and answers new requests 503 as S3 does.
    Errors,
}

/// A proxy, closed when dropped.
#[derive(Debug)]
pub struct Proxy {
    /// Port that the client connects to.
    pub port: u16,
    mode: watch::Sender<Mode>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// A proxy in the mode [`Mode::Open`] to ports of this machine: connections go to each port in turn, past those that refuse.
    pub async fn open(to: &[u16]) -> Result<Self> {
        let port = ports::pick()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        let listener = listener.context("listen for a proxy")?;
        let (mode, watched) = watch::channel(Mode::Open);
        let task = tokio::spawn(accept(listener, to.to_vec(), watched));
        Ok(Self { port, mode, task })
    }

    /// Changes the mode, also of open connections.
    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, mut to: Vec<u16>, mode: watch::Receiver<Mode>) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            continue;
        };
        tokio::spawn(serve(client, to.clone(), mode.clone()));
        to.rotate_left(1);
    }
}

async fn serve(mut client: TcpStream, to: Vec<u16>, mut mode: watch::Receiver<Mode>) {
    let now = *mode.borrow_and_update();
    match now {
        Mode::Reset => return,
        Mode::Errors => {
            let mut request = [0; CHUNK_BYTES];
            let _ = client.read(&mut request).await; // Any request.
            let _ = client.write_all(SLOW_DOWN).await;
            return;
        }
        Mode::Open | Mode::Cut | Mode::Slow(_) | Mode::Truncated(_) => {}
    }
    let to: Vec<SocketAddr> = to.iter().map(|port| (Ipv4Addr::LOCALHOST, *port).into()).collect();
    // The first port that accepts.
    let Ok(server) = TcpStream::connect(&to[..]).await else {
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true)); // Without this, small answers wait 40 ms.
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = carry(from_client, to_server, mode.clone(), false) => {}
        () = carry(from_server, to_client, mode, true) => {}
    }
}

/// Carries bytes until either end closes or the mode ends the connection.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut mode: watch::Receiver<Mode>,
    are_answers: bool,
) {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut carried = 0;
    loop {
        let read = tokio::select! {
            read = from.read(&mut chunk) => read.unwrap_or(0),
            changed = mode.changed() => {
                let now = *mode.borrow_and_update();
                if changed.is_err() || matches!(now, Mode::Reset | Mode::Errors) {
                    return;
                }
                carried = 0;
                continue;
            }
        };
        if read == 0 {
            return;
        }
        let mut length = read;
        let now = *mode.borrow();
        match now {
            Mode::Open => {}
            Mode::Reset | Mode::Errors => return,
            Mode::Slow(late) => tokio::time::sleep(late).await,
            Mode::Truncated(most) if are_answers => {
                length = read.min(most.saturating_sub(carried));
                carried += read;
            }
            Mode::Truncated(_) => {}
            Mode::Cut => {
                if mode.wait_for(|mode| *mode != Mode::Cut).await.is_err() {
                    return;
                }
            }
        }
        if to.write_all(&chunk[..length]).await.is_err() || length < read {
            return;
        }
    }
}
