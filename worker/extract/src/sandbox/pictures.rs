//! Pictures that a child wants read, and the words that it gets. A child cannot read pictures itself: the program that can is a
//! process of its own, and a child starts none.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::error::{Broken, ProtocolError};
use super::frames::{self, CHUNK_BYTES_MAX, HEADER_BYTES, Header, Kind};
use super::handover::Channel;

/// Most pixels of a picture: a page of A3 at 300 dpi has 17.4 million. Tesseract takes 100 MB for so many.
pub const PIXELS_MAX: usize = 20_000_000;
/// Most bytes of the words of one picture: a dense page has some 60 KB, and a page of a newspaper 300 KB.
pub const WORDS_BYTES_MAX: usize = 2 << 20;

/// A picture in shades of grey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// What is known without the pixels.
    pub head: PictureHead,
    /// One byte a pixel, black is 0, row after row from the top.
    pub pixels: Vec<u8>,
}

/// A picture without its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureHead {
    /// Pixels of a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Pixels of an inch.
    pub dpi: u32,
}

/// What was read of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Words {
    /// Words and their places, as Tesseract writes its TSV.
    Read(Vec<u8>),
    /// The picture could not be read.
    Failed,
    /// The document's time for OCR was over before.
    Late,
}

/// [`Words`] without their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WordsHead {
    Read { bytes: usize },
    Failed,
    Late,
}

/// Has pictures read, in the child. Answers come in the order of the pictures.
#[derive(Debug)]
pub struct PictureReader(Channel);

impl PictureHead {
    /// Bytes of the pixels; `None` if they are none, or too many.
    pub fn bytes(self) -> Option<usize> {
        let pixels = (self.width as usize).checked_mul(self.height as usize)?;
        (1..=PIXELS_MAX).contains(&pixels).then_some(pixels)
    }
}

impl PictureReader {
    pub(super) fn of(channel: Channel) -> Self {
        Self(channel)
    }

    /// Sends a picture. An error means that the parent has left.
    pub fn send(&mut self, picture: &Picture) -> io::Result<()> {
        frames::write(&mut self.0, Kind::Picture, &serde_json::to_vec(&picture.head)?)?;
        let mut chunks = picture.pixels.chunks(CHUNK_BYTES_MAX);
        chunks.try_for_each(|chunk| frames::write(&mut self.0, Kind::Bytes, chunk))
    }

    /// The words of the oldest picture that has none yet. An error means that the parent has left.
    pub fn receive(&mut self) -> io::Result<Words> {
        let head = self.payload(Kind::Words)?;
        let bytes = match serde_json::from_slice(&head)? {
            WordsHead::Read { bytes } => bytes,
            WordsHead::Failed => return Ok(Words::Failed),
            WordsHead::Late => return Ok(Words::Late),
        };
        let mut words = Vec::with_capacity(bytes);
        while words.len() < bytes {
            words.extend(self.payload(Kind::Bytes)?);
        }
        Ok(Words::Read(words))
    }

    fn payload(&mut self, kind: Kind) -> io::Result<Vec<u8>> {
        let mut header = [0; HEADER_BYTES];
        self.0.read_exact(&mut header)?;
        let header = Header::decode(header).map_err(io::Error::other)?;
        if header.kind != kind {
            return Err(io::Error::other(ProtocolError::WrongKind));
        }
        let mut payload = vec![0; header.bytes];
        self.0.read_exact(&mut payload)?;
        Ok(payload)
    }
}

/// Takes a picture's pixels, and writes them as they come, in the parent.
pub(super) async fn take_pixels(
    from: &mut (impl AsyncRead + Unpin),
    mut bytes: usize,
    mut out: impl Write,
) -> Result<(), Broken> {
    while bytes > 0 {
        let header = frames::read_header(from).await?;
        // An empty chunk would let a child send frames for ever.
        if header.kind != Kind::Bytes || !(1..=bytes).contains(&header.bytes) {
            return Err(ProtocolError::WrongSize.into());
        }
        let chunk = frames::read_payload(from, header).await?;
        out.write_all(&chunk).map_err(|_| Broken::NoMemory)?;
        bytes -= chunk.len();
    }
    Ok(())
}

/// Sends a picture's words, in the parent.
pub(super) async fn give_words(to: &mut (impl AsyncWrite + Unpin), words: &Words) -> Result<(), Broken> {
    let (head, bytes): (_, &[u8]) = match words {
        Words::Read(bytes) => (WordsHead::Read { bytes: bytes.len() }, bytes),
        Words::Failed => (WordsHead::Failed, &[]),
        Words::Late => (WordsHead::Late, &[]),
    };
    let head = serde_json::to_vec(&head).map_err(|_| ProtocolError::Json)?;
    give(to, Kind::Words, &head).await?;
    for chunk in bytes.chunks(CHUNK_BYTES_MAX) {
        give(to, Kind::Bytes, chunk).await?;
    }
    Ok(())
}

async fn give(to: &mut (impl AsyncWrite + Unpin), kind: Kind, payload: &[u8]) -> Result<(), Broken> {
    to.write_all(&Header::of(kind, payload)?.encode()).await?;
    Ok(to.write_all(payload).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_a_largest_size() {
        let bytes = |width, height| {
            PictureHead {
                width,
                height,
                dpi: 300,
            }
            .bytes()
        };
        assert_eq!(bytes(2_480, 3_508), Some(8_699_840));
        assert_eq!((bytes(0, 10), bytes(u32::MAX, u32::MAX)), (None, None));
        assert_eq!((bytes(20_000, 1_000), bytes(20_001, 1_000)), (Some(PIXELS_MAX), None));
    }

    #[tokio::test]
    async fn pixels_are_taken_as_many_as_were_said() {
        let mut sent = Vec::new();
        frames::write(&mut sent, Kind::Bytes, b"grey").unwrap();
        let take = async |bytes| {
            let mut taken = Vec::new();
            take_pixels(&mut sent.as_slice(), bytes, &mut taken)
                .await
                .map(|()| taken)
        };
        assert_eq!(take(4).await, Ok(b"grey".to_vec()));
        assert_eq!(take(3).await, Err(ProtocolError::WrongSize.into()));
        assert_eq!(take(5).await, Err(Broken::Gone));
    }
}
