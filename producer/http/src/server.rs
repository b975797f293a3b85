//! Serves connections: accepts them until the stop begins, ends each after its requests, and cuts those that take too long.
//!
//! Connections speak only HTTP/1.1, so that each has one request at a time and a bounded memory. An HTTP/2 connection would have
//! flow control windows, header tables and send buffers for each of its streams, all before a token is seen. HTTP/2 ends where
//! TLS does, at the load balancer.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request};
use axum::response::Response;
use docket_process::shutdown::Shutdown;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::taker::Taker;

/// Connections at a time; further ones wait in the listener's queue. Each holds at most [`CONNECTION_BYTES_MAX`], beside what its
/// request's place allows: together 128 MiB.
const CONNECTIONS_MAX: usize = 2_048;
/// Longest head of a request and largest buffer each way, in bytes: room for a token of 8 KiB and for metadata of 4 KiB with
/// every byte escaped.
const HEAD_BYTES_MAX: usize = 24 * 1024;
/// Memory of a connection, in bytes: a buffer each way, and 16 KiB for its task and the allocator's rounding.
const CONNECTION_BYTES_MAX: usize = 2 * HEAD_BYTES_MAX + 16 * 1024;
/// How long a caller may take to send the head of a request, and how long a connection may idle. Load balancers idle for less, so
/// that they close first.
const HEAD_MAX: Duration = Duration::from_secs(75);
/// How long requests may take after the listener was closed. A longer request is stuck, or an upload that must come again.
const STUCK_AFTER: Duration = Duration::from_secs(20);
/// Pause after a failed accept: the process has too many open files, and only time helps.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const _: () = assert!(CONNECTIONS_MAX * CONNECTION_BYTES_MAX <= 128 * 1024 * 1024);

/// Serves a router on an open listener until the shutdown. From its begin, connections are still accepted for `notice`: load
/// balancers see "not ready" first, and kept-alive connections end with their next answer.
pub async fn serve(listener: TcpListener, router: Router, notice: Duration, shutdown: Shutdown) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();
    let cut = CancellationToken::new();
    let mut closing = pin!(async {
        shutdown.soft().await;
        tokio::select! { () = tokio::time::sleep(notice) => {} () = shutdown.hard() => {} }
    });
    loop {
        let (stream, slot) = tokio::select! {
            biased;
            () = &mut closing => break,
            taken = take(&listener, &slots) => match taken {
                Ok(taken) => taken,
                Err(error) => {
                    tracing::warn!(error = %error, "a connection could not be taken");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        let connection = connection(stream, router.clone(), graceful.watcher(), shutdown.clone());
        let (hard, cut) = (shutdown.clone(), cut.clone());
        shutdown.spawn(async move {
            tokio::select! { () = connection => {} () = cut.cancelled() => {} () = hard.hard() => {} }
            drop(slot);
        });
    }
    drop(listener); // From here on the system refuses connections.
    tokio::select! {
        () = graceful.shutdown() => {}
        () = shutdown.hard() => {}
        () = tokio::time::sleep(STUCK_AFTER) => tracing::warn!("connections are cut that did not end in time"),
    }
    cut.cancel();
}

async fn take(listener: &TcpListener, slots: &Arc<Semaphore>) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let slot = slots.clone().acquire_owned().await.expect("it is never closed");
    let (stream, _) = listener.accept().await?;
    // Answers are small: waiting to fill a packet would only delay them. A failure to set this is not worth an error.
    let _ = stream.set_nodelay(true);
    Ok((stream, slot))
}

async fn connection<S>(stream: S, router: Router, watcher: Watcher, shutdown: Shutdown)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = router.map_request(|request: Request<Incoming>| request.map(Body::new));
    let service = service.map_response(move |mut response: Response| {
        if shutdown.has_begun() {
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    });
    let connection = Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(Taker::new(stream)), TowerToHyperService::new(service));
    if let Err(error) = watcher.watch(connection).await {
        let error: &(dyn std::error::Error + 'static) = &error;
        tracing::debug!(error, "a connection broke");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::task::JoinHandle;
    use tokio::time::Instant;

    use super::*;
    use crate::pace::RATE_WINDOW;

    /// Bytes that the system buffers between the two ends of a connection.
    const BETWEEN: usize = 4 * 1024;
    const TEXT_BYTES: usize = 4 * 1024 * 1024;

    /// A caller's end of a connection, the task that serves it, and the handle that stops the task.
    fn connect() -> (DuplexStream, JoinHandle<()>, GracefulShutdown) {
        let (theirs, ours) = duplex(BETWEEN);
        let router = Router::new()
            .route("/text", get(async || vec![b'a'; TEXT_BYTES]))
            .route("/short", get(async || "short"));
        let graceful = GracefulShutdown::new();
        let serving = connection(ours, router, graceful.watcher(), Shutdown::default());
        (theirs, tokio::spawn(serving), graceful)
    }

    /// Sends an endless head until the server takes no more; returns the bytes sent.
    async fn endless_head(line: &str) -> usize {
        let (mut caller, serving, _running) = connect();
        caller.write_all(b"GET /short HTTP/1.1\r\n").await.unwrap();
        let mut sent = 0;
        while caller.write_all(line.as_bytes()).await.is_ok() {
            sent += line.len();
        }
        serving.await.unwrap();
        sent
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_without_an_end_is_refused_before_it_takes_memory() {
        let most = HEAD_BYTES_MAX + BETWEEN + 16 * 1024;
        for line in ["a: b\r\n", "a", &format!("a: {}\r\n", "b".repeat(9_000))] {
            let sent = endless_head(line).await;
            assert!(sent < most, "{sent} bytes of a head were taken");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_does_not_come_and_a_connection_that_idles_are_cut() {
        let request: &[u8] = b"GET /short HTTP/1.1\r\nhost: docket\r\n\r\n";
        for sent in [b"".as_slice(), b"GET /sh", request, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
            let begun = Instant::now();
            let (mut caller, serving, _running) = connect();
            caller.write_all(sent).await.unwrap();
            serving.await.unwrap();
            assert!(begun.elapsed() <= HEAD_MAX, "{:?}", begun.elapsed());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_does_not_take_its_answer_is_cut() {
        let (mut caller, serving, _running) = connect();
        let begun = Instant::now();
        caller
            .write_all(b"GET /text HTTP/1.1\r\nhost: docket\r\n\r\n")
            .await
            .unwrap();
        serving.await.unwrap();
        assert_eq!(begun.elapsed(), RATE_WINDOW);
        let mut taken = Vec::new();
        caller.read_to_end(&mut taken).await.unwrap();
        assert!(taken.len() <= BETWEEN);
    }

    #[tokio::test(start_paused = true)]
    async fn the_largest_head_that_is_needed_is_taken() {
        let (mut caller, serving, _running) = connect();
        let (token, metadata) = ("t".repeat(8 * 1024), "%7B".repeat(4 * 1024));
        let head =
            format!("GET /short?metadata={metadata} HTTP/1.1\r\nauthorization: {token}\r\nconnection: close\r\n\r\n");
        caller.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        caller.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.ends_with("short"),
            "{answer}"
        );
        serving.await.unwrap();
    }
}
