//! A connection that is cut when its caller reads slower than the lowest rate: nobody can hold an answer, and the stores'
//! resources behind it, for as long as they like.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::pace::{Pace, RATE_MIN, RATE_WINDOW};

/// A connection whose writes are timed.
pub struct Taker<S> {
    stream: S,
    pace: Pace,
    blocked: Option<Blocked>,
}

/// A write that waits for the caller.
struct Blocked {
    since: Instant,
    window_ends: Pin<Box<Sleep>>,
}

impl<S> Taker<S> {
    /// Times the writes of a connection.
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            pace: Pace::default(),
            blocked: None,
        }
    }

    /// The result of a write, or an error when the caller took too little in the window.
    fn watch(&mut self, written: Poll<io::Result<usize>>, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let now = Instant::now();
        let Poll::Ready(written) = written else {
            return self.wait(now, context);
        };
        let bytes = written?;
        let waited = self.blocked.take().map(|blocked| now - blocked.since);
        self.note(waited.unwrap_or_default(), bytes)?;
        Poll::Ready(Ok(bytes))
    }

    fn wait(&mut self, now: Instant, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        loop {
            let left = self.pace.left();
            let blocked = self.blocked.get_or_insert_with(|| Blocked {
                since: now,
                window_ends: Box::pin(sleep_until(now + left)),
            });
            ready!(blocked.window_ends.as_mut().poll(context));
            let waited = now - blocked.since;
            self.blocked = None;
            self.note(waited, 0)?;
        }
    }

    fn note(&mut self, waited: std::time::Duration, bytes: usize) -> io::Result<()> {
        if self.pace.note(waited, bytes) {
            return Ok(());
        }
        let window = RATE_WINDOW.as_secs();
        let error = format!("the caller took fewer than {RATE_MIN} bytes a second in {window} s");
        Err(io::Error::new(io::ErrorKind::TimedOut, error))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Taker<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.watch(written, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, slices);
        this.watch(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Taker<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    /// Bytes that wait between the two ends.
    const BETWEEN: usize = 1024;
    const ANSWER: usize = 256 * 1024;

    async fn send(stream: tokio::io::DuplexStream) -> io::Result<()> {
        Taker::new(stream).write_all(&vec![b'a'; ANSWER]).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_reads_nothing_or_a_drip_is_cut() {
        let (ours, theirs) = duplex(BETWEEN);
        let begun = Instant::now();
        let error = send(ours).await.unwrap_err();
        assert_eq!((error.kind(), begun.elapsed()), (io::ErrorKind::TimedOut, RATE_WINDOW));
        drop(theirs);

        let (ours, mut theirs) = duplex(BETWEEN);
        let sending = tokio::spawn(send(ours));
        let mut taken = 0;
        while let Ok(bytes @ 1..) = theirs.read(&mut [0; 1]).await {
            taken += bytes;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(sending.await.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(taken < ANSWER);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_keeps_the_pace_gets_everything() {
        let (ours, mut theirs) = duplex(BETWEEN);
        let sending = tokio::spawn(send(ours));
        let (mut taken, mut piece) = (0, vec![0; BETWEEN]);
        let begun = Instant::now();
        while let Ok(bytes @ 1..) = theirs.read(&mut piece).await {
            taken += bytes;
            tokio::time::sleep(Duration::from_millis(900)).await;
        }
        assert!(sending.await.unwrap().is_ok());
        assert_eq!(taken, ANSWER);
        assert!(begun.elapsed() > 2 * RATE_WINDOW);
    }
}
