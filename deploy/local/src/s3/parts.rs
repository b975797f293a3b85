//! Joins the parts of an upload into one object.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::Arc;

use s3s::dto::CompletedPart;
use s3s::{S3Result, s3_error};

use super::receive::Received;
use super::store::Draft;

/// Smallest part of an upload, except the last, as in S3.
const PART_BYTES_MIN: u64 = 5 * 1024 * 1024;

/// The parts that a client wants joined, if they have arrived and match the client's description.
pub fn chosen(arrived: &BTreeMap<i32, Arc<Received>>, wanted: &[CompletedPart]) -> S3Result<Vec<Arc<Received>>> {
    if wanted.is_empty() {
        return Err(s3_error!(InvalidPart, "an object has at least one part"));
    }
    if !wanted.is_sorted_by(|one, next| one.part_number < next.part_number) {
        return Err(s3_error!(InvalidPartOrder));
    }
    let mut parts = Vec::new();
    for part in wanted {
        let found = part
            .part_number
            .and_then(|number| arrived.get(&number))
            .ok_or_else(|| s3_error!(InvalidPart))?;
        if part.e_tag.as_ref().is_some_and(|tag| tag.value() != hex(&found.md5)) {
            return Err(s3_error!(InvalidPart));
        }
        parts.push(Arc::clone(found));
    }
    let (_, all_but_last) = parts.split_last().ok_or_else(|| s3_error!(InvalidPart))?;
    if all_but_last.iter().any(|part| part.size < PART_BYTES_MIN) {
        return Err(s3_error!(EntityTooSmall));
    }
    Ok(parts)
}

/// Appends the first bytes of each file to a draft, in order.
pub fn concatenate(draft: Draft, files: impl IntoIterator<Item = (File, u64)>) -> S3Result<Draft> {
    let write = || {
        let mut target = File::create_new(draft.path())?;
        for (file, size) in files {
            io::copy(&mut io::Read::take(file, size), &mut target)?;
        }
        Ok::<_, io::Error>(())
    };
    write().map_err(|error| s3_error!(error, InternalError))?;
    Ok(draft)
}

/// Bytes in hexadecimal, as in entity tags.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
