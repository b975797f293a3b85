//! Cuts a body into pieces of one size, however its sender cut it.

use axum::body::Bytes;
use futures::stream::{self, BoxStream, StreamExt};

use crate::upload::body::{BodyError, PIECE_BYTES};

/// The chunks of a body as they arrive.
pub type Chunks = BoxStream<'static, Result<Bytes, BodyError>>;

/// The same bytes in pieces of [`PIECE_BYTES`]; the last piece may be shorter.
pub fn pieces(chunks: Chunks) -> Chunks {
    let cutter = Cutter {
        chunks,
        chunk: Bytes::new(),
        gathered: Vec::new(),
    };
    stream::unfold(cutter, async |mut cutter| Some((cutter.next().await?, cutter))).boxed()
}

struct Cutter {
    chunks: Chunks,
    /// The rest of the latest chunk.
    chunk: Bytes,
    /// Small chunks, gathered until they make a piece.
    gathered: Vec<u8>,
}

impl Cutter {
    async fn next(&mut self) -> Option<Result<Bytes, BodyError>> {
        loop {
            if self.gathered.is_empty() && self.chunk.len() >= PIECE_BYTES {
                return Some(Ok(self.chunk.split_to(PIECE_BYTES))); // Cut without a copy.
            }
            let missing = self.chunk.len().min(PIECE_BYTES - self.gathered.len());
            self.gathered.extend_from_slice(&self.chunk.split_to(missing));
            if self.gathered.len() == PIECE_BYTES {
                return self.gathered();
            }
            match self.chunks.next().await {
                Some(Ok(chunk)) => self.chunk = chunk,
                Some(Err(error)) => return Some(Err(error)),
                None if self.gathered.is_empty() => return None,
                None => return self.gathered(),
            }
        }
    }

    fn gathered(&mut self) -> Option<Result<Bytes, BodyError>> {
        Some(Ok(std::mem::take(&mut self.gathered).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sizes(chunks: &[usize]) -> Vec<usize> {
        let sent: Vec<Bytes> = chunks.iter().map(|bytes| vec![7; *bytes].into()).collect();
        let cut = pieces(stream::iter(sent).map(Ok).boxed());
        cut.map(|piece| piece.unwrap().len()).collect().await
    }

    #[tokio::test]
    async fn pieces_are_of_one_size_however_a_body_comes() {
        assert!(sizes(&[]).await.is_empty());
        assert_eq!(sizes(&[1, 0, 2]).await, [3]);
        assert_eq!(sizes(&[PIECE_BYTES]).await, [PIECE_BYTES]);
        assert_eq!(sizes(&[1, 2 * PIECE_BYTES, 1]).await, [PIECE_BYTES, PIECE_BYTES, 2]);
        assert_eq!(
            sizes(&vec![1; 2 * PIECE_BYTES + 5]).await,
            [PIECE_BYTES, PIECE_BYTES, 5]
        );
    }

    #[tokio::test]
    async fn pieces_have_the_bytes_of_the_body_in_order() {
        let sent: Vec<u8> = (0..5 * PIECE_BYTES).map(|at| (at % 251) as u8).collect();
        let chunks: Vec<Bytes> = sent.chunks(7_919).map(Bytes::copy_from_slice).collect();
        let cut: Vec<Bytes> = pieces(stream::iter(chunks).map(Ok).boxed())
            .map(|piece| piece.unwrap())
            .collect()
            .await;
        assert_eq!(cut.concat(), sent);
    }

    #[tokio::test]
    async fn an_error_ends_a_body_before_its_last_piece() {
        let chunks = stream::iter([Ok(Bytes::from_static(b"a")), Err(BodyError::Stopping)]).boxed();
        let cut: Vec<_> = pieces(chunks).take(1).collect().await;
        assert!(matches!(cut[..], [Err(BodyError::Stopping)]));
    }
}
