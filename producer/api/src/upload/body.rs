//! The bytes of an upload as they arrive: their time limits, and every way they can fail.

use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use docket_process::shutdown::Shutdown;
use futures::stream::{self, BoxStream, StreamExt};
use tokio::time::{Instant, timeout_at};

use docket_http::pace::{Pace, RATE_MIN, RATE_WINDOW};
use docket_http::problem::{ApiError, Kind};

/// Bytes of a piece: as many as arrive in one read from a fast sender.
pub const PIECE_BYTES: usize = 16 * 1024;
/// Bytes of a form that may pass before a part begins or between two chunks of one: the preamble and the headers. The headers
/// that browsers and libraries write have a few hundred.
pub const HEAD_BYTES_MAX: u64 = 4 * PIECE_BYTES as u64;
/// How long a whole upload may take: the largest default document at half a megabit a second.
const UPLOAD_MAX: Duration = Duration::from_secs(15 * 60);
/// How long no byte may arrive: longer than any stall of a network that recovers.
const STALL_MAX: Duration = Duration::from_secs(30);
/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// No byte arrived for `STALL_MAX`.
    #[error("no byte of the body arrived for {} s", STALL_MAX.as_secs())]
    Stalled,
    /// The body came slower than `RATE_MIN`.
    #[error("fewer than {RATE_MIN} bytes a second of the body arrived in {} s", RATE_WINDOW.as_secs())]
    Dripped,
    /// The whole body took longer than `UPLOAD_MAX`.
    #[error("the body took more than {} s", UPLOAD_MAX.as_secs())]
    TooSlow,
    /// The connection broke, or the bytes are not HTTP.
    #[error("the body broke off")]
    Broken(#[source] axum::Error),
    /// The body is not a form.
    #[error("the form is malformed: its boundary or a part's headers cannot be read, or its end is missing")]
    Form(#[source] multer::Error),
    /// More bytes came between two parts of the form than headers may have.
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
            BodyError::Stalled | BodyError::Dripped | BodyError::TooSlow => Kind::BODY_TIMED_OUT,
            BodyError::Broken(_) | BodyError::Form(_) | BodyError::PartHeaders => Kind::INVALID_REQUEST,
            BodyError::Stopping => return Self::unavailable(error),
        };
        Self::new(kind, format!("The upload was refused: {error}."))
    }
}

/// A body whose chunks must come in time.
pub fn timed(body: Body, shutdown: Shutdown) -> BoxStream<'static, Result<Bytes, BodyError>> {
    let timed = Timed {
        chunks: body.into_data_stream(),
        end: Instant::now() + UPLOAD_MAX,
        pace: Pace::default(),
    };
    stream::unfold(Some(timed), move |timed| {
        let shutdown = shutdown.clone();
        async move {
            let mut timed = timed?;
            match shutdown.until_hard(timed.next()).await {
                Some(Ok(Some(chunk))) => Some((Ok(chunk), Some(timed))),
                Some(Ok(None)) => None,
                Some(Err(error)) => Some((Err(error), None)), // After an error the stream has ended.
                None => Some((Err(BodyError::Stopping), None)),
            }
        }
    })
    .fuse()
    .boxed()
}

struct Timed {
    chunks: BodyDataStream,
    end: Instant,
    pace: Pace,
}

impl Timed {
    async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        let mut asked = Instant::now();
        let stalls = asked + STALL_MAX;
        loop {
            let deadline = self.end.min(stalls).min(asked + self.pace.left());
            let next = timeout_at(deadline, self.chunks.next()).await;
            let now = Instant::now();
            let bytes = match &next {
                Ok(Some(Ok(chunk))) => chunk.len(),
                Ok(Some(Err(_)) | None) | Err(_) => 0,
            };
            let in_pace = self.pace.note(now - asked, bytes);
            match next {
                Ok(Some(Ok(chunk))) if in_pace => return Ok(Some(chunk)),
                Ok(Some(Ok(_))) => return Err(BodyError::Dripped),
                Ok(Some(Err(error))) => return Err(BodyError::Broken(error)),
                Ok(None) => return Ok(None),
                Err(_) if now >= self.end => return Err(BodyError::TooSlow),
                Err(_) if now >= stalls => return Err(BodyError::Stalled),
                Err(_) if !in_pace => return Err(BodyError::Dripped),
                Err(_) => asked = now,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What keeps the pace, sent every half window.
    const ENOUGH: u64 = RATE_MIN * RATE_WINDOW.as_secs() / 2;

    /// A body of this many bytes in each interval.
    fn body(bytes: u64, every: Duration) -> Body {
        let chunk = Bytes::from(vec![b'a'; usize::try_from(bytes).unwrap()]);
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
        let stalled = error_of(body(1, STALL_MAX * 2), Shutdown::default()).await;
        assert!(matches!(stalled, BodyError::Stalled), "{stalled}");
        let begun = Instant::now();
        let slow = error_of(body(ENOUGH, STALL_MAX / 2), Shutdown::default()).await;
        assert!(matches!(slow, BodyError::TooSlow), "{slow}");
        assert_eq!(begun.elapsed().as_secs(), UPLOAD_MAX.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_drips_is_cut_and_one_that_pauses_is_not() {
        for every in [1, 7, 29] {
            let begun = Instant::now();
            let dripped = error_of(body(1, Duration::from_secs(every)), Shutdown::default()).await;
            assert!(matches!(dripped, BodyError::Dripped), "{dripped}");
            assert!(begun.elapsed() <= RATE_WINDOW, "{:?}", begun.elapsed());
        }
        // Each window is measured anew: fast bytes before do not pay for a drip.
        let fast = stream::iter([Ok::<_, std::io::Error>(Bytes::from(vec![b'a'; 1 << 20]))]);
        let drip = stream::repeat(Bytes::from("a")).then(|chunk| async move {
            tokio::time::sleep(STALL_MAX / 3).await;
            Ok(chunk)
        });
        let begun = Instant::now();
        let dripped = error_of(Body::from_stream(fast.chain(drip)), Shutdown::default()).await;
        assert!(matches!(dripped, BodyError::Dripped), "{dripped}");
        assert!(begun.elapsed() <= 2 * RATE_WINDOW, "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_reader_takes_is_not_the_callers_slowness() {
        let chunks = stream::repeat(Bytes::from("a")).take(20).map(Ok::<_, std::io::Error>);
        let mut read = timed(Body::from_stream(chunks), Shutdown::default());
        let mut bytes = 0;
        while let Some(chunk) = read.next().await {
            bytes += chunk.unwrap().len();
            tokio::time::sleep(STALL_MAX / 2).await;
        }
        assert_eq!(bytes, 20);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_a_body() {
        let shutdown = Shutdown::default();
        let reading = tokio::spawn(error_of(body(ENOUGH, STALL_MAX / 2), shutdown.clone()));
        shutdown.drain(STALL_MAX).await;
        assert!(matches!(reading.await.unwrap(), BodyError::Stopping));
    }
}
