//! Receives a body into a file: counts and hashes it, and compares it with what the client announced.

use futures::StreamExt as _;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{Checksum, ChecksumAlgorithm, StreamingBlob};
use s3s::{S3Result, TrailingHeaders, s3_error};
use tokio::io::{AsyncWriteExt as _, BufWriter};

use super::store::{Draft, Store};

/// Bytes gathered before a write: enough for parts of megabytes, few enough for hundreds of uploads at once.
const WRITE_BYTES: usize = 256 * 1024;

/// What the client announces about the body.
pub struct Announced {
    /// Checksums from the request's headers.
    pub checksum: Checksum,
    /// The algorithm of a checksum that follows the body, if one does.
    pub algorithm: Option<ChecksumAlgorithm>,
    /// Headers that follow the body, if any do.
    pub trailers: Option<TrailingHeaders>,
}

/// A body that has arrived whole and matches its announcement.
#[derive(Debug)]
pub struct Received {
    /// The file that holds the body.
    pub draft: Draft,
    /// Length in bytes.
    pub size: u64,
    /// MD5 of the body: the entity tag of objects that were not stored in parts.
    pub md5: [u8; 16],
}

/// Writes a body into a draft, and checks it.
pub async fn receive(store: &Store, body: Option<StreamingBlob>, announced: Announced) -> S3Result<Received> {
    let mut body = body.ok_or_else(|| s3_error!(IncompleteBody))?;
    let (mut hasher, mut md5, mut size) = (hasher(&announced)?, Md5::new(), 0);
    let draft = store.draft();
    let file = tokio::fs::File::create(draft.path())
        .await
        .map_err(|error| s3_error!(error, InternalError))?;
    let mut writer = BufWriter::with_capacity(WRITE_BYTES, file);
    while let Some(bytes) = body.next().await {
        let bytes = bytes.map_err(|_| s3_error!(IncompleteBody))?;
        hasher.update(&bytes);
        md5.update(&bytes);
        size += bytes.len() as u64;
        writer
            .write_all(&bytes)
            .await
            .map_err(|error| s3_error!(error, InternalError))?;
    }
    writer.flush().await.map_err(|error| s3_error!(error, InternalError))?;
    compare(&hasher.finalize(), announced)?;
    Ok(Received {
        draft,
        size,
        md5: md5.finalize(),
    })
}

fn hasher(announced: &Announced) -> S3Result<ChecksumHasher> {
    let mut hasher = ChecksumHasher::default();
    let algorithm = announced.algorithm.as_ref().map(ChecksumAlgorithm::as_str);
    let is_wanted = |value: &Option<String>, name| value.is_some() || algorithm == Some(name);
    let checksum = &announced.checksum;
    hasher.crc32 = is_wanted(&checksum.checksum_crc32, ChecksumAlgorithm::CRC32).then(Default::default);
    hasher.crc32c = is_wanted(&checksum.checksum_crc32c, ChecksumAlgorithm::CRC32C).then(Default::default);
    hasher.crc64nvme = is_wanted(&checksum.checksum_crc64nvme, ChecksumAlgorithm::CRC64NVME).then(Default::default);
    hasher.sha1 = is_wanted(&checksum.checksum_sha1, ChecksumAlgorithm::SHA1).then(Default::default);
    hasher.sha256 = is_wanted(&checksum.checksum_sha256, ChecksumAlgorithm::SHA256).then(Default::default);
    Ok(hasher)
}

fn compare(computed: &Checksum, announced: Announced) -> S3Result<()> {
    let trailers = announced
        .trailers
        .and_then(|trailers| trailers.take())
        .unwrap_or_default();
    let trailer = |name: &str| {
        trailers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let expected = announced.checksum;
    let pairs = [
        (
            expected.checksum_crc32,
            "x-amz-checksum-crc32",
            &computed.checksum_crc32,
        ),
        (
            expected.checksum_crc32c,
            "x-amz-checksum-crc32c",
            &computed.checksum_crc32c,
        ),
        (
            expected.checksum_crc64nvme,
            "x-amz-checksum-crc64nvme",
            &computed.checksum_crc64nvme,
        ),
        (expected.checksum_sha1, "x-amz-checksum-sha1", &computed.checksum_sha1),
        (
            expected.checksum_sha256,
            "x-amz-checksum-sha256",
            &computed.checksum_sha256,
        ),
    ];
    for (header, name, computed) in pairs {
        let expected = header.or_else(|| trailer(name));
        if expected.is_some() && expected != *computed {
            return Err(s3_error!(BadDigest, "{name} does not fit the body"));
        }
    }
    Ok(())
}
