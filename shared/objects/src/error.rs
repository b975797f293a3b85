//! Errors of the bucket.

use aws_sdk_s3::error::{BoxError, ProvideErrorMetadata, SdkError};
use docket_contract::object_key::BlobKey;

/// What can go wrong with the bucket.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The bucket has no such object.
    #[error("object {key} does not exist")]
    NotFound {
        /// Key of the missing object.
        key: BlobKey,
    },
    /// The object is larger than the reader allows.
    #[error("object {key} has {bytes} bytes, more than the {limit} allowed")]
    TooLarge {
        /// Key of the object.
        key: BlobKey,
        /// Size of the object.
        bytes: u64,
        /// Most bytes that the reader allows.
        limit: u64,
    },
    /// The store did not do what it was asked, but may later.
    #[error("{action} object {key}")]
    Unavailable {
        /// What the store was asked to do.
        action: &'static str,
        /// Key of the object.
        key: BlobKey,
        /// The error of the SDK.
        source: BoxError,
    },
}

pub(crate) fn failed<E, R>(action: &'static str, key: &BlobKey, error: SdkError<E, R>) -> BlobError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    if error.code() == Some("NoSuchKey") {
        return BlobError::NotFound { key: key.clone() };
    }
    unavailable(action, key, error)
}

pub(crate) fn unavailable(action: &'static str, key: &BlobKey, source: impl Into<BoxError>) -> BlobError {
    BlobError::Unavailable {
        action,
        key: key.clone(),
        source: source.into(),
    }
}
