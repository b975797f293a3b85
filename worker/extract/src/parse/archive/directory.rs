//! The table of contents of a ZIP archive (APPNOTE 6.3), with the data of each entry found and told apart from all others.

use super::name;
use crate::limits::ENTRIES_MAX;
use crate::refusal::{Format, Parts, Problem, Refusal};

/// What the record at the archive's end begins with.
const END: &[u8] = b"PK\x05\x06";
/// Bytes of that record without its comment.
const END_BYTES: usize = 22;
/// Longest comment: its length has two bytes.
const COMMENT_BYTES_MAX: usize = 65_535;
/// What says where the record of a large archive's end stands.
const LOCATOR: &[u8] = b"PK\x06\x07";
/// Bytes of the locator.
const LOCATOR_BYTES: usize = 20;
/// What the record at a large archive's end begins with.
const LARGE_END: &[u8] = b"PK\x06\x06";
/// What each line of the table begins with.
const LINE: &[u8] = b"PK\x01\x02";
/// What stands before each entry's data begins with.
const LOCAL: &[u8] = b"PK\x03\x04";
/// An extra field with the 64-bit sizes of a large entry.
const EXTRA_LARGE: u16 = 0x0001;
/// An extra field with an entry's name in UTF-8.
const EXTRA_NAME: u16 = 0x7075;
/// Bytes of that field before the name: a version and a checksum.
const EXTRA_NAME_HEAD: usize = 5;
/// The bits of a Unix mode that say what kind of a file it is.
const UNIX_KIND: u32 = 0o170_000;
/// The kind of a regular file.
const UNIX_REGULAR: u32 = 0o100_000;

const BROKEN: Refusal = Refusal::malformed(Format::Zip, Problem::Structure);

/// How an entry's data are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    Stored,
    /// By deflate.
    Deflate,
    /// In a way that is not read.
    Other,
}

/// An entry of an archive.
#[derive(Debug)]
pub struct Entry<'a> {
    /// The entry's path.
    pub name: String,
    /// Whether the entry is a file, and no folder and no link.
    pub is_file: bool,
    /// Whether the entry needs a password.
    pub is_encrypted: bool,
    /// How the data are compressed.
    pub compression: Compression,
    /// The CRC-32 of the unpacked data.
    pub checksum: u32,
    /// Bytes of the unpacked data.
    pub size: u64,
    /// The entry's data.
    pub data: &'a [u8],
}

/// Where the table of contents stands.
struct Table {
    start: usize,
    end: usize,
    /// How far all offsets are off: an archive may have a program before it that unpacks it.
    shift: usize,
}

/// The entries of an archive, in the order of its table of contents.
pub fn read(bytes: &[u8]) -> Result<Vec<Entry<'_>>, Refusal> {
    let archive = Archive { bytes };
    let table = archive.table().ok_or(BROKEN)?;
    let mut entries = Vec::new();
    let mut spans = Vec::new();
    let mut at = table.start;
    while at < table.end {
        if entries.len() >= ENTRIES_MAX {
            return Err(Refusal::TooMany {
                what: Parts::Files,
                max: ENTRIES_MAX,
            });
        }
        let line = archive.line(at, &table).ok_or(BROKEN)?;
        at = line.next;
        spans.push(line.span);
        entries.push(line.entry);
    }
    if overlap(&mut spans, table.start) {
        return Err(BROKEN);
    }
    Ok(entries)
}

/// Whether two entries share bytes, or one reaches into the table. In a bomb, many entries share one piece of data.
fn overlap(spans: &mut [(usize, usize)], table: usize) -> bool {
    spans.sort_unstable();
    let ends = spans.iter().map(|&(_, end)| end);
    let starts = spans.iter().skip(1).map(|&(start, _)| start).chain([table]);
    ends.zip(starts).any(|(end, next)| end > next)
}

/// A line of the table, and what it says.
struct Line<'a> {
    entry: Entry<'a>,
    /// Where the entry's own bytes stand.
    span: (usize, usize),
    /// Where the next line begins.
    next: usize,
}

/// Sizes and places that may stand in 32 bits, or in an extra field in 64.
struct Sizes {
    size: u64,
    packed: u64,
    local: u64,
}

/// The bytes of an archive.
#[derive(Clone, Copy)]
struct Archive<'a> {
    bytes: &'a [u8],
}

impl<'a> Archive<'a> {
    fn slice(self, start: usize, length: usize) -> Option<&'a [u8]> {
        self.bytes.get(start..start.checked_add(length)?)
    }

    fn number<const BYTES: usize>(self, at: usize, offset: usize) -> Option<[u8; BYTES]> {
        self.slice(at.checked_add(offset)?, BYTES)?.try_into().ok()
    }

    fn u16(self, at: usize, offset: usize) -> Option<u16> {
        self.number(at, offset).map(u16::from_le_bytes)
    }

    fn u32(self, at: usize, offset: usize) -> Option<u32> {
        self.number(at, offset).map(u32::from_le_bytes)
    }

    fn u64(self, at: usize, offset: usize) -> Option<u64> {
        self.number(at, offset).map(u64::from_le_bytes)
    }

    fn begins(self, at: usize, with: &[u8]) -> bool {
        self.slice(at, with.len()) == Some(with)
    }

    /// Finds the table by the record at the archive's end, whose comment must not reach past the last byte.
    fn table(self) -> Option<Table> {
        let last = self.bytes.len().checked_sub(END_BYTES)?;
        let first = last.saturating_sub(COMMENT_BYTES_MAX);
        let is_end = |&at: &usize| {
            let comment = self.u16(at, 20).map(usize::from);
            self.begins(at, END) && comment.is_some_and(|comment| self.slice(at, END_BYTES + comment).is_some())
        };
        let end = (first..=last).rev().find(is_end)?;
        let (end, size, offset) = match self.large_end(end) {
            Some(large) => large,
            None => (end, u64::from(self.u32(end, 12)?), u64::from(self.u32(end, 16)?)),
        };
        let start = end.checked_sub(usize::try_from(size).ok()?)?;
        let shift = start.checked_sub(usize::try_from(offset).ok()?)?;
        Some(Table { start, end, shift })
    }

    /// The end, size and offset of the table of a large archive, whose record stands before the usual one.
    fn large_end(self, end: usize) -> Option<(usize, u64, u64)> {
        let locator = end.checked_sub(LOCATOR_BYTES)?;
        if !self.begins(locator, LOCATOR) {
            return None;
        }
        let record = usize::try_from(self.u64(locator, 8)?).ok()?;
        if !self.begins(record, LARGE_END) {
            return None;
        }
        Some((record, self.u64(record, 40)?, self.u64(record, 48)?))
    }

    /// The line of the table at `at`.
    fn line(self, at: usize, table: &Table) -> Option<Line<'a>> {
        if !self.begins(at, LINE) {
            return None;
        }
        let [name_length, extra_length, comment_length] = [self.u16(at, 28)?, self.u16(at, 30)?, self.u16(at, 32)?];
        let name_at = at.checked_add(46)?;
        let raw_name = self.slice(name_at, name_length.into())?;
        let extra_at = name_at.checked_add(name_length.into())?;
        let extra = Extra {
            archive: self,
            at: extra_at,
            end: extra_at.checked_add(extra_length.into())?,
        };
        let sizes = self.sizes(at, extra)?;
        let local = usize::try_from(sizes.local).ok()?.checked_add(table.shift)?;
        let (data_at, data) = self.data(local, usize::try_from(sizes.packed).ok()?)?;
        let name = extra.name(raw_name).unwrap_or_else(|| name::decode(raw_name));
        let next = extra.end.checked_add(comment_length.into())?;
        (next <= table.end).then_some(())?;
        let entry = Entry {
            is_file: !name.ends_with(['/', '\\']) && self.is_regular(at)?,
            name,
            is_encrypted: self.u16(at, 8)? & 1 != 0,
            compression: compression(self.u16(at, 10)?),
            checksum: self.u32(at, 16)?,
            size: sizes.size,
            data,
        };
        Some(Line {
            entry,
            span: (local, data_at.checked_add(data.len())?),
            next,
        })
    }

    /// Whether the entry is no link, folder or device. Only archives from Unix say so.
    fn is_regular(self, at: usize) -> Option<bool> {
        let is_unix = matches!(self.u16(at, 4)? >> 8, 3 | 19);
        let kind = (self.u32(at, 38)? >> 16) & UNIX_KIND;
        Some(!is_unix || kind == 0 || kind == UNIX_REGULAR)
    }

    fn sizes(self, at: usize, extra: Extra<'_>) -> Option<Sizes> {
        let short = [self.u32(at, 24)?, self.u32(at, 20)?, self.u32(at, 42)?];
        let mut long = extra.find(EXTRA_LARGE).map(|(at, _)| at);
        let mut sizes = [0; 3];
        for (size, short) in sizes.iter_mut().zip(short) {
            *size = match long {
                Some(at) if short == u32::MAX => {
                    long = at.checked_add(8);
                    self.u64(at, 0)?
                }
                _ => short.into(),
            };
        }
        let [size, packed, local] = sizes;
        Some(Sizes { size, packed, local })
    }

    /// An entry's data, behind a head of its own, and where they begin.
    fn data(self, local: usize, packed: usize) -> Option<(usize, &'a [u8])> {
        if !self.begins(local, LOCAL) {
            return None;
        }
        let names = usize::from(self.u16(local, 26)?).checked_add(self.u16(local, 28)?.into())?;
        let at = local.checked_add(30)?.checked_add(names)?;
        Some((at, self.slice(at, packed)?))
    }
}

fn compression(method: u16) -> Compression {
    match method {
        0 => Compression::Stored,
        8 => Compression::Deflate,
        _ => Compression::Other,
    }
}

/// The extra fields of a line.
#[derive(Clone, Copy)]
struct Extra<'a> {
    archive: Archive<'a>,
    at: usize,
    end: usize,
}

impl Extra<'_> {
    /// Where the field with this number begins, and its length.
    fn find(self, number: u16) -> Option<(usize, usize)> {
        let mut at = self.at;
        while at < self.end {
            let length = usize::from(self.archive.u16(at, 2)?);
            let data = at.checked_add(4)?;
            if self.archive.u16(at, 0)? == number {
                return (data.checked_add(length)? <= self.end).then_some((data, length));
            }
            at = data.checked_add(length)?;
        }
        None
    }

    /// The entry's name in UTF-8, if it is that of the name `raw`: a program that renames an entry may forget this field.
    fn name(self, raw: &[u8]) -> Option<String> {
        let (at, length) = self.find(EXTRA_NAME)?;
        let mut sum = flate2::Crc::new();
        sum.update(raw);
        let is_same = self.archive.u32(at, 1)? == sum.sum();
        let name = self
            .archive
            .slice(at.checked_add(EXTRA_NAME_HEAD)?, length.checked_sub(EXTRA_NAME_HEAD)?)?;
        let name = std::str::from_utf8(name).ok()?;
        is_same.then(|| name.to_owned())
    }
}
