//! After a restore: compares a shard's rows with the bucket's objects.
//!
//! When a shard was restored to an earlier point, documents accepted after that point have an object and no row. Docket has lost
//! them, and their callers have to upload them again. When a bucket was restored to an earlier point, documents have a row and no
//! object. Both are read here in the order of keys, a page at a time, bucket by bucket.

use std::collections::HashSet;

use docket_contract::ids::{Bucket, ClientId, DocumentId, ShardName};
use docket_contract::object_key::{self, BlobKey};
use docket_contract::sharding;
use docket_objects::{BlobError, BlobStore, Listed};
use docket_store::read::documents::{self, Kept};
use docket_store::work::gaps::{self, Gap};
use docket_store::{Shards, StoreError, within};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::actions::{OperateError, Operations};

/// Objects of one listing: S3's maximum. The same number of rows is read at a time.
const PAGE: i32 = 1_000;

/// Why the comparison did not finish.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// A shard failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bucket failed.
    #[error(transparent)]
    Blob(#[from] BlobError),
}

/// An object that no row names.
#[derive(Debug, Clone, Serialize)]
pub struct Lost {
    /// The client whose document it was.
    pub client_id: ClientId,
    /// The document's id, as the caller was told.
    pub document_id: DocumentId,
    /// The caller's own id for the document, if it gave one.
    pub external_id: Option<String>,
    /// When the object was stored.
    pub stored_at: Timestamp,
    /// The object's size in bytes.
    pub bytes: u64,
    /// Whether the object was stored in a gap, in which nobody acted for the shard by what the shard knows now: only then was its
    /// document accepted and forgotten. Other objects are uploads under way, or were never accepted and are swept after a day.
    pub forgotten: bool,
}

/// A row whose object is not there.
#[derive(Debug, Clone, Serialize)]
pub struct Missing {
    /// The client that owns the document.
    pub client_id: ClientId,
    /// The document's id.
    pub document_id: DocumentId,
    /// The caller's own id for the document, if it gave one.
    pub external_id: Option<String>,
    /// When the document was accepted.
    pub accepted_at: Timestamp,
    /// The state of the document's newest job.
    pub state: String,
}

/// What a comparison found.
#[derive(Debug, Default, Serialize)]
pub struct Comparison {
    /// Gaps that are not settled, each with its begin and end.
    pub gaps: Vec<(Timestamp, Timestamp)>,
    /// Objects without a row.
    pub lost: Vec<Lost>,
    /// Rows without an object.
    pub missing: Vec<Missing>,
}

/// Compares a shard's rows with the bucket, without changing either.
pub async fn compare(shards: &Shards, blobs: &BlobStore, name: &ShardName) -> Result<Comparison, RestoreError> {
    let mut comparison = Comparison::default();
    let Some(shard) = shards.shard(name) else {
        return Ok(comparison);
    };
    let gaps = within(async { gaps::open(&mut shard.begin().await?).await }).await?;
    for bucket in sharding::all_buckets().filter(|bucket| shards.owner(*bucket) == *name) {
        lost(shards, blobs, (bucket, &gaps), &mut comparison.lost).await?;
        missing(shards, blobs, bucket, &mut comparison.missing).await?;
    }
    comparison.gaps = gaps.iter().map(|gap| (gap.began, gap.ended)).collect();
    Ok(comparison)
}

async fn lost(
    shards: &Shards,
    blobs: &BlobStore,
    (bucket, gaps): (Bucket, &[Gap]),
    lost: &mut Vec<Lost>,
) -> Result<(), RestoreError> {
    let prefix = BlobKey::documents_of(bucket);
    let mut after = None;
    loop {
        let page = blobs.list(&prefix, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.key.clone());
        let ids: Vec<_> = page
            .iter()
            .filter_map(|listed| Some(listed.key.of_document()?.1.0))
            .collect();
        let mut tx = shards.begin(bucket).await?;
        let known: HashSet<BlobKey> = documents::known_keys(&mut tx, bucket, &ids)
            .await?
            .into_iter()
            .collect();
        drop(tx);
        for listed in page.into_iter().filter(|listed| !known.contains(&listed.key)) {
            lost.extend(describe(blobs, listed, gaps).await?);
        }
    }
}

async fn describe(blobs: &BlobStore, listed: Listed, gaps: &[Gap]) -> Result<Option<Lost>, RestoreError> {
    let Some((client_id, document_id)) = listed.key.of_document() else {
        return Ok(None);
    };
    let note = match blobs.note(&listed.key).await {
        Ok(note) => note,
        Err(BlobError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok(Some(Lost {
        client_id,
        document_id,
        external_id: note.as_deref().and_then(object_key::from_note),
        stored_at: Timestamp::from_second(listed.stored_at).unwrap_or(Timestamp::UNIX_EPOCH),
        bytes: listed.bytes,
        forgotten: gaps.iter().any(|gap| gap.covers(listed.stored_at)),
    }))
}

async fn missing(
    shards: &Shards,
    blobs: &BlobStore,
    bucket: Bucket,
    missing: &mut Vec<Missing>,
) -> Result<(), RestoreError> {
    let mut client: Option<ClientId> = None;
    loop {
        let mut tx = shards.begin(bucket).await?;
        client = documents::next_client(&mut tx, bucket, client.as_ref()).await?;
        drop(tx);
        let Some(client) = &client else { return Ok(()) };
        let mut after = None;
        loop {
            let mut tx = shards.begin(bucket).await?;
            let rows = documents::kept(&mut tx, (bucket, client), after, i64::from(PAGE)).await?;
            drop(tx);
            let Some(last) = rows.last() else { break };
            let there = between(blobs, (bucket, client), (after, last.id)).await?;
            after = Some(last.id);
            let gone = rows.into_iter().filter(|row| !there.contains(&row.key));
            missing.extend(gone.map(|row| described(client, row)));
        }
    }
}

fn described(client: &ClientId, row: Kept) -> Missing {
    Missing {
        client_id: client.clone(),
        document_id: row.id,
        external_id: row.external_id,
        accepted_at: row.created_at,
        state: row.state,
    }
}

/// Keys of a client's objects, from after one document up to another or a little beyond.
async fn between(
    blobs: &BlobStore,
    (bucket, client): (Bucket, &ClientId),
    (after, last): (Option<DocumentId>, DocumentId),
) -> Result<HashSet<BlobKey>, RestoreError> {
    let prefix = BlobKey::documents_of_client(bucket, client);
    let last = BlobKey::document(bucket, client, last);
    let mut after = after.map(|after| BlobKey::document(bucket, client, after));
    let mut there = HashSet::new();
    while after.as_ref().is_none_or(|after| after.as_str() < last.as_str()) {
        let page = blobs.list(&prefix, after.as_ref(), PAGE).await?;
        let Some(end) = page.last() else { break };
        after = Some(end.key.clone());
        there.extend(page.into_iter().map(|listed| listed.key));
    }
    Ok(there)
}

impl Operations {
    /// Settles a shard's gaps: objects without a row that were stored in a gap are swept again like all others. Returns how many
    /// gaps there were; `None` when there is no such shard.
    pub async fn settle(&self, name: &ShardName) -> Result<Option<u64>, OperateError> {
        let Some(shard) = self.shards.shard(name) else {
            return Ok(None);
        };
        let target = json!({ "shard": name });
        let settle = async { Ok(Some(within(gaps::settle(shard, Timestamp::now())).await?)) };
        self.audited("restore.settle", target, settle).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_external_id_comes_back_from_its_note() {
        let id = "Akte 7/ä 🦀";
        let note = object_key::as_note(id);
        assert!(note.bytes().all(|byte| byte.is_ascii_graphic()), "{note}");
        assert_eq!(object_key::from_note(&note).as_deref(), Some(id));
        assert_eq!(object_key::from_note("not base64!"), None);
    }
}
