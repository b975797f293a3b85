//! A part of an upload on its way to S3. A small part is in memory; a larger one in a file without a name, which dies with the
//! process. So an upload holds at most [`MEMORY_BYTES`] of its content in memory, however slowly it arrives, and each part can be
//! sent again.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsRawFd as _, RawFd};

use aws_sdk_s3::primitives::{ByteStream, ByteStreamError, Length};
use bytes::{Bytes, BytesMut};
use futures::{Stream, TryStreamExt as _};

/// Most content of an upload in memory, in bytes. Larger documents are rare, and pay for a file.
pub const MEMORY_BYTES: usize = 256 * 1024;

/// Bytes that can be sent as often as needed.
pub(crate) struct Part {
    bytes: u64,
    held: Held,
}

enum Held {
    Memory(Bytes),
    File(File),
}

/// Why a part was not filled.
pub(crate) enum FillError<E> {
    /// The stream of chunks ended with this error.
    Body(E),
    /// The file could not be made or written: no space, or no rights in the folder for temporary files.
    File(io::Error),
}

impl Part {
    /// Takes chunks until there are at least `bytes`, or the stream ends. The last chunk may go beyond `bytes`.
    pub(crate) async fn fill<S, E>(chunks: &mut S, bytes: usize) -> Result<Self, FillError<E>>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
    {
        let (mut file, mut buffer) = (None, BytesMut::new());
        let mut taken = 0;
        while taken < bytes
            && let Some(chunk) = chunks.try_next().await.map_err(FillError::Body)?
        {
            taken += chunk.len();
            if buffer.len() + chunk.len() > MEMORY_BYTES {
                let (written, emptied) = append(file, buffer).await.map_err(FillError::File)?;
                (file, buffer) = (Some(written), emptied);
            }
            buffer.extend_from_slice(&chunk);
        }
        let held = if file.is_some() {
            Held::File(append(file, buffer).await.map_err(FillError::File)?.0)
        } else {
            Held::Memory(buffer.freeze())
        };
        let bytes = taken as u64;
        Ok(Self { bytes, held })
    }

    /// Size of the part, in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// A body for one request, which the SDK may read several times. Keep the part alive meanwhile.
    pub(crate) async fn body(&self) -> Result<ByteStream, ByteStreamError> {
        match &self.held {
            Held::Memory(bytes) => Ok(ByteStream::from(bytes.clone())),
            Held::File(file) => {
                let length = Length::Exact(self.bytes);
                ByteStream::read_from()
                    .path(reopened(file.as_raw_fd()))
                    .length(length)
                    .build()
                    .await
            }
        }
    }
}

/// A path that opens the same file with a position of its own (`man 5 proc`).
fn reopened(descriptor: RawFd) -> String {
    format!("/proc/self/fd/{descriptor}")
}

/// Writes the buffer to the end of the file and empties it. Without a file, makes one.
async fn append(file: Option<File>, mut buffer: BytesMut) -> io::Result<(File, BytesMut)> {
    let write = move || {
        let mut file = file.map_or_else(tempfile::tempfile, Ok)?;
        file.write_all(&buffer)?;
        buffer.clear();
        Ok((file, buffer))
    };
    tokio::task::spawn_blocking(write).await?
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    async fn filled(chunks: &[usize], bytes: usize) -> Part {
        let mut chunks = stream::iter(
            chunks
                .iter()
                .map(|size| Ok::<_, io::Error>(Bytes::from(vec![b'x'; *size]))),
        );
        match Part::fill(&mut chunks, bytes).await {
            Ok(part) => part,
            Err(FillError::Body(error) | FillError::File(error)) => panic!("{error}"),
        }
    }

    #[tokio::test]
    async fn a_part_can_be_read_twice_from_memory_and_from_its_file() {
        let cases: [(&[usize], bool); 5] = [
            (&[], false),
            (&[10], false),
            (&[MEMORY_BYTES], false),
            (&[MEMORY_BYTES, 1], true),
            (&[100_000; 30], true),
        ];
        for (chunks, is_in_file) in cases {
            let part = filled(chunks, 4_000_000).await;
            let sum: usize = chunks.iter().sum();
            assert_eq!(matches!(part.held, Held::File(_)), is_in_file, "{chunks:?}");
            for _ in 0..2 {
                let read = part.body().await.unwrap().collect().await.unwrap().into_bytes();
                assert_eq!((read.len(), part.bytes()), (sum, sum as u64));
                assert!(read.iter().all(|byte| *byte == b'x'));
            }
        }
    }

    #[tokio::test]
    async fn a_part_ends_with_the_chunk_that_fills_it() {
        assert_eq!(filled(&[300_000; 10], 1_000_000).await.bytes(), 1_200_000);
    }
}
