//! The answer to a document: a summary with the sizes of its parts, then the parts' bytes.

use std::io::{self, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::error::{Broken, ProtocolError};
use super::frames::{self, CHUNK_BYTES_MAX, Kind};
use super::pictures::PictureHead;
use crate::refusal::Refusal;

/// Parts of an answer: a text, a map of it, and some more. A hostile child shall not make the parent allocate many.
const PARTS_MAX: usize = 16;

/// What a parser found, in the child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<S> {
    /// What is known without the parts. Its JSON may have 64 KiB.
    pub about: S,
    /// The parts, at most 16, such as the text and the map. Parser and caller agree on their order.
    pub parts: Vec<Vec<u8>>,
}

/// What comes before the parts, so that the parent can make room for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary<S> {
    /// What is known without the parts.
    pub about: S,
    /// Size of each part in bytes.
    pub sizes: Vec<usize>,
}

/// What a child sent. All of it comes from a process that a hostile document may have taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed<S> {
    /// What is known without the parts.
    pub about: S,
    /// The parts, as many as the summary said and as large.
    pub parts: Vec<Vec<u8>>,
}

/// The first frame of an answer.
pub(super) enum First<S> {
    Summary(Summary<S>),
    Refused(Refusal),
    /// Not an answer yet: a picture has to be read before.
    Picture(PictureHead),
}

impl<S> Summary<S> {
    /// Bytes of all parts.
    pub fn bytes(&self) -> usize {
        self.sizes.iter().fold(0, |sum, &size| sum.saturating_add(size))
    }

    fn checked(self, bytes_max: usize) -> Result<Self, ProtocolError> {
        if self.sizes.len() > PARTS_MAX || self.bytes() > bytes_max {
            return Err(ProtocolError::AnswerTooLarge { max: bytes_max });
        }
        Ok(self)
    }
}

/// Writes an answer, or why there is none.
pub(super) fn write<S: Serialize>(out: &mut impl Write, answer: Result<Answer<S>, Refusal>) -> io::Result<()> {
    match answer {
        Ok(Answer { about, parts }) => {
            let sizes = parts.iter().map(Vec::len).collect();
            frames::write(out, Kind::Summary, &serde_json::to_vec(&Summary { about, sizes })?)?;
            for chunk in parts.iter().flat_map(|part| part.chunks(CHUNK_BYTES_MAX)) {
                frames::write(out, Kind::Bytes, chunk)?;
            }
            frames::write(out, Kind::Done, &[])
        }
        Err(refusal) => frames::write(out, Kind::Refused, &serde_json::to_vec(&refusal)?),
    }
}

/// Reads the first frame of an answer whose parts may have so many bytes together.
pub(super) async fn read_first<S: DeserializeOwned>(
    stream: &mut (impl AsyncRead + Unpin),
    bytes_max: usize,
) -> Result<First<S>, Broken> {
    let header = frames::read_header(stream).await?;
    match header.kind {
        Kind::Summary => {
            let summary: Summary<S> = of_json(&frames::read_payload(stream, header).await?)?;
            Ok(First::Summary(summary.checked(bytes_max)?))
        }
        Kind::Refused => Ok(First::Refused(of_json(&frames::read_payload(stream, header).await?)?)),
        Kind::Picture => Ok(First::Picture(of_json(&frames::read_payload(stream, header).await?)?)),
        Kind::Ready | Kind::Request | Kind::Bytes | Kind::Done | Kind::Words => Err(ProtocolError::WrongKind.into()),
    }
}

/// Reads the parts, which have exactly these sizes.
pub(super) async fn read_parts(stream: &mut (impl AsyncRead + Unpin), sizes: &[usize]) -> Result<Vec<Vec<u8>>, Broken> {
    let mut parts = Vec::with_capacity(sizes.len());
    for &size in sizes {
        parts.push(read_part(stream, size).await?);
    }
    let end = frames::read_header(stream).await?;
    match end.kind {
        Kind::Done => Ok(parts),
        Kind::Bytes => Err(ProtocolError::WrongSize.into()),
        Kind::Ready | Kind::Request | Kind::Summary | Kind::Refused | Kind::Picture | Kind::Words => {
            Err(ProtocolError::WrongKind.into())
        }
    }
}

async fn read_part(stream: &mut (impl AsyncRead + Unpin), size: usize) -> Result<Vec<u8>, Broken> {
    let mut part = Vec::new();
    part.try_reserve_exact(size).map_err(|_| Broken::NoMemory)?;
    while part.len() < size {
        let chunk = frames::read_header(stream).await?;
        match chunk.kind {
            // An empty chunk would let a child send frames for ever.
            Kind::Bytes if (1..=size - part.len()).contains(&chunk.bytes) => {}
            Kind::Bytes | Kind::Done => return Err(ProtocolError::WrongSize.into()),
            Kind::Ready | Kind::Request | Kind::Summary | Kind::Refused | Kind::Picture | Kind::Words => {
                return Err(ProtocolError::WrongKind.into());
            }
        }
        let read = (&mut *stream).take(chunk.bytes as u64).read_to_end(&mut part).await?;
        if read < chunk.bytes {
            return Err(Broken::Gone);
        }
    }
    Ok(part)
}

/// Reads JSON that a child wrote. The error holds nothing of it.
pub(super) fn of_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, ProtocolError> {
    serde_json::from_slice(json).map_err(|_| ProtocolError::Json)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(mut sent: &[u8], bytes_max: usize) -> Result<Vec<Vec<u8>>, Broken> {
        match read_first::<u32>(&mut sent, bytes_max).await? {
            First::Summary(summary) => read_parts(&mut sent, &summary.sizes).await,
            First::Refused(_) | First::Picture(_) => Ok(Vec::new()),
        }
    }

    fn sent(parts: &[&[u8]]) -> Vec<u8> {
        let mut sent = Vec::new();
        let parts = parts.iter().map(|part| part.to_vec()).collect();
        write(&mut sent, Ok(Answer { about: 7, parts })).unwrap();
        sent
    }

    #[tokio::test]
    async fn parts_arrive_as_they_were_sent() {
        let large = vec![b'a'; 2 * CHUNK_BYTES_MAX + 1];
        let parts = read(&sent(&[b"text", b"", &large]), large.len() + 4).await.unwrap();
        assert_eq!(parts, [b"text".to_vec(), Vec::new(), large]);
    }

    #[tokio::test]
    async fn no_cut_answer_is_taken() {
        let sent = sent(&[b"text", b"map"]);
        for end in 0..sent.len() {
            let cut = read(&sent[..end], 100).await;
            assert_eq!(cut, Err(Broken::Gone), "cut at {end}");
        }
    }

    #[tokio::test]
    async fn no_changed_byte_panics_or_makes_an_answer_larger() {
        let sent = sent(&[b"text", b"map"]);
        for at in 0..sent.len() {
            for byte in 0..=u8::MAX {
                let mut changed = sent.clone();
                changed[at] = byte;
                if let Ok(parts) = read(&changed, 100).await {
                    assert_eq!(parts.concat().len(), 7);
                }
            }
        }
    }

    #[tokio::test]
    async fn an_answer_has_a_largest_size_and_a_largest_number_of_parts() {
        let too_large = |max| Err(Broken::Protocol(ProtocolError::AnswerTooLarge { max }));
        assert_eq!(read(&sent(&[b"text"]), 3).await, too_large(3));
        assert_eq!(read(&sent(&[b"".as_slice(); 17]), 3).await, too_large(3));
        let mut overflowing = Vec::new();
        let json = format!("{{\"about\":1,\"sizes\":[{0},{0}]}}", u64::MAX);
        frames::write(&mut overflowing, Kind::Summary, json.as_bytes()).unwrap();
        assert_eq!(read(&overflowing, 3).await, too_large(3));
    }
}
