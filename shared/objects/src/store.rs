//! Reads, lists and removes objects in S3. Reads have a size limit.

use std::ops::Range;
use std::time::{Duration, Instant};

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation, SharedHttpClient,
};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use bytes::{Bytes, BytesMut};
use docket_contract::object_key::BlobKey;
use docket_process::metrics::{self, Operation};
use docket_process::tls::Roots;

use crate::error::{BlobError, failed, unavailable};
use crate::settings::BlobConfig;

/// Longest wait for a connection. A slower store is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest silence of the store. A store that sends nothing for longer is away.
const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// Tries of one request within the SDK, to hide a single hiccup. The caller handles what lasts longer.
const ATTEMPTS: u32 = 3;

/// Name of the note in an object's metadata.
pub(crate) const NOTE: &str = "docket-note";

/// One object of a listing.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Key of the object.
    pub key: BlobKey,
    /// Time when the object was stored, in seconds of the Unix epoch by the store's clock.
    pub stored_at: i64,
    /// Size of the object.
    pub bytes: u64,
}

/// A handle to the bucket; clones share one connection pool.
#[derive(Debug, Clone)]
pub struct BlobStore {
    pub(crate) client: aws_sdk_s3::Client,
    pub(crate) bucket: String,
}

impl BlobStore {
    /// Prepares the client, without a request.
    pub async fn connect(config: &BlobConfig) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12());
        if let Some(roots) = &config.roots {
            loader = loader.http_client(trusting(roots));
        }
        if let Some(region) = &config.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some((access, secret)) = &config.credentials {
            loader = loader.credentials_provider(Credentials::new(access, secret, None, None, "docket"));
        }
        let mut s3 = aws_sdk_s3::config::Builder::from(&loader.load().await)
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .force_path_style(config.path_style)
            // Services other than AWS's often lack trailing checksums. The row's SHA-256 is our own check.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        if let Some(endpoint) = &config.endpoint {
            s3 = s3.endpoint_url(endpoint);
        }
        Self {
            client: aws_sdk_s3::Client::from_conf(s3.build()),
            bucket: config.bucket.clone(),
        }
    }

    /// An error unless the bucket answers.
    pub async fn check(&self) -> Result<(), BlobError> {
        let key = BlobKey::from_stored(String::new());
        let request = self.client.head_bucket().bucket(&self.bucket);
        timed(Operation::Head, async {
            request
                .send()
                .await
                .map(drop)
                .map_err(|error| failed("reach", &key, error))
        })
        .await
    }

    /// Reads a whole object of at most `limit` bytes.
    pub async fn get(&self, key: &BlobKey, limit: u64) -> Result<Bytes, BlobError> {
        let (body, bytes) = self.open(key).await?;
        if bytes > limit {
            return Err(BlobError::TooLarge {
                key: key.clone(),
                bytes,
                limit,
            });
        }
        let read = body
            .collect()
            .await
            .map_err(|error| unavailable("read", key, error))?
            .into_bytes();
        if read.len() as u64 != bytes {
            return Err(unavailable(
                "read",
                key,
                format!("{} of {bytes} bytes arrived", read.len()),
            ));
        }
        Ok(read)
    }

    /// The note kept with an object; `None` if there is none.
    pub async fn note(&self, key: &BlobKey) -> Result<Option<String>, BlobError> {
        let request = self.client.head_object().bucket(&self.bucket).key(key.as_str());
        let head = request.send().await.map_err(|error| failed("look at", key, error))?;
        Ok(head.metadata.and_then(|mut metadata| metadata.remove(NOTE)))
    }

    /// The size of an object, in bytes.
    pub async fn size(&self, key: &BlobKey) -> Result<u64, BlobError> {
        let request = self.client.head_object().bucket(&self.bucket).key(key.as_str());
        timed(Operation::Head, async {
            let head = request.send().await.map_err(|error| failed("look at", key, error))?;
            Ok(head.content_length.unwrap_or_default().unsigned_abs())
        })
        .await
    }

    /// Opens an object for streaming, and tells its size.
    pub async fn open(&self, key: &BlobKey) -> Result<(ByteStream, u64), BlobError> {
        let object = self.object(key, None).await?;
        let bytes = object.content_length().unwrap_or_default().unsigned_abs();
        Ok((object.body, bytes))
    }

    /// Reads some bytes of an object, fewer where the object ends before.
    pub async fn range(&self, key: &BlobKey, bytes: Range<u64>) -> Result<Bytes, BlobError> {
        if bytes.is_empty() {
            return Ok(Bytes::new());
        }
        let range = format!("bytes={}-{}", bytes.start, bytes.end - 1);
        // A store that does not know ranges sends the whole object: what is too much is not taken.
        let most = bytes.end - bytes.start;
        let mut body = self.object(key, Some(range)).await?.body;
        let mut read = BytesMut::new();
        while let Some(chunk) = body.try_next().await.map_err(|error| unavailable("read", key, error))? {
            read.extend_from_slice(&chunk);
            if read.len() as u64 > most {
                return Err(unavailable("read", key, "more bytes arrived than were asked for"));
            }
        }
        Ok(read.freeze())
    }

    /// Asks for an object, or for some bytes of it (`bytes=0-99`).
    async fn object(&self, key: &BlobKey, range: Option<String>) -> Result<GetObjectOutput, BlobError> {
        let request = self.client.get_object().bucket(&self.bucket).key(key.as_str());
        timed(Operation::Get, async {
            let answer = request.set_range(range).send().await;
            answer.map_err(|error| match error.as_service_error() {
                Some(service) if service.is_no_such_key() => BlobError::NotFound { key: key.clone() },
                _ => failed("read", key, error),
            })
        })
        .await
    }

    /// Removes an object. A missing object counts as removed.
    pub async fn delete(&self, key: &BlobKey) -> Result<(), BlobError> {
        let request = self.client.delete_object().bucket(&self.bucket).key(key.as_str());
        timed(Operation::Delete, async {
            let removed = request.send().await;
            removed.map(drop).map_err(|error| failed("remove", key, error))
        })
        .await
    }

    /// Objects whose keys begin with `prefix`, at most `most`, after `after` in the order of keys.
    pub async fn list(&self, prefix: &str, after: Option<&BlobKey>, most: i32) -> Result<Vec<Listed>, BlobError> {
        let key = BlobKey::from_stored(prefix.to_owned());
        let request = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(prefix)
            .max_keys(most);
        let request = request.set_start_after(after.map(|key| key.as_str().to_owned()));
        let listing = timed(Operation::List, async {
            request.send().await.map_err(|error| failed("list", &key, error))
        });
        let listing = listing.await?;
        let listed = listing.contents.unwrap_or_default().into_iter().filter_map(|object| {
            Some(Listed {
                key: BlobKey::from_stored(object.key?),
                stored_at: object.last_modified?.secs(),
                bytes: object.size.unwrap_or_default().unsigned_abs(),
            })
        });
        Ok(listed.collect())
    }
}

/// The SDK's own HTTP client, which also trusts these certificates.
fn trusting(roots: &Roots) -> SharedHttpClient {
    let store = TrustStore::default().with_pem_certificate(roots.pem());
    let context = TlsContext::builder().with_trust_store(store).build();
    aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(context.expect("it is complete, and its certificates were checked"))
        .build_https()
}

/// Makes a request and records it in the metrics.
pub(crate) async fn timed<T>(
    operation: Operation,
    request: impl Future<Output = Result<T, BlobError>>,
) -> Result<T, BlobError> {
    let began = Instant::now();
    let answer = request.await;
    let is_away = matches!(answer, Err(BlobError::Unavailable { .. }));
    metrics::object_request(operation, began, is_away);
    answer
}
