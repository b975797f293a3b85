//! An answer that keeps its place or permit until its caller has taken it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use http_body::{Frame, SizeHint};

/// Largest piece handed to a connection, in bytes. Each piece is a copy, so that the answer and its place are let go only
/// together.
const PIECE_BYTES_MAX: usize = 16 * 1024;

/// Keeps `guard` alive until the response's last piece was handed to the connection.
pub fn held<G: Send + Unpin + 'static>(response: Response, guard: G) -> Response {
    response.map(|body| {
        if body.is_end_stream() {
            return body;
        }
        Body::new(Held {
            body,
            rest: Bytes::new(),
            _guard: guard,
        })
    })
}

struct Held<G> {
    body: Body,
    /// The rest of the body's last frame.
    rest: Bytes,
    _guard: G,
}

impl<G: Unpin> HttpBody for Held<G> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        while this.rest.is_empty() {
            match ready!(Pin::new(&mut this.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.rest = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                ended => return Poll::Ready(ended),
            }
        }
        let piece = this.rest.split_to(this.rest.len().min(PIECE_BYTES_MAX));
        Poll::Ready(Some(Ok(Frame::data(Bytes::copy_from_slice(&piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (left, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(left.lower() + rest);
        if let Some(upper) = left.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn an_answer_is_handed_over_in_pieces_and_holds_until_the_last_one() {
        let bytes: Vec<u8> = (0..100_000_u32).map(|n| n as u8).collect();
        let guard = Arc::new(());
        let response = held(Response::new(Body::from(bytes.clone())), guard.clone());
        let mut body = response.into_body();
        assert_eq!(body.size_hint().exact(), Some(100_000));
        let mut taken = Vec::new();
        while let Some(frame) = body.frame().await {
            assert_eq!(Arc::strong_count(&guard), 2);
            let data = frame.unwrap().into_data().unwrap();
            assert!(data.len() <= PIECE_BYTES_MAX);
            taken.extend_from_slice(&data);
            assert_eq!(body.size_hint().exact(), Some((bytes.len() - taken.len()) as u64));
        }
        assert_eq!(taken, bytes);
        drop(body);
        assert_eq!(Arc::strong_count(&guard), 1);
        held(Response::new(Body::empty()), guard.clone());
        assert_eq!(Arc::strong_count(&guard), 1);
    }
}
