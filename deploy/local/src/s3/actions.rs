//! The S3 calls that need more than one look into the store.

use std::fs::File;
use std::io;
use std::sync::Arc;

use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::*;
use s3s::{S3Result, TrailingHeaders, s3_error};

use super::listing::{Listing, Page};
use super::parts::{chosen, concatenate, hex};
use super::receive::{Announced, Received, receive};
use super::store::{Attributes, Conditions, Draft, Object, Store};

/// Limit of keys of one page, as in S3.
pub const PAGE_KEYS_MAX: i32 = 1000;

/// The S3 calls, answered from a store.
#[derive(Debug)]
pub struct Service {
    pub(super) store: Arc<Store>,
}

/// The body that a request announces: the same fields in two input types.
macro_rules! announced {
    ($input:ident, $trailers:expr) => {
        Announced {
            checksum: Checksum {
                checksum_crc32: $input.checksum_crc32,
                checksum_crc32c: $input.checksum_crc32c,
                checksum_crc64nvme: $input.checksum_crc64nvme,
                checksum_sha1: $input.checksum_sha1,
                checksum_sha256: $input.checksum_sha256,
                ..Default::default()
            },
            algorithm: $input.checksum_algorithm,
            trailers: $trailers,
        }
    };
}

/// The attributes that a request gives its object: the same fields in three input types.
macro_rules! attributes {
    ($input:ident) => {
        Attributes {
            content_type: $input.content_type,
            content_encoding: $input.content_encoding,
            content_disposition: $input.content_disposition,
            content_language: $input.content_language,
            cache_control: $input.cache_control,
            metadata: $input.metadata.unwrap_or_default(),
        }
    };
}

impl Service {
    /// A service that answers from this store.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    /// Commits on a blocking thread, since the commit may wait for the disk.
    async fn commit(&self, bucket: String, draft: Draft, object: Object, conditions: Conditions) -> S3Result<Object> {
        let store = Arc::clone(&self.store);
        let committed = tokio::task::spawn_blocking(move || store.commit(&bucket, &draft, object, &conditions));
        committed.await.map_err(|error| s3_error!(error, InternalError))?
    }

    /// Stores a body as an object.
    pub async fn put(&self, input: PutObjectInput, trailers: Option<TrailingHeaders>) -> S3Result<Object> {
        self.store.check_bucket(&input.bucket)?;
        let (announced, attributes) = (announced!(input, trailers), attributes!(input));
        let Received { draft, size, md5 } = receive(&self.store, input.body, announced).await?;
        let object = Object::new(input.key, size, hex(&md5), attributes);
        let conditions = Conditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
        };
        self.commit(input.bucket, draft, object, conditions).await
    }

    /// Stores a copy of an object under another key.
    pub async fn copy(&self, input: CopyObjectInput) -> S3Result<Object> {
        let CopySource::Bucket { bucket, key, .. } = &input.copy_source else {
            return Err(s3_error!(NotImplemented));
        };
        let (source, file) = self.store.read(bucket, key)?;
        let draft = self.store.draft();
        let size = source.size;
        let draft = tokio::task::spawn_blocking(move || concatenate(draft, [(file, size)]));
        let draft = draft.await.map_err(|error| s3_error!(error, InternalError))??;
        let replaces = input
            .metadata_directive
            .as_ref()
            .is_some_and(|d| d.as_str() == MetadataDirective::REPLACE);
        let attributes = if replaces {
            attributes!(input)
        } else {
            source.attributes
        };
        let object = Object::new(input.key, size, source.etag, attributes);
        self.commit(input.bucket, draft, object, Conditions::default()).await
    }

    /// Joins the parts of an upload into its object.
    pub async fn complete(&self, input: CompleteMultipartUploadInput) -> S3Result<Object> {
        let wanted = input
            .multipart_upload
            .and_then(|upload| upload.parts)
            .unwrap_or_default();
        let upload = self
            .store
            .upload(&input.bucket, &input.upload_id, |upload| Ok(upload.clone()))?;
        let parts = chosen(&upload.parts, &wanted)?;
        let mut md5 = Md5::new();
        parts.iter().for_each(|part| md5.update(&part.md5));
        let etag = format!("{}-{}", hex(&md5.finalize()), parts.len());
        let size = parts.iter().map(|part| part.size).sum();
        let draft = self.store.draft();
        let joined = tokio::task::spawn_blocking(move || {
            let files = parts
                .iter()
                .map(|part| File::open(part.draft.path()).map(|file| (file, part.size)));
            let files: Vec<_> = files
                .collect::<io::Result<_>>()
                .map_err(|error| s3_error!(error, InternalError))?;
            concatenate(draft, files)
        });
        let draft = joined.await.map_err(|error| s3_error!(error, InternalError))??;
        let object = Object::new(upload.key, size, etag, upload.attributes);
        let conditions = Conditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
        };
        let object = self.commit(input.bucket.clone(), draft, object, conditions).await?;
        self.store.end_upload(&input.bucket, &input.upload_id)?;
        Ok(object)
    }

    /// One page of a listing.
    pub fn page(&self, input: &ListObjectsV2Input) -> S3Result<Page> {
        let listing = Listing {
            prefix: input.prefix.as_deref().unwrap_or_default(),
            delimiter: input.delimiter.as_deref(),
            after: input
                .continuation_token
                .as_deref()
                .or(input.start_after.as_deref())
                .unwrap_or_default(),
            count: input
                .max_keys
                .unwrap_or(PAGE_KEYS_MAX)
                .clamp(0, PAGE_KEYS_MAX)
                .unsigned_abs() as usize,
        };
        self.store.list(&input.bucket, &listing)
    }
}

pub(super) use {announced, attributes};
