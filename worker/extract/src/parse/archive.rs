//! ZIP archives of documents: each file is a document of its own. An archive within the archive is a file like any other.
//!
//! Left out are folders, links, empty files, and what systems write beside people's files. A file that is damaged, or compressed in
//! a way that is not read (all but deflate, as nobody's usual program writes them), is refused alone; the others are read.
//!
//! The archive's table of contents is read here and not by the crate `zip`: that crate keeps the last of two files of one name only,
//! and makes an entry of its own for each line of the table before anybody can count them.

mod directory;
mod name;

use std::io::Read;

use flate2::Crc;
use flate2::read::DeflateDecoder;

use super::attachment::{Attachment, Names};
use crate::limits::{INFLATED_FREE, Limits, RATIO_MAX};
use crate::refusal::{Format, Parts, Problem, Refusal};
use directory::{Compression, Entry};

/// Most documents of an archive. Each becomes a document with a job of its own, so an archive of thousands would be a batch, which
/// the API takes in other ways.
pub const CHILDREN_MAX: usize = 1_000;
/// What an archive says of the type of its files.
const UNKNOWN_TYPE: &str = "application/octet-stream";
/// A damaged file of an archive.
const DAMAGED: Refusal = Refusal::malformed(Format::Zip, Problem::Compression);

/// Reads the files of an archive.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Vec<Attachment>, Refusal> {
    let mut entries = directory::read(bytes)?;
    entries.retain(|entry| entry.is_file && entry.size > 0 && !name::is_left_out(&entry.name));
    if entries.len() > CHILDREN_MAX {
        return Err(Refusal::TooMany {
            what: Parts::Files,
            max: CHILDREN_MAX,
        });
    }
    if entries.iter().any(|entry| entry.is_encrypted) {
        return Err(Refusal::Encrypted);
    }
    let mut budget = Budget::new(bytes.len(), limits);
    let mut names = Names::default();
    let mut attachments = Vec::with_capacity(entries.len());
    for entry in &entries {
        attachments.push(Attachment {
            file_name: names.give(&entry.name),
            media_type: UNKNOWN_TYPE.to_owned(),
            charset: None,
            bytes: budget.unpack(entry)?,
        });
    }
    Ok(attachments)
}

/// How many bytes the files of an archive may still become.
struct Budget {
    left: u64,
    /// The refusal of an archive that becomes more.
    refusal: Refusal,
}

impl Budget {
    fn new(archive: usize, limits: &Limits) -> Self {
        let archive = u64::try_from(archive).unwrap_or(u64::MAX);
        let by_ratio = archive.saturating_mul(RATIO_MAX).max(INFLATED_FREE);
        if by_ratio < limits.inflated_bytes {
            Self {
                left: by_ratio,
                refusal: Refusal::InflatesTooMuch { max: RATIO_MAX },
            }
        } else {
            let max = limits.inflated_bytes;
            Self {
                left: max,
                refusal: Refusal::InflatedTooLarge { max },
            }
        }
    }

    /// A file's bytes, or why this file cannot be read; or why the archive cannot.
    fn unpack(&mut self, entry: &Entry<'_>) -> Result<Result<Vec<u8>, Refusal>, Refusal> {
        let unpacked = match entry.compression {
            Compression::Stored => self.inflate(entry.data),
            Compression::Deflate => self.inflate(DeflateDecoder::new(entry.data)),
            Compression::Other => return Ok(Err(DAMAGED)),
        };
        let Some(bytes) = unpacked else { return Ok(Err(DAMAGED)) };
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(length).ok_or_else(|| self.refusal.clone())?;
        let mut sum = Crc::new();
        sum.update(&bytes);
        let is_whole = length == entry.size && sum.sum() == entry.checksum;
        Ok(if is_whole { Ok(bytes) } else { Err(DAMAGED) })
    }

    /// Reads at most one byte more than may be. `None` if the data are damaged; what was read of them counts all the same.
    fn inflate(&mut self, data: impl Read) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = data.take(self.left.saturating_add(1)).read_to_end(&mut bytes);
        if read.is_err() {
            self.left = self.left.saturating_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            return None;
        }
        Some(bytes)
    }
}

#[cfg(test)]
mod tests;
