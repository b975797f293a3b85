//! `Idempotency-Key`: a reserved row on the client's shard (draft-ietf-httpapi-idempotency-key-header-07). The first
//! request with a key reserves it, and stores its answer in the transaction that accepts its documents. A later request
//! gets the same answer.

use std::time::Duration;

use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use crate::rows::seconds;
use crate::shards::fence::FENCE_BUCKETS_MAX;
use crate::sql::{Statement, sql};
use crate::{Database, FencedTx, StoreError};
use docket_contract::ids::{Bucket, ClientId};
use docket_contract::sharding;

/// How long a reservation holds without being renewed. When a request's process dies, its key is free after this time.
pub const RESERVATION: Duration = Duration::from_secs(30);
/// How long an answer is kept: a day, as callers know it from payment APIs.
const ANSWER_KEPT: Duration = Duration::from_secs(24 * 3600);
/// Keys that one transaction deletes: few enough that it takes some milliseconds.
const EXPIRED_MAX: i64 = 1_000;

/// A client's key.
#[derive(Debug, Clone)]
pub struct Key {
    /// The client's bucket.
    pub bucket: Bucket,
    /// The client.
    pub client: ClientId,
    /// The key as it was sent.
    pub key: String,
}

/// What became of an attempt to reserve.
#[derive(Debug, Clone, PartialEq)]
pub enum Reservation {
    /// The key is this request's.
    Reserved,
    /// Another request with the key is being served.
    InProgress,
    /// A request with the key was served: its fingerprint and answer.
    Answered(Vec<u8>, Value),
}

#[derive(FromRow)]
struct Row {
    reserved_by: Uuid,
    fingerprint: Option<Vec<u8>>,
    answer: Option<Value>,
}

/// The parameters that every statement on one key has: `$1` to `$4`.
fn bind(statement: Statement, key: &Key, request: Uuid) -> Statement {
    statement
        .bind(key.bucket.number())
        .bind(key.client.as_str())
        .bind(&key.key)
        .bind(request)
}

/// Reserves a key for `request`, or renews its reservation.
pub async fn reserve(tx: &mut FencedTx, key: &Key, request: Uuid) -> Result<Reservation, StoreError> {
    let query = bind(sql!("work/idempotency_reserve"), key, request);
    let query = query.bind(seconds(RESERVATION)).bind(seconds(ANSWER_KEPT));
    Ok(match tx.optional(query).await? {
        // Another request inserted the key after this statement's snapshot was taken.
        None => Reservation::InProgress,
        Some(Row {
            fingerprint: Some(fingerprint),
            answer: Some(answer),
            ..
        }) => Reservation::Answered(fingerprint, answer),
        Some(row) if row.reserved_by == request => Reservation::Reserved,
        Some(_) => Reservation::InProgress,
    })
}

/// Stores the answer of the request that holds the key. `false` when the request has lost the key: then it must not be
/// accepted.
pub async fn answer(
    tx: &mut FencedTx,
    key: &Key,
    request: Uuid,
    (fingerprint, answer): (&[u8], &Value),
) -> Result<bool, StoreError> {
    let query = bind(sql!("work/idempotency_answer"), key, request);
    Ok(tx.execute(query.bind(fingerprint).bind(answer)).await? == 1)
}

/// Frees a key whose request was not accepted.
pub async fn free(tx: &mut FencedTx, key: &Key, request: Uuid) -> Result<(), StoreError> {
    let query = bind(sql!("work/idempotency_free"), key, request);
    tx.execute(query).await.map(drop)
}

/// Deletes keys past their time. Returns how many; call again until it is 0.
pub async fn expire(shard: &Database) -> Result<u64, StoreError> {
    let mut tx = shard.begin().await?;
    let query = sql!("work/idempotency_expired").bind(FENCE_BUCKETS_MAX as i64);
    let buckets: Vec<i16> = tx.scalars(query).await?;
    drop(tx);
    let buckets: Vec<Bucket> = buckets.into_iter().filter_map(sharding::bucket_from_number).collect();
    let (mut tx, owned) = shard.begin_owned(&buckets).await?;
    let owned: Vec<i16> = owned.iter().map(|bucket| bucket.number()).collect();
    let query = sql!("work/idempotency_expire").bind(owned).bind(EXPIRED_MAX);
    let deleted = tx.execute(query).await?;
    tx.commit().await?;
    Ok(deleted)
}
