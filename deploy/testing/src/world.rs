//! A test's own vhost, databases and bucket on shared servers.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use futures::future::{try_join_all, try_join3};

use crate::broker::PrivateBroker;
use crate::or_panic;
use crate::template::{self, Place};
use docket_local::daemon::{MODELS, Request, SHARDS};
use docket_local::info::StackInfo;
use docket_local::link::Link;
use docket_local::postgres::{Admin, Login};
use docket_local::rabbit::{Management, QueueDepth};
use docket_local::{ports, postgres, rabbit, s3};

/// The secret that signs the tokens of all test worlds.
const JWT_SECRET: &str = "a secret of tests, known to everybody who reads them";

/// The kind of world.
#[derive(Debug)]
pub struct WorldOptions<'a> {
    /// Number of shards; beyond the stack's clusters, several shards share one.
    pub shards: usize,
    /// The test's own broker; `None` for the shared broker.
    pub broker: Option<&'a PrivateBroker>,
}

impl Default for WorldOptions<'_> {
    fn default() -> Self {
        Self {
            shards: SHARDS,
            broker: None,
        }
    }
}

/// A test's own part of the servers. All of it is deleted soon after the world is dropped.
#[derive(Debug)]
pub struct World {
    /// Part of the names of the vhost, the databases and the bucket.
    pub id: String,
    /// `amqp://` URL of the vhost.
    pub amqp_url: String,
    /// `postgres://` URL of the catalog, migrated.
    pub catalog_url: String,
    /// Names and `postgres://` URLs of the shards, migrated.
    pub shards: Vec<(String, String)>,
    /// Name of the bucket, empty at first.
    pub bucket: String,
    /// Endpoint of the S3 service that has the bucket.
    pub s3: s3::Endpoint,
    /// Name of the vhost.
    pub vhost: String,
    /// Endpoint of the broker that has the vhost.
    pub broker: rabbit::Endpoint,
    /// Path of the onnxruntime library.
    pub onnxruntime: PathBuf,
    /// Path of the pdfium library.
    pub pdfium: PathBuf,
    databases: Vec<Database>,
    models: PathBuf,
}

#[derive(Debug, Clone)]
pub(super) struct Database {
    pub name: String,
    pub cluster: postgres::Endpoint,
    pub database: String,
}

impl World {
    /// Makes a world with two shards on the shared servers.
    pub async fn start() -> Self {
        Self::with(WorldOptions::default()).await
    }

    /// Makes a world whose vhost is on the test's own broker.
    pub async fn start_with(broker: &PrivateBroker) -> Self {
        Self::with(WorldOptions {
            broker: Some(broker),
            ..WorldOptions::default()
        })
        .await
    }

    /// Makes a world with these options.
    pub async fn with(options: WorldOptions<'_>) -> Self {
        or_panic("make a world", Self::make(options).await)
    }

    async fn make(options: WorldOptions<'_>) -> Result<Self> {
        let link = Link::get().await;
        let info = link.info();
        let id = uuid::Uuid::new_v4().simple().to_string()[..12].to_owned();
        link.tell(&Request::World { id: id.clone() });
        let broker = options
            .broker
            .map_or_else(|| info.rabbit.clone(), PrivateBroker::endpoint);
        let (vhost, bucket) = (format!("w_{id}"), format!("w-{id}"));
        let vhost_made = async {
            match options.broker {
                Some(private) => private.create_vhost(&vhost).await,
                None => broker.management()?.create_vhost(&vhost).await,
            }
        };
        let databases = copy_databases(info, options.shards, &id);
        let ((), databases, ()) = try_join3(vhost_made, databases, info.s3.create_bucket(&bucket)).await?;
        let mut urls = databases.iter().map(|d| (d.name.clone(), d.cluster.url(&d.database)));
        let (_, catalog_url) = urls.next().context("a world has a catalog")?;
        Ok(Self {
            amqp_url: broker.amqp_url(&vhost),
            catalog_url,
            shards: urls.collect(),
            bucket,
            s3: info.s3.clone(),
            vhost,
            broker,
            onnxruntime: info.onnxruntime.clone(),
            pdfium: info.pdfium.clone(),
            models: info.state.join(MODELS).join(&id),
            databases,
            id,
        })
    }

    /// The settings of a program that is one of this world's services: with the service's own login to databases and broker, and
    /// with the tokens' key only if the service verifies tokens.
    pub fn env_as(&self, login: Login) -> HashMap<String, String> {
        let all = self.env().into_iter();
        all.filter_map(|(name, value)| Some((name.clone(), login.setting(&name, &value)?)))
            .collect()
    }

    /// The settings with all rights in this world, for tests and operators' work. Each call picks new ports to listen on.
    pub fn env(&self) -> HashMap<String, String> {
        let port = || or_panic("find a port", ports::pick());
        let shards: Vec<_> = self.shards.iter().map(|(name, url)| format!("{name}={url}")).collect();
        let settings = [
            ("DOCKET_AMQP_URL", self.amqp_url.clone()),
            ("DOCKET_CATALOG_URL", self.catalog_url.clone()),
            ("DOCKET_SHARD_URLS", shards.join(",")),
            ("DOCKET_PG_POOLER", "false".to_owned()),
            ("DOCKET_S3_ENDPOINT", self.s3.url.clone()),
            ("DOCKET_S3_BUCKET", self.bucket.clone()),
            ("DOCKET_S3_PATH_STYLE", "true".to_owned()),
            ("DOCKET_S3_ACCESS_KEY", self.s3.access_key.clone()),
            ("DOCKET_S3_SECRET_KEY", self.s3.secret_key.clone()),
            ("DOCKET_S3_REGION", self.s3.region.clone()),
            ("DOCKET_HTTP_ADDR", format!("127.0.0.1:{}", port())),
            ("DOCKET_STOP_NOTICE_SECONDS", "1".to_owned()),
            ("DOCKET_WORKER_HTTP_ADDR", format!("127.0.0.1:{}", port())),
            ("DOCKET_JWT_SECRET", JWT_SECRET.to_owned()),
            ("DOCKET_ONNXRUNTIME_LIB", self.onnxruntime.display().to_string()),
            ("DOCKET_PDFIUM_LIB", self.pdfium.display().to_string()),
            // Several workers share this machine's cores.
            ("DOCKET_SESSIONS", "1".to_owned()),
            ("DOCKET_MODEL_CACHE_DIR", self.models.display().to_string()),
        ];
        settings
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// A client of the world's S3 service.
    pub fn s3_client(&self) -> aws_sdk_s3::Client {
        self.s3.client()
    }

    /// A client of the broker's management API.
    pub fn management(&self) -> Management {
        or_panic("make a client of the management API", self.broker.management())
    }

    /// Deletes all queues and messages of the vhost, as if the broker had lost its data.
    pub async fn wipe_broker(&self) {
        let management = self.management();
        or_panic("delete the vhost", management.delete_vhost(&self.vhost).await);
        or_panic("make the vhost anew", management.create_vhost(&self.vhost).await);
    }

    /// Closes the broker's connections from its side; returns how many were known. The broker's statistics learn of a connection
    /// up to a second after it opened.
    pub async fn close_connections(&self) -> usize {
        let management = self.management();
        let connections = or_panic("list connections", management.connections(&self.vhost).await);
        for connection in &connections {
            or_panic("close a connection", management.close_connection(connection).await);
        }
        connections.len()
    }

    /// Deletes a queue with its messages: the broker cancels the queue's consumers.
    pub async fn delete_queue(&self, queue: &str) {
        or_panic(
            "delete a queue",
            self.management().delete_queue(&self.vhost, queue).await,
        );
    }

    /// The depth of a queue, by statistics that lag a second or two; `None` if there is no such queue.
    pub async fn queue_depth(&self, queue: &str) -> Option<QueueDepth> {
        or_panic(
            "ask for a queue's depth",
            self.management().queue_depth(&self.vhost, queue).await,
        )
    }

    /// Takes a database away: closes its connections and refuses new ones. `name` is a shard's, or `catalog`.
    pub async fn shard_down(&self, name: &str) {
        let (mut admin, database) = self.administer(name).await;
        or_panic("close a database", admin.close(&database).await);
    }

    /// Brings back a database that [`World::shard_down`] took away.
    pub async fn shard_up(&self, name: &str) {
        let (mut admin, database) = self.administer(name).await;
        or_panic("open a database", admin.open(&database).await);
    }

    /// Closes the connections to a database; new connections are accepted at once.
    pub async fn disconnect(&self, name: &str) {
        let (mut admin, database) = self.administer(name).await;
        or_panic("close connections", admin.disconnect_all(&database).await);
    }

    pub(super) fn databases(&self) -> &[Database] {
        &self.databases
    }

    async fn administer(&self, name: &str) -> (Admin, String) {
        let found = self.databases.iter().find(|database| database.name == name);
        let found = found.unwrap_or_else(|| panic!("this world has no database {name}"));
        (
            or_panic("reach PostgreSQL", Admin::connect(&found.cluster, "postgres").await),
            found.database.clone(),
        )
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(link) = Link::existing() {
            link.tell(&Request::Leave { id: self.id.clone() });
        }
        let _ = std::fs::remove_dir_all(&self.models); // The next start of the stack removes the rest.
    }
}

async fn copy_databases(info: &StackInfo, shards: usize, id: &str) -> Result<Vec<Database>> {
    let templates = template::ensure(info, shards).await?;
    let copies = template::places(info, shards)
        .into_iter()
        .map(|place| copy(place, &templates, id));
    try_join_all(copies).await
}

async fn copy(place: Place<'_>, templates: &str, id: &str) -> Result<Database> {
    let Place { name, cluster } = place;
    let database = format!("w_{id}_{name}");
    let mut admin = Admin::connect(cluster, "postgres").await?;
    admin.copy(&format!("{templates}_{name}"), &database).await?;
    admin.disconnect().await;
    Ok(Database {
        name,
        cluster: cluster.clone(),
        database,
    })
}
