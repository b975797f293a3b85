//! Packages for tests.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::writer::{Block, Writer};

/// Limits that no small sample meets.
pub(crate) const LIMITS: Limits = Limits {
    pages: 10,
    text_bytes: 1 << 20,
    inflated_bytes: 64 << 20,
};

/// A package of parts, compressed.
pub(crate) fn package(parts: &[(&str, &[u8])]) -> Vec<u8> {
    written(parts, CompressionMethod::Deflated)
}

/// A package of parts as they are.
pub(crate) fn stored(parts: &[(&str, &[u8])]) -> Vec<u8> {
    written(parts, CompressionMethod::Stored)
}

fn written(parts: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, part) in parts {
        writer.start_file(*name, options).unwrap();
        writer.write_all(part).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Bytes in which each occurrence of a word became another word of the same length.
pub(crate) fn replaced(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    for at in 0..=bytes.len() - from.len() {
        if bytes[at..].starts_with(from) {
            bytes[at..at + to.len()].copy_from_slice(to);
        }
    }
    bytes
}

/// What a reader makes of bytes.
pub(crate) fn outcome(
    read: fn(&[u8], &mut Writer, &Limits) -> Result<(), Refusal>,
    bytes: &[u8],
) -> Result<(String, Vec<Block>), Refusal> {
    let mut writer = Writer::new(&LIMITS);
    read(bytes, &mut writer, &LIMITS)?;
    Ok(writer.finish())
}

/// Calls a reader with every beginning of a file, and with the file after random changes. The changes are always the same.
pub(crate) fn damage(file: &[u8], read: impl Fn(&[u8])) {
    (0..file.len()).for_each(|length| read(&file[..length]));
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = move |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for _ in 0..2_000 {
        let mut damaged = file.to_vec();
        for _ in 0..=random(8) {
            let at = random(damaged.len());
            match random(4) {
                0 => damaged[at] = u8::try_from(random(256)).unwrap(),
                1 => damaged[at] ^= 1 << random(8),
                2 => drop(damaged.remove(at)),
                _ => damaged.extend_from_within(at..(at + 20).min(damaged.len())),
            }
        }
        read(&damaged);
    }
}
