//! Tells by its directory what a compound file (OLE 2) holds. Old Word, Excel and PowerPoint files, messages of Outlook and encrypted
//! OOXML are such files.

use super::Kind;

/// Bytes of a file's record in the directory.
const ENTRY_BYTES: usize = 128;
/// Sectors of the directory that are read. A document has some ten files, and a sector holds four or 32.
const DIRECTORY_SECTORS_MAX: usize = 64;
/// Numbers of table sectors that stand in the header.
const TABLES_IN_HEADER: usize = 109;
/// Where those numbers stand.
const TABLES_AT: usize = 76;

/// What the compound file holds.
pub(super) fn kind(bytes: &[u8]) -> Kind {
    let mut found = Kind::CompoundFile;
    let Some(file) = File::open(bytes) else { return found };
    let mut sector = file.directory;
    for _ in 0..DIRECTORY_SECTORS_MAX {
        let Some(entries) = file.sector(sector) else { break };
        for entry in entries.as_chunks::<ENTRY_BYTES>().0 {
            match of_name(&name(entry)) {
                // Encrypted packages and messages hold other documents' files beside their own.
                Some(kind @ (Kind::EncryptedOffice | Kind::OutlookMessage)) => return kind,
                Some(kind) if found == Kind::CompoundFile => found = kind,
                _ => {}
            }
        }
        let Some(next) = file.after(sector) else { break };
        sector = next;
    }
    found
}

fn of_name(name: &str) -> Option<Kind> {
    match name {
        "EncryptedPackage" => Some(Kind::EncryptedOffice),
        "__properties_version1.0" => Some(Kind::OutlookMessage),
        "WordDocument" => Some(Kind::OldWord),
        "Workbook" | "Book" => Some(Kind::OldExcel),
        "PowerPoint Document" => Some(Kind::OldPowerPoint),
        _ => None,
    }
}

/// A name in the directory: UTF-16 up to a NUL, at most 32 units.
fn name(entry: &[u8; ENTRY_BYTES]) -> String {
    let (units, _) = entry.as_chunks::<2>();
    let units = units.iter().take(32).map(|&unit| u16::from_le_bytes(unit));
    char::decode_utf16(units.take_while(|&unit| unit != 0))
        .flatten()
        .collect()
}

struct File<'a> {
    bytes: &'a [u8],
    sector_bytes: usize,
    directory: u32,
}

impl<'a> File<'a> {
    fn open(bytes: &'a [u8]) -> Option<Self> {
        let sector_bytes = match u16::from_le_bytes(*bytes.get(30..)?.first_chunk()?) {
            9 => 512,
            12 => 4096,
            _ => return None,
        };
        let directory = u32_at(bytes, 48)?;
        Some(Self {
            bytes,
            sector_bytes,
            directory,
        })
    }

    /// A sector. The last may be cut.
    fn sector(&self, number: u32) -> Option<&'a [u8]> {
        let start = usize::try_from(number)
            .ok()?
            .checked_add(1)?
            .checked_mul(self.sector_bytes)?;
        let rest = self.bytes.get(start..)?;
        Some(rest.get(..self.sector_bytes).unwrap_or(rest))
    }

    /// The sector that follows a sector, by the tables that the header names.
    fn after(&self, number: u32) -> Option<u32> {
        let number = usize::try_from(number).ok()?;
        let in_table = self.sector_bytes / 4;
        let table = number.checked_div(in_table)?;
        if table >= TABLES_IN_HEADER {
            return None;
        }
        let table = u32_at(self.bytes, TABLES_AT.checked_add(table.checked_mul(4)?)?)?;
        u32_at(self.sector(table)?, number.checked_rem(in_table)?.checked_mul(4)?)
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
