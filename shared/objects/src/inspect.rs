//! What the store lets us do in the bucket, for `docket-producer doctor`: facts without judgement. The objects tried are removed.

use std::sync::{Arc, Mutex};

use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::{BoxError, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{ExpirationStatus, LifecycleRule};
use bytes::Bytes;
use jiff::Timestamp;

use docket_contract::object_key::BlobKey;

use crate::BlobStore;

/// The store's refusal, or its silence.
#[derive(Debug, thiserror::Error)]
#[error("the store did not {action}{}", .code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default())]
pub struct Refusal {
    /// What the store was asked to do.
    pub action: &'static str,
    /// S3's code for the error, if the store answered.
    pub code: Option<String>,
    source: BoxError,
}

impl Refusal {
    fn of<E, R>(action: &'static str, error: SdkError<E, R>) -> Self
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        Self {
            action,
            code: error.code().map(str::to_owned),
            source: error.into(),
        }
    }
}

impl BlobStore {
    /// Stores an object. Also returns how many seconds the store's clock is ahead of this machine's, if the answer had a date.
    /// Dates count whole seconds.
    pub async fn try_store(&self, key: &BlobKey, content: Bytes) -> (Result<(), Refusal>, Option<f64>) {
        let date = DateSeen::default();
        let request = self.client.put_object().bucket(&self.bucket).key(key.as_str());
        let request = request.body(content.into()).customize();
        let sent = request.interceptor(date.clone()).send().await;
        let stored = sent.map(drop).map_err(|error| Refusal::of("store an object", error));
        (stored, date.ahead())
    }

    /// Reads an object whole.
    pub async fn try_read(&self, key: &BlobKey) -> Result<Bytes, Refusal> {
        let action = "let us read an object";
        let request = self.client.get_object().bucket(&self.bucket).key(key.as_str());
        let object = request.send().await.map_err(|error| Refusal::of(action, error))?;
        let body = object.body.collect().await.map_err(|error| Refusal {
            action,
            code: None,
            source: error.into(),
        })?;
        Ok(body.into_bytes())
    }

    /// Lists one object of the bucket.
    pub async fn try_list(&self) -> Result<(), Refusal> {
        let request = self.client.list_objects_v2().bucket(&self.bucket).max_keys(1);
        let listed = request.send().await;
        listed.map(drop).map_err(|error| Refusal::of("list the bucket", error))
    }

    /// Removes an object.
    pub async fn try_remove(&self, key: &BlobKey) -> Result<(), Refusal> {
        let request = self.client.delete_object().bucket(&self.bucket).key(key.as_str());
        let removed = request.send().await;
        removed
            .map(drop)
            .map_err(|error| Refusal::of("remove an object", error))
    }

    /// Begins a multipart upload, as large documents need, and aborts it.
    pub async fn try_parts(&self, key: &BlobKey) -> Result<(), Refusal> {
        let request = self.client.create_multipart_upload().bucket(&self.bucket);
        let begun = request.key(key.as_str()).send().await;
        let begun = begun.map_err(|error| Refusal::of("begin an upload in parts", error))?;
        let request = self.client.abort_multipart_upload().bucket(&self.bucket);
        let request = request.key(key.as_str()).set_upload_id(begun.upload_id);
        let ended = request.send().await;
        ended
            .map(drop)
            .map_err(|error| Refusal::of("end an upload in parts", error))
    }

    /// Whether a lifecycle rule for the whole bucket, or for all documents, ends incomplete uploads.
    pub async fn ends_incomplete_uploads(&self) -> Result<bool, Refusal> {
        let request = self.client.get_bucket_lifecycle_configuration();
        match request.bucket(&self.bucket).send().await {
            Ok(found) => Ok(found.rules().iter().any(ends_uploads)),
            Err(error) if error.code() == Some("NoSuchLifecycleConfiguration") => Ok(false),
            Err(error) => Err(Refusal::of("tell the lifecycle rules", error)),
        }
    }
}

fn ends_uploads(rule: &LifecycleRule) -> bool {
    let prefix = rule.filter().and_then(|filter| filter.prefix()).unwrap_or_default();
    rule.status() == &ExpirationStatus::Enabled
        && rule.abort_incomplete_multipart_upload().is_some()
        && "documents/".starts_with(prefix)
}

/// Notes the date of an answer, even of a refusal.
#[derive(Debug, Clone, Default)]
struct DateSeen(Arc<Mutex<Option<f64>>>);

impl DateSeen {
    fn ahead(&self) -> Option<f64> {
        *self.0.lock().expect("no holder panics")
    }
}

impl Intercept for DateSeen {
    fn name(&self) -> &'static str {
        "DateSeen"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        if let Some(date) = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) {
            let ahead = date.timestamp().duration_since(Timestamp::now());
            *self.0.lock().expect("no holder panics") = Some(ahead.as_secs_f64());
        }
        Ok(())
    }
}
