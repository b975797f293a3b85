//! An S3 endpoint inside this process: real HTTP and signatures by the `s3s` crate, objects in plain files.
//!
//! The store is ours because the file store of `s3s`, made for its own tests, loses what our code relies on. That store refuses
//! keys of more than about 150 characters, makes missing buckets silently, keeps an object whose checksum was wrong, answers a
//! stale checksum after an object is overwritten in parts, and does not list unfinished uploads.

mod actions;
mod listing;
mod parts;
mod receive;
mod service;
mod store;

use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::{Context, Result};
use aws_sdk_s3::error::SdkError;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::state::StateDir;

use actions::Service;
use store::Store;

/// Region for which requests are signed.
pub const REGION: &str = "us-east-1";

/// How to reach an S3 service.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Endpoint {
    /// URL of the service; buckets are addressed by path.
    pub url: String,
    /// Access key, the public half of the credentials.
    pub access_key: String,
    /// Secret key, which signs requests.
    pub secret_key: String,
    /// Region for which requests are signed.
    pub region: String,
}

impl Endpoint {
    /// A client of the AWS SDK for this endpoint.
    pub fn client(&self) -> aws_sdk_s3::Client {
        use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
        let keys = Credentials::new(&self.access_key, &self.secret_key, None, None, "docket-local");
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .endpoint_url(&self.url)
            .region(Region::new(self.region.clone()))
            .credentials_provider(keys)
            .force_path_style(true);
        aws_sdk_s3::Client::from_conf(config.build())
    }

    /// Makes a bucket. An existing bucket stays unchanged.
    pub async fn create_bucket(&self, bucket: &str) -> Result<()> {
        let outcome = self.client().create_bucket().bucket(bucket).send().await;
        match outcome.map_err(SdkError::into_service_error) {
            Err(error) if !error.is_bucket_already_owned_by_you() => {
                Err(error).with_context(|| format!("make bucket {bucket}"))
            }
            _ => Ok(()),
        }
    }
}

/// A running S3 endpoint.
#[derive(Debug)]
pub struct S3Server {
    endpoint: Endpoint,
    store: Arc<Store>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl S3Server {
    /// Serves a subfolder of a stack's state, at the port and with the keys of last time. With `durable`, stored objects survive
    /// a power loss.
    pub async fn start(state: &mut StateDir, durable: bool) -> Result<Self> {
        let endpoint = Endpoint {
            url: format!("http://127.0.0.1:{}", state.port("s3")?),
            access_key: "docket".to_owned(),
            secret_key: state.secret("s3")?,
            region: REGION.to_owned(),
        };
        let folder = state.path().join("s3");
        let store = tokio::task::spawn_blocking(move || Store::open(&folder, durable)).await?;
        let store = Arc::new(store.context("open the object store")?);
        let mut builder = S3ServiceBuilder::new(Service::new(Arc::clone(&store)));
        builder.set_auth(SimpleAuth::from_single(
            endpoint.access_key.clone(),
            endpoint.secret_key.clone(),
        ));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, state.port("s3")?))
            .await
            .context("listen for S3")?;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(accept(listener, builder.build(), stop.clone(), tasks.clone()));
        Ok(Self {
            endpoint,
            store,
            stop,
            tasks,
        })
    }

    /// URL and keys of the server.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Names of all buckets that begin with `prefix`.
    pub fn buckets(&self, prefix: &str) -> Vec<String> {
        let buckets = self.store.buckets().into_iter().map(|(name, _)| name);
        buckets.filter(|name| name.starts_with(prefix)).collect()
    }

    /// Deletes a bucket with all its objects, for which S3 itself has no call. An absent bucket is no error.
    pub fn remove_bucket(&self, bucket: &str) -> Result<()> {
        self.store
            .remove_bucket_with_objects(bucket)
            .with_context(|| format!("remove bucket {bucket}"))
    }

    /// Closes the endpoint and cuts the requests in flight.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

async fn accept(listener: TcpListener, service: S3Service, stop: CancellationToken, tasks: TaskTracker) {
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        let Ok((stream, _)) = accepted else { continue }; // The client left before it was served.
        let _ = stream.set_nodelay(true); // Without this, an answer waits 40 ms for the client's acknowledgement.
        let (service, stop) = (service.clone(), stop.clone());
        tasks.spawn(async move {
            let builder = Builder::new(TokioExecutor::new());
            let connection = builder.serve_connection(TokioIo::new(stream), service);
            let _ = stop.run_until_cancelled(connection).await; // Only the client cares how its connection ends.
        });
    }
}
