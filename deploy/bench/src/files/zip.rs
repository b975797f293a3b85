//! Writes ZIP archives entry by entry, so that an entry can also say what is not true.

use std::io::Write as _;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

/// Stored as it is.
const STORED: u16 = 0;
/// Compressed by deflate.
const DEFLATE: u16 = 8;
/// 1 January 1980, the first day that the format can name.
const DATE: u16 = 0x21;

/// A part of a package: its path and its content.
pub type Part = (String, Vec<u8>);

/// An entry, with what its heads say of it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The path.
    pub name: Vec<u8>,
    /// The method by which the data are compressed.
    pub method: u16,
    /// The data as they stand in the archive.
    pub data: Vec<u8>,
    /// The CRC-32 of the unpacked data.
    pub checksum: u32,
    /// Bytes of the unpacked data.
    pub size: u32,
}

impl Entry {
    /// An entry that is not compressed.
    pub fn stored(name: &str, content: &[u8]) -> Self {
        Self::new(name, STORED, content, content.to_vec())
    }

    /// A compressed entry.
    pub fn deflated(name: &str, content: &[u8]) -> Self {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content).expect("memory takes all");
        let data = encoder.finish().expect("memory takes all");
        Self::new(name, DEFLATE, content, data)
    }

    fn new(name: &str, method: u16, content: &[u8], data: Vec<u8>) -> Self {
        let mut checksum = Crc::new();
        checksum.update(content);
        Self {
            name: name.as_bytes().to_vec(),
            method,
            data,
            checksum: checksum.sum(),
            size: length(content),
        }
    }

    /// The head before the data, and the data.
    fn local(&self) -> Vec<u8> {
        let mut bytes = b"PK\x03\x04".to_vec();
        self.common(&mut bytes);
        bytes.extend(0_u16.to_le_bytes()); // No extra field.
        bytes.extend(&self.name);
        bytes.extend(&self.data);
        bytes
    }

    /// The line of the table for an entry that begins at this byte.
    fn line(&self, at: u32) -> Vec<u8> {
        let mut bytes = b"PK\x01\x02".to_vec();
        bytes.extend(20_u16.to_le_bytes());
        self.common(&mut bytes);
        bytes.extend([0; 12]); // No extra field, no comment, the first disk, no attributes.
        bytes.extend(at.to_le_bytes());
        bytes.extend(&self.name);
        bytes
    }

    /// What both heads say, from the version that is needed to the length of the name.
    fn common(&self, bytes: &mut Vec<u8>) {
        let utf8_name = 0x0800_u16;
        for number in [20, utf8_name, self.method, 0, DATE] {
            bytes.extend(number.to_le_bytes());
        }
        for number in [self.checksum, length(&self.data), self.size] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(u16::try_from(self.name.len()).unwrap_or(u16::MAX).to_le_bytes());
    }
}

/// An archive of entries.
pub fn archive(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut table = Vec::new();
    for entry in entries {
        table.extend(entry.line(length(&bytes)));
        bytes.extend(entry.local());
    }
    ended(bytes, &table, entries.len())
}

/// An archive in which many names lead to the data of one entry.
pub fn overlapping(entry: &Entry, names: usize) -> Vec<u8> {
    let bytes = entry.local();
    let lines = (0..names).flat_map(|number| {
        let name = format!("{number}.txt").into_bytes();
        Entry { name, ..entry.clone() }.line(0)
    });
    let table: Vec<u8> = lines.collect();
    ended(bytes, &table, names)
}

/// An archive of parts. The first part is not compressed, as OpenDocument wants its media type.
pub fn package(parts: &[Part]) -> Vec<u8> {
    let entries = parts.iter().enumerate().map(|(at, (name, content))| match at {
        0 => Entry::stored(name, content),
        _ => Entry::deflated(name, content),
    });
    archive(&entries.collect::<Vec<_>>())
}

fn ended(mut bytes: Vec<u8>, table: &[u8], entries: usize) -> Vec<u8> {
    let start = length(&bytes);
    let entries = u16::try_from(entries).unwrap_or(u16::MAX);
    bytes.extend(table);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend(entries.to_le_bytes());
    bytes.extend(entries.to_le_bytes());
    bytes.extend(length(table).to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend([0; 2]);
    bytes
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_have_the_lengths_of_the_format() {
        let entry = Entry::stored("a.txt", b"text");
        assert_eq!(entry.local().len(), 30 + 5 + 4);
        assert_eq!(entry.line(0).len(), 46 + 5);
        let archive = archive(&[entry]);
        assert_eq!(archive.len(), 39 + 51 + 22);
    }
}
