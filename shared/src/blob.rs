//! Objects in S3: streamed in with their hash, read back with a size limit.

pub mod inspect;
mod key;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation, SharedHttpClient,
};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use sha2::{Digest, Sha256};

use crate::config::{ConfigError, Env, Setting};
use crate::metrics;
use crate::spool::{FillError, Part};
use crate::tls::Roots;

pub use key::BlobKey;

/// Name of the bucket.
pub const BUCKET: Setting = Setting::required("DOCKET_S3_BUCKET", "bucket of documents, their texts and the models");
/// Another S3 than AWS.
pub const ENDPOINT: Setting = Setting::optional("DOCKET_S3_ENDPOINT", "URL of an S3 service that is not AWS's");
/// Region.
pub const REGION: Setting = Setting::optional("DOCKET_S3_REGION", "region; else AWS's own variables and profile");
/// Path style.
pub const PATH_STYLE: Setting = Setting::with_default(
    "DOCKET_S3_PATH_STYLE",
    "false",
    "`true` for services that want `/bucket/key`",
);
/// Static credentials.
pub const ACCESS_KEY: Setting = Setting::optional(
    "DOCKET_S3_ACCESS_KEY",
    "static credentials; else AWS's own chain (variables, web identity, instance)",
);
/// Static credentials.
pub const SECRET_KEY: Setting = Setting::optional("DOCKET_S3_SECRET_KEY", "secret of `DOCKET_S3_ACCESS_KEY`");

/// Every setting of this file.
pub const SETTINGS: &[&Setting] = &[&BUCKET, &ENDPOINT, &REGION, &PATH_STYLE, &ACCESS_KEY, &SECRET_KEY];

/// Size of a part of a multipart upload, in bytes: S3 wants at least 5 MiB and at most 10,000 parts.
pub const PART_BYTES: usize = 8 * 1024 * 1024;
/// A store that does not take a connection in this time is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A store that sends nothing for this long is away.
const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// Tries of one request, in the SDK: hides a single hiccup; what lasts longer is the caller's to handle.
const ATTEMPTS: u32 = 3;

/// Name of the note among an object's metadata.
const NOTE: &str = "docket-note";

/// Where objects are.
#[derive(Debug, Clone)]
pub struct BlobConfig {
    /// Name of the bucket.
    pub bucket: String,
    /// URL, when it is not AWS.
    pub endpoint: Option<String>,
    /// Region, when it is not for AWS's own chain to find.
    pub region: Option<String>,
    /// `/bucket/key` instead of `bucket.host/key`.
    pub path_style: bool,
    /// Static access and secret key.
    pub credentials: Option<(String, String)>,
    /// Trusted beside the system's.
    pub roots: Option<Roots>,
}

impl BlobConfig {
    /// Reads and checks the settings of this file.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        let keys = (env.optional(&ACCESS_KEY)?, env.optional(&SECRET_KEY)?);
        let credentials = match keys {
            (Some(access), Some(secret)) => Some((access, secret)),
            (None, None) => None,
            (Some(_), None) => return Err(SECRET_KEY.invalid("the access key is set, this is not")),
            (None, Some(_)) => return Err(ACCESS_KEY.invalid("the secret key is set, this is not")),
        };
        Ok(Self {
            bucket: env.get(&BUCKET)?,
            endpoint: env.optional(&ENDPOINT)?,
            region: env.optional(&REGION)?,
            path_style: env.get(&PATH_STYLE)?,
            credentials,
            roots: Roots::from_env(env)?,
        })
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What can go wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// There is no such object.
    #[error("object {key} does not exist")]
    NotFound {
        /// Which one.
        key: BlobKey,
    },
    /// The object is larger than the reader allows.
    #[error("object {key} has {bytes} bytes, more than the {limit} allowed")]
    TooLarge {
        /// Which one.
        key: BlobKey,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The store did not do it; it may later.
    #[error("{action} object {key}")]
    Unavailable {
        /// What was tried.
        action: &'static str,
        /// On which one.
        key: BlobKey,
        /// Why it failed.
        source: BoxError,
    },
}

/// Why an upload was not stored. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum PutError<E> {
    /// The body itself failed, as its stream said.
    #[error("read the upload")]
    Body(E),
    /// More bytes than allowed.
    #[error("the upload has more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// The store.
    #[error(transparent)]
    Blob(#[from] BlobError),
}

/// What was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Size.
    pub bytes: u64,
    /// SHA-256 of the content.
    pub sha256: [u8; 32],
}

/// A body to be stored.
pub struct Upload<S> {
    /// Its chunks.
    pub body: S,
    /// The most that is taken, in bytes.
    pub limit: u64,
    /// What is kept with the object, in visible ASCII: by what its sender knows it, in case its row is lost.
    pub note: Option<String>,
}

/// One object of a listing.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Its key.
    pub key: BlobKey,
    /// When it was stored, in seconds of the Unix epoch by the store's clock.
    pub stored_at: i64,
    /// Its size.
    pub bytes: u64,
}

/// A handle to the bucket; clones share one connection pool.
#[derive(Debug, Clone)]
pub struct BlobStore {
    client: aws_sdk_s3::Client,
    bucket: String,
}

impl BlobStore {
    /// Prepares the client; no request is made yet.
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
            // Services that are not AWS's often know no trailing checksums; ours is the SHA-256 in the row.
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

    /// Whether the bucket answers.
    pub async fn check(&self) -> Result<(), BlobError> {
        let key = BlobKey::from_stored(String::new());
        let request = self.client.head_bucket().bucket(&self.bucket);
        timed("head", async {
            request
                .send()
                .await
                .map(drop)
                .map_err(|error| failed("reach", &key, error))
        })
        .await
    }

    /// Streams a body into an object while hashing it, one part at a time: each part is complete before it is sent, so that
    /// the SDK can try again, and a slow sender holds up no request to the store. What fails leaves nothing.
    pub async fn put<S, E>(&self, key: &BlobKey, upload: Upload<S>) -> Result<Stored, PutError<E>>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
        E: Send + 'static,
    {
        let meter = Arc::new(Mutex::new(Meter {
            hash: Sha256::new(),
            bytes: 0,
            failure: None,
        }));
        let body = metered(upload.body, upload.limit, meter.clone());
        let sent = self.put_parts(key, body, upload.note).await;
        let meter = std::mem::replace(
            &mut *meter.lock().expect("no holder panics"),
            Meter {
                hash: Sha256::new(),
                bytes: 0,
                failure: None,
            },
        );
        match (meter.failure, sent) {
            (Some(failure), _) => Err(failure),
            (None, Err(error)) => Err(PutError::Blob(error)),
            (None, Ok(())) => Ok(Stored {
                bytes: meter.bytes,
                sha256: meter.hash.finalize().into(),
            }),
        }
    }

    async fn put_parts<S>(&self, key: &BlobKey, mut body: S, note: Option<String>) -> Result<(), BlobError>
    where
        S: Stream<Item = Result<Bytes, BodyFailed>> + Send + Unpin,
    {
        let first = next_part(key, &mut body).await?;
        if first.bytes() < PART_BYTES as u64 {
            return self.put_stream(key, part_body(key, &first).await?, note).await;
        }
        let request = self
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(key.as_str())
            .set_metadata(metadata(note));
        let created = request.send().await.map_err(|error| failed("begin", key, error))?;
        let id = created.upload_id().unwrap_or_default();
        let sent = self.send_parts(key, id, first, body).await;
        if sent.is_err() {
            // What cannot be aborted now is removed by the bucket's lifecycle rule for incomplete uploads.
            let abort = self
                .client
                .abort_multipart_upload()
                .bucket(&self.bucket)
                .key(key.as_str())
                .upload_id(id);
            if let Err(error) = abort.send().await {
                tracing::warn!(
                    error = crate::telemetry::chain(&error),
                    "an incomplete upload is left behind"
                );
            }
        }
        sent
    }

    async fn send_parts<S>(&self, key: &BlobKey, id: &str, first: Part, mut body: S) -> Result<(), BlobError>
    where
        S: Stream<Item = Result<Bytes, BodyFailed>> + Send + Unpin,
    {
        let mut parts = Vec::new();
        let mut part = first;
        while part.bytes() > 0 {
            let number = parts.len() as i32 + 1;
            let request = self
                .client
                .upload_part()
                .bucket(&self.bucket)
                .key(key.as_str())
                .upload_id(id);
            let content = part_body(key, &part).await?;
            let request = request.part_number(number).body(content);
            let sent = timed("put", async {
                let sent = request.send().await;
                sent.map_err(|error| failed("store a part of", key, error))
            });
            let tag = sent.await?.e_tag;
            parts.push(CompletedPart::builder().part_number(number).set_e_tag(tag).build());
            part = next_part(key, &mut body).await?;
        }
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = self
            .client
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(key.as_str())
            .upload_id(id);
        request
            .multipart_upload(parts)
            .send()
            .await
            .map(drop)
            .map_err(|error| failed("complete", key, error))
    }

    /// Stores bytes that are in memory anyway: derived texts, manifests.
    pub async fn put_bytes(&self, key: &BlobKey, bytes: Bytes) -> Result<(), BlobError> {
        self.put_stream(key, ByteStream::from(bytes), None).await
    }

    /// Stores a file without holding it in memory: models.
    pub async fn put_file(&self, key: &BlobKey, path: &std::path::Path) -> Result<(), BlobError> {
        let body = ByteStream::from_path(path).await;
        let body = body.map_err(|error| unavailable("read the file for", key, error))?;
        self.put_stream(key, body, None).await
    }

    async fn put_stream(&self, key: &BlobKey, body: ByteStream, note: Option<String>) -> Result<(), BlobError> {
        let request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key.as_str())
            .set_metadata(metadata(note))
            .body(body);
        timed("put", async {
            let sent = request.send().await;
            sent.map(drop).map_err(|error| failed("store", key, error))
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

    /// What is kept with an object, if anything is.
    pub async fn note(&self, key: &BlobKey) -> Result<Option<String>, BlobError> {
        let request = self.client.head_object().bucket(&self.bucket).key(key.as_str());
        let head = request.send().await.map_err(|error| failed("look at", key, error))?;
        Ok(head.metadata.and_then(|mut metadata| metadata.remove(NOTE)))
    }

    /// Opens an object to be streamed on; its size comes with it.
    pub async fn open(&self, key: &BlobKey) -> Result<(ByteStream, u64), BlobError> {
        let request = self.client.get_object().bucket(&self.bucket).key(key.as_str());
        let answer = timed("get", async {
            request.send().await.map_err(|error| match error.as_service_error() {
                Some(service) if service.is_no_such_key() => BlobError::NotFound { key: key.clone() },
                _ => failed("read", key, error),
            })
        });
        let object = answer.await?;
        let bytes = object.content_length().unwrap_or_default().unsigned_abs();
        Ok((object.body, bytes))
    }

    /// Removes an object; one that is not there is as good as removed.
    pub async fn delete(&self, key: &BlobKey) -> Result<(), BlobError> {
        let request = self.client.delete_object().bucket(&self.bucket).key(key.as_str());
        timed("delete", async {
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
        let listing = timed("list", async {
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

/// The SDK's own HTTP client, which trusts these certificates too.
fn trusting(roots: &Roots) -> SharedHttpClient {
    let store = TrustStore::default().with_pem_certificate(roots.pem());
    let context = TlsContext::builder().with_trust_store(store).build();
    aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(context.expect("it is complete, and its certificates were checked"))
        .build_https()
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a String takes all");
            text
        })
}

/// A request, and its entry in the metrics.
async fn timed<T>(
    operation: &'static str,
    request: impl Future<Output = Result<T, BlobError>>,
) -> Result<T, BlobError> {
    let began = Instant::now();
    let answer = request.await;
    let is_away = matches!(answer, Err(BlobError::Unavailable { .. }));
    metrics::object_request(operation, began, is_away);
    answer
}

fn metadata(note: Option<String>) -> Option<HashMap<String, String>> {
    note.map(|note| HashMap::from([(NOTE.to_owned(), note)]))
}

fn failed<E, R>(action: &'static str, key: &BlobKey, error: SdkError<E, R>) -> BlobError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    if error.code() == Some("NoSuchKey") {
        return BlobError::NotFound { key: key.clone() };
    }
    unavailable(action, key, error)
}

/// Counts and hashes what passes; keeps why the body failed, since the SDK's error would hide it.
struct Meter<E> {
    hash: Sha256,
    bytes: u64,
    failure: Option<PutError<E>>,
}

/// Ends the transfer; the reason is in the meter.
#[derive(Debug, thiserror::Error)]
#[error("the upload ended early")]
struct BodyFailed;

fn metered<S, E>(
    body: S,
    limit: u64,
    meter: Arc<Mutex<Meter<E>>>,
) -> impl Stream<Item = Result<Bytes, BodyFailed>> + Send + Unpin
where
    S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
    E: Send,
{
    body.map(move |chunk| {
        let mut meter = meter.lock().expect("no holder panics");
        let failure = match chunk {
            Ok(chunk) if meter.bytes + chunk.len() as u64 <= limit => {
                meter.hash.update(&chunk);
                meter.bytes += chunk.len() as u64;
                return Ok(chunk);
            }
            Ok(_) => PutError::TooLarge { limit },
            Err(error) => PutError::Body(error),
        };
        meter.failure = Some(failure);
        Err(BodyFailed)
    })
}

async fn next_part<S>(key: &BlobKey, body: &mut S) -> Result<Part, BlobError>
where
    S: Stream<Item = Result<Bytes, BodyFailed>> + Unpin,
{
    Part::fill(body, PART_BYTES).await.map_err(|error| match error {
        FillError::Body(error) => unavailable("read", key, error),
        FillError::File(error) => unavailable("write the temporary file of", key, error),
    })
}

async fn part_body(key: &BlobKey, part: &Part) -> Result<ByteStream, BlobError> {
    let body = part.body().await;
    body.map_err(|error| unavailable("read the temporary file of", key, error))
}

fn unavailable(action: &'static str, key: &BlobKey, source: impl Into<BoxError>) -> BlobError {
    BlobError::Unavailable {
        action,
        key: key.clone(),
        source: source.into(),
    }
}
