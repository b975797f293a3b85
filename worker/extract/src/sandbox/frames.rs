//! What parent and child write to one another: frames of a length (4 bytes, little-endian), a kind (1 byte) and a payload.

use std::io::{self, Write};

use tokio::io::{AsyncRead, AsyncReadExt};

use super::error::{Broken, ProtocolError};

/// Bytes of a frame before its payload.
pub(super) const HEADER_BYTES: usize = 5;
/// Largest payload with a part's bytes: the parent's buffers grow by at most so much at a time.
pub(super) const CHUNK_BYTES_MAX: usize = 1 << 20;
/// Largest JSON of a request or a summary. Passwords, page lists and counts are short.
pub(super) const JSON_BYTES_MAX: usize = 64 << 10;
/// Largest JSON of what a child enforces, of a refusal, or of a picture: a few names and numbers.
const NOTE_BYTES_MAX: usize = 4 << 10;

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// From the child: what it enforces, in JSON.
    Ready,
    /// To the child: what is asked, in JSON. The document comes along as a file descriptor.
    Request,
    /// From the child: what it found, and the sizes of the parts that follow, in JSON.
    Summary,
    /// Bytes of a part, of a picture or of words.
    Bytes,
    /// From the child: all parts were sent.
    Done,
    /// From the child: why the document cannot be read, in JSON.
    Refused,
    /// From the child: a picture to be read, in JSON. Its pixels follow as bytes.
    Picture,
    /// To the child: what was read of a picture, in JSON. The words follow as bytes.
    Words,
}

/// A frame without its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// What the frame holds.
    pub kind: Kind,
    /// Bytes of the payload.
    pub bytes: usize,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Ready,
        Self::Request,
        Self::Summary,
        Self::Bytes,
        Self::Done,
        Self::Refused,
        Self::Picture,
        Self::Words,
    ];

    const fn letter(self) -> u8 {
        match self {
            Self::Ready => b'R',
            Self::Request => b'Q',
            Self::Summary => b'S',
            Self::Bytes => b'B',
            Self::Done => b'D',
            Self::Refused => b'X',
            Self::Picture => b'P',
            Self::Words => b'W',
        }
    }

    const fn bytes_max(self) -> usize {
        match self {
            Self::Ready | Self::Refused | Self::Picture | Self::Words => NOTE_BYTES_MAX,
            Self::Request | Self::Summary => JSON_BYTES_MAX,
            Self::Bytes => CHUNK_BYTES_MAX,
            Self::Done => 0,
        }
    }
}

impl Header {
    /// The header of a payload; an error if the payload is larger than its kind may be.
    pub fn of(kind: Kind, payload: &[u8]) -> Result<Self, ProtocolError> {
        Self::checked(kind, payload.len())
    }

    fn checked(kind: Kind, bytes: usize) -> Result<Self, ProtocolError> {
        if bytes > kind.bytes_max() {
            return Err(ProtocolError::FrameTooLarge);
        }
        Ok(Self { kind, bytes })
    }

    /// The header as it is sent.
    pub fn encode(self) -> [u8; HEADER_BYTES] {
        let [a, b, c, d] = u32::try_from(self.bytes).unwrap_or(u32::MAX).to_le_bytes();
        [a, b, c, d, self.kind.letter()]
    }

    /// Reads a header as it was sent.
    pub fn decode([a, b, c, d, letter]: [u8; HEADER_BYTES]) -> Result<Self, ProtocolError> {
        let of_letter = |kind: &Kind| kind.letter() == letter;
        let kind = Kind::ALL.into_iter().find(of_letter);
        let bytes = u32::from_le_bytes([a, b, c, d]);
        Self::checked(
            kind.ok_or(ProtocolError::UnknownKind)?,
            usize::try_from(bytes).unwrap_or(usize::MAX),
        )
    }
}

/// Writes a frame.
pub(super) fn write(out: &mut impl Write, kind: Kind, payload: &[u8]) -> io::Result<()> {
    let header = Header::of(kind, payload).map_err(io::Error::other)?;
    out.write_all(&header.encode())?;
    out.write_all(payload)
}

/// Reads a frame's header.
pub(super) async fn read_header(stream: &mut (impl AsyncRead + Unpin)) -> Result<Header, Broken> {
    let mut header = [0; HEADER_BYTES];
    stream.read_exact(&mut header).await?;
    Ok(Header::decode(header)?)
}

/// Reads a payload whose header was read.
pub(super) async fn read_payload(stream: &mut (impl AsyncRead + Unpin), header: Header) -> Result<Vec<u8>, Broken> {
    let mut payload = vec![0; header.bytes];
    stream.read_exact(&mut payload).await?;
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written() {
        for kind in Kind::ALL {
            for bytes in [0, kind.bytes_max()] {
                let header = Header { kind, bytes };
                assert_eq!(Header::decode(header.encode()), Ok(header));
            }
        }
    }

    #[test]
    fn no_kind_may_be_larger_than_its_limit() {
        for kind in Kind::ALL {
            let header = Header {
                kind,
                bytes: kind.bytes_max() + 1,
            };
            assert_eq!(Header::decode(header.encode()), Err(ProtocolError::FrameTooLarge));
        }
        assert_eq!(
            Header::decode([255, 255, 255, 255, b'B']),
            Err(ProtocolError::FrameTooLarge)
        );
    }

    #[test]
    fn any_five_bytes_are_a_header_or_an_error() {
        let known = (0..=u8::MAX).filter(|&letter| Header::decode([0, 0, 0, 0, letter]).is_ok());
        assert_eq!(known.collect::<Vec<_>>(), *b"BDPQRSWX");
    }
}
