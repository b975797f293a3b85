//! The pages of a TIFF file (TIFF 6.0, and BigTIFF): a chain of directories, each of which describes a picture. The decoder reads only the
//! first, so each page is read from a file that seems to begin with it.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

use crate::refusal::{Format, Problem, Refusal};

/// Tag of a directory that says what a picture is for.
const TAG_SUBFILE: u16 = 254;
/// Bit of that tag: the picture is a smaller copy of another.
const SMALLER_COPY: u8 = 1;

/// Where a page's directory begins, in bytes of the file.
pub type Start = u64;

/// The directories of all pages, without those of smaller copies.
pub fn starts(bytes: &[u8], pages_max: u32) -> Result<Vec<Start>, Refusal> {
    let malformed = || Refusal::malformed(Format::Tiff, Problem::Structure);
    let layout = Layout::of(bytes).ok_or_else(malformed)?;
    let (mut starts, mut seen) = (Vec::new(), 0);
    let mut next = layout.offset(bytes, layout.first_at()).filter(|&start| start != 0);
    while let Some(start) = next {
        // Copies count too: a chain may be a circle.
        seen += 1;
        if seen > 2 * u64::from(pages_max) || starts.len() >= pages_max as usize {
            return Err(Refusal::TooManyPages {
                pages: u32::try_from(seen).unwrap_or(u32::MAX),
                max: pages_max,
            });
        }
        // A file that was cut off has the pages before.
        let Some(directory) = layout.directory(bytes, start) else {
            break;
        };
        if !directory.is_copy {
            starts.push(start);
        }
        next = Some(directory.next).filter(|&next| next != 0);
    }
    if starts.is_empty() {
        Err(malformed())
    } else {
        Ok(starts)
    }
}

/// How numbers are stored.
#[derive(Clone, Copy)]
struct Layout {
    is_little: bool,
    is_big_tiff: bool,
}

struct Directory {
    is_copy: bool,
    next: Start,
}

impl Layout {
    fn of(bytes: &[u8]) -> Option<Self> {
        let (is_little, is_big_tiff) = match bytes.first_chunk::<4>()? {
            b"II*\0" => (true, false),
            b"MM\0*" => (false, false),
            b"II+\0" => (true, true),
            b"MM\0+" => (false, true),
            _ => return None,
        };
        Some(Self { is_little, is_big_tiff })
    }

    /// Where the first directory's place stands, in bytes of the file.
    fn first_at(self) -> u64 {
        if self.is_big_tiff { 8 } else { 4 }
    }

    fn number(self, bytes: &[u8], at: u64, size: usize) -> Option<u64> {
        let at = usize::try_from(at).ok()?;
        let bytes = bytes.get(at..at.checked_add(size)?)?;
        let join = |number: u64, &byte: &u8| number << 8 | u64::from(byte);
        Some(if self.is_little {
            bytes.iter().rev().fold(0, join)
        } else {
            bytes.iter().fold(0, join)
        })
    }

    fn offset(self, bytes: &[u8], at: u64) -> Option<u64> {
        self.number(bytes, at, if self.is_big_tiff { 8 } else { 4 })
    }

    fn directory(self, bytes: &[u8], start: Start) -> Option<Directory> {
        let (count_bytes, entry_bytes, value_at) = if self.is_big_tiff { (8, 20, 12) } else { (2, 12, 8) };
        let count = self.number(bytes, start, count_bytes)?;
        let entries = start.checked_add(count_bytes as u64)?;
        let end = entries.checked_add(count.checked_mul(entry_bytes)?)?;
        let next = self.offset(bytes, end)?;
        // Directories are sorted, so the tag is among the first: real files have it as the very first.
        let mut first = (0..count.min(2)).map(|entry| entries + entry * entry_bytes);
        let subfile = first.find(|&at| self.number(bytes, at, 2) == Some(u64::from(TAG_SUBFILE)));
        let flags = subfile
            .and_then(|at| self.number(bytes, at + value_at, 4))
            .unwrap_or_default();
        let is_copy = flags & u64::from(SMALLER_COPY) != 0;
        Some(Directory { is_copy, next })
    }
}

/// A TIFF file whose first page is another than the stored one.
pub struct FromPage<'a> {
    bytes: &'a [u8],
    head: Vec<u8>,
    at: u64,
}

impl<'a> FromPage<'a> {
    /// The file from this page on.
    pub fn new(bytes: &'a [u8], start: Start) -> Self {
        let mut head = Vec::new();
        if let Some(layout) = Layout::of(bytes) {
            let size = if layout.is_big_tiff { 8 } else { 4 };
            head.extend(bytes.iter().take(usize::from(layout.first_at() as u8)));
            let place = start.to_le_bytes();
            let place = place.iter().take(size).copied();
            if layout.is_little {
                head.extend(place);
            } else {
                head.extend(place.rev());
            }
        }
        Self { bytes, head, at: 0 }
    }
}

impl Read for FromPage<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for FromPage<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let at = usize::try_from(self.at).unwrap_or(usize::MAX);
        Ok(match self.head.get(at..) {
            Some(head) if !head.is_empty() => head,
            Some(_) | None => self.bytes.get(at..).unwrap_or_default(),
        })
    }

    fn consume(&mut self, bytes: usize) {
        self.at += bytes as u64;
    }
}

impl Seek for FromPage<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => (self.bytes.len() as u64).checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of directories without entries but, where said, the mark of a copy.
    fn file(is_little: bool, copies: &[bool]) -> (Vec<u8>, Vec<Start>) {
        let number = |number: u32, size: usize| -> Vec<u8> {
            let bytes = number.to_le_bytes().into_iter().take(size);
            if is_little {
                bytes.collect()
            } else {
                bytes.rev().collect()
            }
        };
        let mut bytes = if is_little {
            b"II*\0".to_vec()
        } else {
            b"MM\0*".to_vec()
        };
        let mut starts = Vec::new();
        bytes.extend(number(8, 4));
        for (at, &is_copy) in copies.iter().enumerate() {
            if !is_copy {
                starts.push(bytes.len() as u64);
            }
            bytes.extend(number(u32::from(is_copy), 2));
            if is_copy {
                [(254, 2), (4, 2), (1, 4), (1, 4)]
                    .iter()
                    .for_each(|&(of, size)| bytes.extend(number(of, size)));
            }
            let next = u32::try_from(bytes.len()).unwrap() + 4;
            bytes.extend(number(if at + 1 == copies.len() { 0 } else { next }, 4));
        }
        (bytes, starts)
    }

    #[test]
    fn every_picture_but_copies_is_a_page() {
        for is_little in [true, false] {
            let (bytes, expected) = file(is_little, &[false, true, false]);
            assert_eq!(starts(&bytes, 10), Ok(expected.clone()));
            let mut patched = Vec::new();
            FromPage::new(&bytes, expected[1]).read_to_end(&mut patched).unwrap();
            assert_eq!(starts(&patched, 10), Ok(vec![expected[1]]));
            assert_eq!(patched[8..], bytes[8..]);
        }
    }

    #[test]
    fn a_circle_ends_and_a_cut_file_has_the_pages_before() {
        let (mut bytes, expected) = file(true, &[false, false]);
        assert_eq!(starts(&bytes[..bytes.len() - 1], 10), Ok(vec![expected[0]]));
        let end = bytes.len() - 4;
        bytes[end..].copy_from_slice(&8_u32.to_le_bytes());
        assert!(matches!(starts(&bytes, 10), Err(Refusal::TooManyPages { max: 10, .. })));
        assert!(starts(b"II*\0\xff\xff\xff\xff", 10).is_err());
    }
}
