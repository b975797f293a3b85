//! Compares what callers were promised with the content of the shards, the bucket and the queues.
//!
//! The checker reads the callers' own log and the servers themselves. It depends on no other crate of Docket: what it knows of
//! tables, keys and queues is written here anew.
//!
//! | question | file |
//! |---|---|
//! | what callers write down | `log.rs` |
//! | what the shards have | `rows.rs` |
//! | what the bucket has | `objects.rs` |
//! | what the queues have | `queues.rs` |
//! | what is wrong with it | `judge.rs`, pure |

pub mod judge;
pub mod log;
pub mod objects;
pub mod queues;
pub mod rows;

use anyhow::Result;

/// The model of the documents that are checked.
pub const MODEL: &str = "chaos";

/// Access to the servers.
#[derive(Debug, Clone)]
pub struct Servers {
    /// Name and `postgres://` URL of each shard.
    pub shards: Vec<(String, String)>,
    /// `postgres://` URL of the catalog.
    pub catalog: String,
    /// A client of the S3 service.
    pub s3: aws_sdk_s3::Client,
    /// Name of the bucket.
    pub bucket: String,
    /// `amqp://` URL of the broker.
    pub amqp: String,
}

/// Reads the servers, and judges them by the callers' log and the calm run.
pub async fn check(servers: &Servers, log: &[log::Entry], calm: &judge::Calm) -> Result<judge::Verdict> {
    let seen = judge::Seen {
        rows: rows::read(&servers.shards).await?,
        objects: objects::read(&servers.s3, &servers.bucket).await?,
        queues: queues::depths(&servers.amqp).await?,
        parked: rows::parked(&servers.catalog).await?,
    };
    Ok(judge::judge(log, &seen, calm))
}
