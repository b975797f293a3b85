//! The bytes of an upload as they arrive: watched by the clock, and every way they can fail.

use std::time::Duration;

use axum::body::{Body, Bytes};
use docket_shared::shutdown::Shutdown;
use futures::stream::{self, BoxStream, StreamExt};
use tokio::time::Instant;

use super::form::HEAD_BYTES_MAX;
use crate::http::error::{ApiError, Kind};

/// How long a whole upload may take: the largest default document at half a megabit a second.
const UPLOAD_MAX: Duration = Duration::from_secs(15 * 60);
/// How long no byte may arrive: longer than any stall of a network that recovers.
const STALL_MAX: Duration = Duration::from_secs(30);

/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// Nothing came for too long.
    #[error("no byte of the body arrived for {} s", STALL_MAX.as_secs())]
    Stalled,
    /// It took too long as a whole.
    #[error("the body took more than {} s", UPLOAD_MAX.as_secs())]
    TooSlow,
    /// The connection broke, or what came is not HTTP.
    #[error("the body broke off")]
    Broken(#[source] axum::Error),
    /// What came is not a form.
    #[error("the form is malformed: its boundary or a part's headers cannot be read, or its end is missing")]
    Form(#[source] multer::Error),
    /// The form holds more between two parts than headers can be.
    #[error("the headers of a part of the form have more than {HEAD_BYTES_MAX} bytes")]
    PartHeaders,
    /// This process stops.
    #[error("the process stops")]
    Stopping,
}

impl From<multer::Error> for BodyError {
    fn from(error: multer::Error) -> Self {
        match error {
            multer::Error::StreamReadFailed(cause) => match cause.downcast::<Self>() {
                Ok(ours) => *ours,
                Err(other) => Self::Broken(axum::Error::new(other)),
            },
            other => Self::Form(other),
        }
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        let kind = match &error {
            BodyError::Stalled | BodyError::TooSlow => Kind::BodyTimedOut,
            BodyError::Broken(_) | BodyError::Form(_) | BodyError::PartHeaders => Kind::InvalidRequest,
            BodyError::Stopping => return Self::unavailable(error),
        };
        Self::new(kind, format!("The upload was refused: {error}."))
    }
}

/// A body whose chunks must come in time.
pub fn timed(body: Body, shutdown: Shutdown) -> BoxStream<'static, Result<Bytes, BodyError>> {
    let end = Instant::now() + UPLOAD_MAX;
    stream::unfold(Some(body.into_data_stream()), move |chunks| {
        let shutdown = shutdown.clone();
        async move {
            let mut chunks = chunks?;
            let deadline = end.min(Instant::now() + STALL_MAX);
            let next = shutdown
                .until_hard(tokio::time::timeout_at(deadline, chunks.next()))
                .await;
            let failed = match next {
                Some(Ok(Some(Ok(chunk)))) => return Some((Ok(chunk), Some(chunks))),
                Some(Ok(Some(Err(error)))) => BodyError::Broken(error),
                Some(Ok(None)) => return None,
                Some(Err(_)) if deadline == end => BodyError::TooSlow,
                Some(Err(_)) => BodyError::Stalled,
                None => BodyError::Stopping,
            };
            Some((Err(failed), None)) // After an error the stream has ended.
        }
    })
    .fuse()
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(chunk: &'static str, every: Duration) -> Body {
        Body::from_stream(stream::repeat(chunk).then(move |chunk| async move {
            tokio::time::sleep(every).await;
            Ok::<_, std::io::Error>(chunk)
        }))
    }

    async fn error_of(body: Body, shutdown: Shutdown) -> BodyError {
        let mut failed = timed(body, shutdown).filter_map(|chunk| async { chunk.err() }).boxed();
        failed.next().await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_must_come_in_time() {
        let stalled = error_of(body("a", STALL_MAX * 2), Shutdown::default()).await;
        assert!(matches!(stalled, BodyError::Stalled), "{stalled}");
        let begun = Instant::now();
        let slow = error_of(body("a", STALL_MAX / 2), Shutdown::default()).await;
        assert!(matches!(slow, BodyError::TooSlow), "{slow}");
        assert_eq!(begun.elapsed().as_secs(), UPLOAD_MAX.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_a_body() {
        let shutdown = Shutdown::default();
        let reading = tokio::spawn(error_of(body("a", STALL_MAX / 2), shutdown.clone()));
        shutdown.drain(STALL_MAX).await;
        assert!(matches!(reading.await.unwrap(), BodyError::Stopping));
    }
}
