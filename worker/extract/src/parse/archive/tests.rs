//! Archives made here, byte by byte.

use std::io::Write;

use flate2::write::DeflateEncoder;

use super::*;

const LIMITS: Limits = Limits {
    pages: 1,
    text_bytes: 1_000,
    inflated_bytes: 64 << 20,
};

/// An entry to be written.
#[derive(Clone)]
struct Given {
    name: Vec<u8>,
    packed: Vec<u8>,
    size: u32,
    checksum: u32,
    method: u16,
    flags: u16,
    mode: u32,
}

fn stored(name: &str, text: &[u8]) -> Given {
    let mut sum = Crc::new();
    sum.update(text);
    let size = u32::try_from(text.len()).unwrap();
    Given {
        name: name.into(),
        packed: text.to_vec(),
        size,
        checksum: sum.sum(),
        method: 0,
        flags: 0,
        mode: 0o100_644,
    }
}

fn deflated(name: &str, text: &[u8]) -> Given {
    let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text).unwrap();
    Given {
        packed: encoder.finish().unwrap(),
        method: 8,
        ..stored(name, text)
    }
}

fn local(given: &Given) -> Vec<u8> {
    let mut bytes = b"PK\x03\x04\x14\0".to_vec();
    bytes.extend(given.flags.to_le_bytes());
    bytes.extend(given.method.to_le_bytes());
    bytes.extend([0; 16]);
    bytes.extend(u16::try_from(given.name.len()).unwrap().to_le_bytes());
    bytes.extend([0; 2]);
    bytes.extend(&given.name);
    bytes.extend(&given.packed);
    bytes
}

fn line(given: &Given, at: usize) -> Vec<u8> {
    let mut bytes = b"PK\x01\x02\x14\x03\x14\0".to_vec();
    bytes.extend(given.flags.to_le_bytes());
    bytes.extend(given.method.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(given.checksum.to_le_bytes());
    bytes.extend(u32::try_from(given.packed.len()).unwrap().to_le_bytes());
    bytes.extend(given.size.to_le_bytes());
    bytes.extend(u16::try_from(given.name.len()).unwrap().to_le_bytes());
    bytes.extend([0; 8]);
    bytes.extend((given.mode << 16).to_le_bytes());
    bytes.extend(u32::try_from(at).unwrap().to_le_bytes());
    bytes.extend(&given.name);
    bytes
}

fn end(table: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = b"PK\x05\x06\0\0\0\0\0\0\0\0".to_vec();
    bytes.extend(u32::try_from(table.len()).unwrap().to_le_bytes());
    bytes.extend(u32::try_from(at).unwrap().to_le_bytes());
    bytes.extend([0; 2]);
    bytes
}

fn archive(given: &[Given]) -> Vec<u8> {
    let (mut bytes, mut table) = (Vec::new(), Vec::new());
    for given in given {
        table.extend(line(given, bytes.len()));
        bytes.extend(local(given));
    }
    let at = bytes.len();
    let end = end(&table, at);
    [bytes, table, end].concat()
}

/// The names of the files, each with its text.
fn files(bytes: &[u8]) -> Vec<(String, Result<String, Refusal>)> {
    let attachments = read(bytes, &LIMITS).expect("the archive is read");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    attachments
        .into_iter()
        .map(|file| (file.file_name.unwrap_or_default(), file.bytes.map(text)))
        .collect()
}

fn file(name: &str, text: &str) -> (String, Result<String, Refusal>) {
    (name.to_owned(), Ok(text.to_owned()))
}

#[test]
fn each_file_is_a_document() {
    let bytes = archive(&[
        stored("a.txt", b"Ada"),
        deflated("folder/b.txt", b"Babbage Babbage Babbage"),
    ]);
    assert_eq!(
        files(&bytes),
        [file("a.txt", "Ada"), file("b.txt", "Babbage Babbage Babbage")]
    );
    assert_eq!(files(&archive(&[])), []);
}

#[test]
fn folders_links_and_what_systems_write_are_left_out() {
    let link = Given {
        mode: 0o120_777,
        ..stored("link", b"a.txt")
    };
    let folder = Given {
        mode: 0o040_755,
        ..stored("folder/", b"")
    };
    let given = [
        folder,
        link,
        stored("__MACOSX/._a.txt", b"x"),
        stored(".DS_Store", b"x"),
        stored("empty.txt", b""),
    ];
    assert_eq!(files(&archive(&given)), []);
}

#[test]
fn two_files_of_one_name_are_both_kept() {
    let bytes = archive(&[stored("x/a.txt", b"1"), stored("a.txt", b"2"), stored("a.txt", b"3")]);
    assert_eq!(
        files(&bytes),
        [file("a.txt", "1"), file("a (2).txt", "2"), file("a (3).txt", "3")]
    );
}

#[test]
fn a_name_cannot_leave_its_folder() {
    let bytes = archive(&[
        stored("../../etc/passwd", b"1"),
        stored("C:\\x\\a.txt", b"2"),
        stored("a\0\n.txt", b"3"),
    ]);
    assert_eq!(
        files(&bytes),
        [file("passwd", "1"), file("a.txt", "2"), file("a (2).txt", "3")]
    );
}

#[test]
fn an_archive_may_stand_behind_a_program_and_have_a_comment() {
    let mut bytes = [b"MZ program".to_vec(), archive(&[stored("a.txt", b"Ada")])].concat();
    let length = bytes.len();
    bytes[length - 2] = 7;
    bytes.extend(b"comment");
    assert_eq!(files(&bytes), [file("a.txt", "Ada")]);
}

#[test]
fn a_large_archive_has_a_record_of_its_own() {
    let given = stored("a.txt", b"Ada");
    let local = local(&given);
    let mut table = line(&given, 0);
    table[24..28].fill(0xff);
    table[42..46].fill(0xff);
    table[30] = 20;
    table.extend([1, 0, 16, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let record = local.len() + table.len();
    let mut large = b"PK\x06\x06".to_vec();
    large.extend([0; 36]);
    large.extend(u64::try_from(table.len()).unwrap().to_le_bytes());
    large.extend(u64::try_from(local.len()).unwrap().to_le_bytes());
    large.extend(b"PK\x06\x07\0\0\0\0");
    large.extend(u64::try_from(record).unwrap().to_le_bytes());
    large.extend([1, 0, 0, 0]);
    let mut end = end(&[], 0);
    end[12..20].fill(0xff);
    assert_eq!(files(&[local, table, large, end].concat()), [file("a.txt", "Ada")]);
}

#[test]
fn damaged_and_unusual_files_are_refused_alone() {
    let broken = Given {
        checksum: 1,
        ..deflated("broken.txt", b"Ada")
    };
    let shorter = Given {
        size: 2,
        ..stored("shorter.txt", b"Ada")
    };
    let garbage = Given {
        packed: vec![0xff; 9],
        ..deflated("garbage.txt", b"Ada")
    };
    let lzma = Given {
        method: 14,
        ..stored("lzma.txt", b"Ada")
    };
    let read = files(&archive(&[broken, shorter, garbage, lzma, stored("a.txt", b"Ada")]));
    assert_eq!(read.iter().filter(|(_, text)| *text == Err(DAMAGED)).count(), 4);
    assert_eq!(read.last(), Some(&file("a.txt", "Ada")));
}

#[test]
fn an_archive_with_a_password_is_refused() {
    let locked = Given {
        flags: 1,
        ..stored("a.txt", b"Ada")
    };
    assert_eq!(read(&archive(&[locked]), &LIMITS), Err(Refusal::Encrypted));
}

#[test]
fn files_that_share_their_data_are_refused() {
    let given = deflated("a.txt", &[0; 10_000]);
    let bytes = local(&given);
    let table: Vec<u8> = (0..100).flat_map(|_| line(&given, 0)).collect();
    let shared = [bytes.clone(), table.clone(), end(&table, bytes.len())].concat();
    assert_eq!(read(&shared, &LIMITS), Err(BROKEN));
}

const BROKEN: Refusal = Refusal::malformed(Format::Zip, Problem::Structure);

#[test]
fn bombs_are_refused() {
    let bomb = archive(&[deflated("a", &vec![0; 3 << 20]), deflated("b", &vec![0; 3 << 20])]);
    assert_eq!(read(&bomb, &LIMITS), Err(Refusal::InflatesTooMuch { max: RATIO_MAX }));
    let small = Limits {
        inflated_bytes: 1 << 20,
        ..LIMITS
    };
    assert_eq!(read(&bomb, &small), Err(Refusal::InflatedTooLarge { max: 1 << 20 }));
    assert!(read(&archive(&[deflated("a", &vec![0; 3 << 20])]), &LIMITS).is_ok());
}

#[test]
fn damaged_files_count_as_what_they_became() {
    let mut damaged = deflated("a", &vec![0; 3 << 20]);
    damaged.packed.truncate(damaged.packed.len() - 2);
    let bomb = archive(&[damaged.clone(), damaged.clone(), damaged]);
    assert_eq!(read(&bomb, &LIMITS), Err(Refusal::InflatesTooMuch { max: RATIO_MAX }));
}

#[test]
fn too_many_files_are_refused() {
    let files: Vec<Given> = (0..=CHILDREN_MAX)
        .map(|number| stored(&format!("{number}"), b"x"))
        .collect();
    let too_many = Refusal::TooMany {
        what: Parts::Files,
        max: CHILDREN_MAX,
    };
    assert_eq!(read(&archive(&files), &LIMITS), Err(too_many));
    assert!(read(&archive(&files[1..]), &LIMITS).is_ok());
    let folders = vec![stored("folder/", b""); crate::limits::ENTRIES_MAX + 1];
    let too_many = Refusal::TooMany {
        what: Parts::Files,
        max: crate::limits::ENTRIES_MAX,
    };
    assert_eq!(read(&archive(&folders), &LIMITS), Err(too_many));
}

#[test]
fn what_is_no_archive_is_refused() {
    for bytes in [
        &b""[..],
        b"PK\x05\x06",
        b"%PDF-1.7",
        &[b'P'; 100],
        &END_RECORDS.repeat(5_000),
    ] {
        assert_eq!(read(bytes, &LIMITS), Err(BROKEN));
    }
}

/// The beginning of the record at an archive's end, which says that a table of a length stands before.
const END_RECORDS: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\xff\0\0\0\0\0\0\0\0\0";

#[test]
fn no_cut_and_no_changed_byte_panics() {
    let bytes = archive(&[
        stored("a.txt", b"Ada"),
        deflated("b/\u{e4}.txt", b"Babbage Babbage Babbage"),
    ]);
    for length in 0..bytes.len() {
        let _ = read(&bytes[..length], &LIMITS);
    }
    let mut random = 1_u64;
    let mut next = |below: usize| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % below
    };
    for _ in 0..20_000 {
        let mut changed = bytes.clone();
        for _ in 0..=next(4) {
            let at = next(changed.len());
            changed[at] = [0, 1, 0x7f, 0x80, 0xff, u8::try_from(next(256)).unwrap()][next(6)];
        }
        let _ = read(&changed, &LIMITS);
    }
}
