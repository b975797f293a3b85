//! Asks a Docket process on this machine whether it is alive: for images, which hold no other program that could ask.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use futures::future::{Either, select};
use http_body_util::Empty;
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Longest wait for an answer: below the 5 s after which the health check's runner gives up.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// An error unless the process that listens at this address answers that it is alive.
pub async fn check(listens: SocketAddr) -> anyhow::Result<()> {
    let answer = tokio::time::timeout(ANSWER_MAX, livez(reachable(listens))).await;
    let status = answer.with_context(|| format!("no answer within {ANSWER_MAX:?}"))??;
    ensure!(status.is_success(), "it answers {status}");
    Ok(())
}

async fn livez(address: SocketAddr) -> anyhow::Result<StatusCode> {
    let stream = TcpStream::connect(address).await;
    let stream = stream.with_context(|| format!("connect to {address}"))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get("/livez").header(HOST, address.to_string());
    let answer = pin!(sender.send_request(request.body(Empty::<Bytes>::new())?));
    let answer = match select(answer, pin!(connection)).await {
        Either::Left((answer, _)) => answer,
        Either::Right((_, answer)) => answer.await,
    };
    Ok(answer.context("ask for /livez")?.status())
}

/// The address to connect to: a process that listens on every interface also listens on the loopback interface.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_is_reached_by_the_loopback_interface() {
        for (listens, reached) in [
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:80", "[::1]:80"),
            ("10.0.0.1:80", "10.0.0.1:80"),
        ] {
            assert_eq!(reachable(listens.parse().unwrap()), reached.parse().unwrap());
        }
    }
}
