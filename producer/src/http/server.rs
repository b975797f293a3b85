//! Serving connections: taken until the stop begins, ended when their requests are, cut when that takes too long.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request, Version};
use axum::response::Response;
use docket_shared::shutdown::Shutdown;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Connections at a time; the next one waits in the listener's queue. Far below the usual limit of open files.
const CONNECTIONS_MAX: usize = 4_096;
/// How long a caller may take to send the head of a request, and how long a connection may idle: longer than the idle
/// time that load balancers use, so that it is they who close.
const HEAD_MAX: Duration = Duration::from_secs(75);
/// Requests at a time on one HTTP/2 connection.
const STREAMS_MAX: u32 = 128;
/// How long requests may take after the intake was closed. What takes longer is stuck, or an upload that must come again.
const STUCK_AFTER: Duration = Duration::from_secs(20);
/// Pause after a connection could not be taken: the process has too many open files, and only time helps.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves a router on an open listener until the shutdown. When that begins, `notice` passes before connections are
/// refused: those who balance the load see "not ready" first, and connections that are kept alive end with the next answer.
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
    drop(listener); // From now on the system refuses connections.
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
    // Answers are small: waiting for more to send would only delay them. One that cannot be set is not worth an error.
    let _ = stream.set_nodelay(true);
    Ok((stream, slot))
}

async fn connection(stream: TcpStream, router: Router, watcher: Watcher, shutdown: Shutdown) {
    let (begun, http1) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (requested, is_http1) = (begun.clone(), http1.clone());
    let service = router.map_request(move |request: Request<Incoming>| {
        requested.store(true, Ordering::Relaxed);
        is_http1.store(request.version() <= Version::HTTP_11, Ordering::Relaxed);
        request.map(Body::new)
    });
    // HTTP/2 says the same with a frame of its own, and forbids the header.
    let service = service.map_response(move |mut response: Response| {
        if shutdown.has_begun() && http1.load(Ordering::Relaxed) {
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX);
    let connection = builder
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .into_owned();
    // Before the first request the builder has no timeout of its own: it waits to see which protocol is spoken.
    let silent = async {
        tokio::time::sleep(HEAD_MAX).await;
        if begun.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        ended = watcher.watch(connection) => if let Err(error) = ended {
            tracing::debug!(error, "a connection broke");
        },
        () = silent => {}
    }
}
