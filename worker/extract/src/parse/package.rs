//! A ZIP package as DOCX and ODT are one: parts with names, unpacked one by one and under limits. What a part means is not
//! known here.
//!
//! The package's table of contents is the only list of parts that counts. A name that stands twice in the table is refused when
//! the part is asked for, since two programs would read two different texts.

#[cfg(test)]
pub(crate) mod testing;

use std::collections::HashMap;
use std::io::{Cursor, Read};

use zip::ZipArchive;

use crate::limits::{ENTRIES_MAX, INFLATED_FREE, Limits, RATIO_MAX};
use crate::refusal::{Format, Parts, Problem, Refusal};

/// How a compound file begins: Office wraps an encrypted package into such a file.
const COMPOUND_FILE: [u8; 8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
/// The entry of a compound file that holds an encrypted package. Compound files write names in UTF-16LE.
const ENCRYPTED_PACKAGE: &str = "EncryptedPackage";
/// How each entry of the table of contents begins.
const CENTRAL_ENTRY: [u8; 4] = *b"PK\x01\x02";
/// Bytes of such an entry before its name.
const CENTRAL_ENTRY_BYTES: usize = 46;

/// An open package.
#[derive(Debug)]
pub struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    names: HashMap<Vec<u8>, Name>,
    format: Format,
    budget: Budget,
    bytes: u64,
}

/// A name in the table of contents.
#[derive(Debug)]
struct Name {
    /// The name as the table writes it.
    raw: Vec<u8>,
    /// Whether another entry has the name too.
    twice: bool,
}

impl<'a> Package<'a> {
    /// Opens a package of a format, and reads the table of contents only.
    pub fn open(bytes: &'a [u8], format: Format, limits: &Limits) -> Result<Self, Refusal> {
        let structure = Refusal::malformed(format, Problem::Structure);
        if bytes.starts_with(&COMPOUND_FILE) {
            return Err(if holds_encrypted_package(bytes) {
                Refusal::Encrypted
            } else {
                structure
            });
        }
        // The table is not trusted to say how many entries it has: each entry costs memory before the number is known.
        if bytes
            .windows(CENTRAL_ENTRY.len())
            .filter(|&window| window == CENTRAL_ENTRY)
            .count()
            > ENTRIES_MAX
        {
            return Err(Refusal::TooMany {
                what: Parts::Files,
                max: ENTRIES_MAX,
            });
        }
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| structure)?;
        let names = names(bytes, archive.central_directory_start());
        Ok(Self {
            archive,
            names,
            format,
            budget: Budget::new(limits),
            bytes: bytes.len() as u64,
        })
    }

    /// Unpacks a part, if the package has the part. Case does not matter in names, as Office has it.
    pub fn part(&mut self, name: &str) -> Result<Option<Vec<u8>>, Refusal> {
        let Some(found) = self.names.get(&name.to_ascii_lowercase().into_bytes()) else {
            return Ok(None);
        };
        if found.twice {
            return Err(Refusal::malformed(self.format, Problem::DuplicatePart));
        }
        let structure = Refusal::malformed(self.format, Problem::Structure);
        let index = self.archive.index_for_name_raw(&found.raw).ok_or(structure)?;
        self.unpack(index).map(Some)
    }

    fn unpack(&mut self, index: usize) -> Result<Vec<u8>, Refusal> {
        let compression = || Refusal::malformed(self.format, Problem::Compression);
        let entry = self.archive.by_index_data(index).map_err(|_| compression())?;
        if entry.encrypted() {
            return Err(Refusal::Encrypted);
        }
        self.budget.pack(entry.compressed_size().min(self.bytes));
        let mut part = Vec::new();
        let file = self.archive.by_index(index).map_err(|_| compression())?;
        file.take(self.budget.left().saturating_add(1))
            .read_to_end(&mut part)
            .map_err(|_| compression())?;
        self.budget.spend(part.len() as u64)?;
        Ok(part)
    }
}

/// What the parts of a package may still become.
#[derive(Debug)]
struct Budget {
    /// Bytes that everything unpacked may have.
    inflated_max: u64,
    /// Bytes that everything unpacked has.
    inflated: u64,
    /// Bytes that the same parts have in the package.
    packed: u64,
}

impl Budget {
    fn new(limits: &Limits) -> Self {
        Self {
            inflated_max: limits.inflated_bytes,
            inflated: 0,
            packed: 0,
        }
    }

    /// Counts a part that is about to be unpacked.
    fn pack(&mut self, bytes: u64) {
        self.packed = self.packed.saturating_add(bytes);
    }

    /// Bytes that the packed bytes may become.
    fn grown_max(&self) -> u64 {
        self.packed.saturating_mul(RATIO_MAX).max(INFLATED_FREE)
    }

    /// Bytes that may still be unpacked.
    fn left(&self) -> u64 {
        self.inflated_max.min(self.grown_max()).saturating_sub(self.inflated)
    }

    /// Counts what was unpacked.
    fn spend(&mut self, bytes: u64) -> Result<(), Refusal> {
        self.inflated = self.inflated.saturating_add(bytes);
        if self.inflated > self.inflated_max {
            return Err(Refusal::InflatedTooLarge { max: self.inflated_max });
        }
        if self.inflated > self.grown_max() {
            return Err(Refusal::InflatesTooMuch { max: RATIO_MAX });
        }
        Ok(())
    }
}

/// Whether a compound file holds an encrypted package, and not a Word file of before 2007.
fn holds_encrypted_package(bytes: &[u8]) -> bool {
    let name: Vec<u8> = ENCRYPTED_PACKAGE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    bytes.windows(name.len()).any(|window| window == name)
}

/// All names of the table of contents, in lower case. The archive keeps the last of two entries of one name and forgets the
/// first, so the table is read once more.
fn names(bytes: &[u8], start: u64) -> HashMap<Vec<u8>, Name> {
    let mut names: HashMap<Vec<u8>, Name> = HashMap::new();
    let table = usize::try_from(start).ok().and_then(|start| bytes.get(start..));
    let mut rest = table.unwrap_or_default();
    while let Some((raw, after)) = entry(rest) {
        names
            .entry(raw.to_ascii_lowercase())
            .and_modify(|name| name.twice = true)
            .or_insert(Name {
                raw: raw.to_vec(),
                twice: false,
            });
        rest = after;
    }
    names
}

/// The name of the table's first entry, and the table after the entry.
fn entry(table: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, rest) = table.split_at_checked(CENTRAL_ENTRY_BYTES)?;
    if !head.starts_with(&CENTRAL_ENTRY) {
        return None;
    }
    let length = |at: usize| Some(usize::from(u16::from_le_bytes(head.get(at..at + 2)?.try_into().ok()?)));
    let (name, extra, comment) = (length(28)?, length(30)?, length(32)?);
    let (name, rest) = rest.split_at_checked(name)?;
    Some((name, rest.get(extra + comment..)?))
}

#[cfg(test)]
mod tests {
    use super::testing::{LIMITS, damage, package, replaced, stored};
    use super::*;

    fn part(bytes: &[u8], name: &str) -> Result<Option<Vec<u8>>, Refusal> {
        Package::open(bytes, Format::Docx, &LIMITS)?.part(name)
    }

    fn malformed<T>(problem: Problem) -> Result<T, Refusal> {
        Err(Refusal::malformed(Format::Docx, problem))
    }

    #[test]
    fn a_part_is_found_whatever_the_case_of_its_name() {
        let file = package(&[("word/Document.xml", b"text")]);
        assert_eq!(part(&file, "word/document.xml"), Ok(Some(b"text".to_vec())));
        assert_eq!(part(&file, "word/document2.xml"), Ok(None));
    }

    #[test]
    fn a_name_that_stands_twice_is_refused_when_the_part_is_asked_for() {
        let file = stored(&[("a.xml", b"one"), ("A.xml", b"two")]);
        assert_eq!(part(&file, "a.xml"), malformed(Problem::DuplicatePart));
        let file = stored(&[("a.xml", b"one"), ("b.xml", b"two"), ("c.xml", b"three")]);
        let file = replaced(file, b"b.xml", b"a.xml");
        assert_eq!(part(&file, "a.xml"), malformed(Problem::DuplicatePart));
        assert_eq!(part(&file, "c.xml"), Ok(Some(b"three".to_vec())));
    }

    #[test]
    fn a_part_with_a_password_is_told() {
        let file = stored(&[("a.xml", b"one")]);
        // The flags stand six bytes after the local head and eight after the head in the table.
        let mut locked = file.clone();
        locked[6] |= 1;
        let table = file.windows(4).position(|window| window == CENTRAL_ENTRY).unwrap();
        locked[table + 8] |= 1;
        assert_eq!(part(&locked, "a.xml"), Err(Refusal::Encrypted));
    }

    #[test]
    fn an_encrypted_document_is_told_from_an_old_one() {
        let mut old = COMPOUND_FILE.to_vec();
        old.extend([0; 600]);
        assert_eq!(part(&old, "a.xml"), malformed(Problem::Structure));
        old.extend(ENCRYPTED_PACKAGE.encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(part(&old, "a.xml"), Err(Refusal::Encrypted));
    }

    #[test]
    fn a_part_that_grows_too_much_is_refused() {
        let bomb = package(&[("a.xml", &vec![b' '; usize::try_from(INFLATED_FREE).unwrap() + 1])]);
        assert_eq!(part(&bomb, "a.xml"), Err(Refusal::InflatesTooMuch { max: RATIO_MAX }));
        let small = package(&[("a.xml", &[b' '; 10_000])]);
        let limits = Limits {
            inflated_bytes: 15_000,
            ..LIMITS
        };
        let mut package = Package::open(&small, Format::Docx, &limits).unwrap();
        assert_eq!(
            package.part("a.xml").map(|part| part.map(|part| part.len())),
            Ok(Some(10_000))
        );
        assert_eq!(package.part("a.xml"), Err(Refusal::InflatedTooLarge { max: 15_000 }));
    }

    #[test]
    fn a_part_of_the_free_size_is_read_however_it_is_compressed() {
        let free = usize::try_from(INFLATED_FREE).unwrap();
        let file = package(&[("a.xml", &vec![b' '; free])]);
        assert_eq!(
            part(&file, "a.xml").map(|part| part.map(|part| part.len())),
            Ok(Some(free))
        );
    }

    #[test]
    fn a_package_has_a_largest_number_of_files() {
        let names: Vec<String> = (0..=ENTRIES_MAX).map(|number| number.to_string()).collect();
        let parts: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
        let refused = Refusal::TooMany {
            what: Parts::Files,
            max: ENTRIES_MAX,
        };
        assert_eq!(part(&stored(&parts), "1"), Err(refused));
        assert_eq!(part(&stored(&parts[..ENTRIES_MAX]), "1"), Ok(Some(Vec::new())));
    }

    #[test]
    fn a_part_whose_checksum_is_wrong_is_refused() {
        let file = replaced(stored(&[("a.xml", b"one")]), b"one", b"two");
        assert_eq!(part(&file, "a.xml"), malformed(Problem::Compression));
    }

    #[test]
    fn damaged_packages_never_panic() {
        let file = package(&[
            ("a.xml", b"one one one one one"),
            ("b.xml", b"two"),
            ("c/d.xml", b"three"),
        ]);
        damage(&file, |bytes| {
            let _ = part(bytes, "a.xml");
            let _ = part(bytes, "c/d.xml");
        });
    }
}
