//! The rows of client data in the shards, as far as they tell what became of a document.

use std::collections::{BTreeMap, HashSet};

use anyhow::{Context, Result};
use serde_json::Value;
use sqlx::{Connection, FromRow, PgConnection};
use uuid::Uuid;

/// A document's row.
#[derive(Debug, Clone, FromRow)]
#[expect(missing_docs, reason = "columns are described in the migration")]
pub struct Document {
    pub bucket: i16,
    pub id: Uuid,
    pub client_id: String,
    pub external_id: Option<String>,
    pub sha256: String,
    pub blob_key: String,
}

/// A job's row, and whether the job has a dispatch row.
#[derive(Debug, Clone, FromRow)]
#[expect(missing_docs, reason = "columns are described in the migration")]
pub struct Job {
    pub bucket: i16,
    pub id: Uuid,
    pub document_id: Uuid,
    pub client_id: String,
    pub state: String,
    pub priority: String,
    /// Seconds of the Unix epoch, as all times in this file.
    pub deadline: Option<f64>,
    pub ended_at: Option<f64>,
    /// Time of the first claim that the history still holds.
    pub begun_at: Option<f64>,
    pub error_kind: Option<String>,
    pub history: Value,
    pub entities: Option<i32>,
    pub text_key: Option<String>,
    pub text_sha256: Option<String>,
    pub live: Option<String>,
}

/// An entity's row.
#[derive(Debug, Clone, PartialEq, FromRow)]
#[expect(missing_docs, reason = "columns are described in the migration")]
pub struct Entity {
    pub bucket: i16,
    pub job_id: Uuid,
    pub ordinal: i32,
    pub label: String,
    pub text: String,
    pub start_char: i32,
    pub end_char: i32,
    pub start_byte: i32,
    pub end_byte: i32,
    pub score: f32,
}

/// All checked rows of a shard.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "they are the tables")]
pub struct Shard {
    pub name: String,
    pub owned: HashSet<i16>,
    pub documents: Vec<Document>,
    pub jobs: Vec<Job>,
    pub entities: BTreeMap<Uuid, Vec<Entity>>,
    /// Number of dispatch rows without a job's row.
    pub strays: i64,
}

const DOCUMENTS: &str =
    "select bucket, id, client_id, external_id, encode(sha256, 'hex') as sha256, blob_key from documents";
const JOBS: &str = "
select j.bucket, j.id, j.document_id, j.client_id, j.state, j.priority, j.error_kind, j.history, j.entities, j.text_key,
       encode(j.text_sha256, 'hex') as text_sha256, d.state as live,
       extract(epoch from j.deadline)::float8 as deadline, extract(epoch from j.ended_at)::float8 as ended_at,
       (select min(extract(epoch from (h.entry->>'at')::timestamptz))::float8
        from jsonb_array_elements(j.history) as h(entry) where h.entry->>'event' = 'claimed') as begun_at
from jobs j left join dispatch d on d.bucket = j.bucket and d.job_id = j.id";
const ENTITIES: &str = "
select bucket, job_id, ordinal, label, text, start_char, end_char, start_byte, end_byte, score
from entities order by job_id, ordinal";
const STRAYS: &str = "
select count(*) from dispatch d where not exists (select 1 from jobs j where j.bucket = d.bucket and j.id = d.job_id)";

/// Reads the rows of all shards.
pub async fn read(shards: &[(String, String)]) -> Result<Vec<Shard>> {
    let mut read = Vec::new();
    for (name, url) in shards {
        let shard = read_one(name, url).await;
        read.push(shard.with_context(|| format!("read shard {name}"))?);
    }
    Ok(read)
}

async fn read_one(name: &str, url: &str) -> sqlx::Result<Shard> {
    let mut db = PgConnection::connect(url).await?;
    let owned = "select bucket from bucket_owners where owner = (select name from shard_identity)";
    let owned: Vec<i16> = sqlx::query_scalar(owned).fetch_all(&mut db).await?;
    let documents = sqlx::query_as(DOCUMENTS).fetch_all(&mut db).await?;
    let jobs = sqlx::query_as(JOBS).fetch_all(&mut db).await?;
    let all: Vec<Entity> = sqlx::query_as(ENTITIES).fetch_all(&mut db).await?;
    let strays = sqlx::query_scalar(STRAYS).fetch_one(&mut db).await?;
    let mut entities: BTreeMap<Uuid, Vec<Entity>> = BTreeMap::new();
    for entity in all {
        entities.entry(entity.job_id).or_default().push(entity);
    }
    Ok(Shard {
        name: name.to_owned(),
        owned: owned.into_iter().collect(),
        documents,
        jobs,
        entities,
        strays,
    })
}

/// Number of parked messages in the catalog, which name no job.
pub async fn parked(catalog: &str) -> Result<i64> {
    let mut db = PgConnection::connect(catalog).await.context("connect to the catalog")?;
    let parked = sqlx::query_scalar("select count(*) from parked_messages");
    parked.fetch_one(&mut db).await.context("count parked messages")
}
