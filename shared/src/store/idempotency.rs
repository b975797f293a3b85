//! `Idempotency-Key`: a reserved row on the client's shard (draft-ietf-httpapi-idempotency-key-header-07). The first
//! request reserves the key and fills it in the transaction that accepts its documents; a later one gets the same answer.

use std::time::Duration;

use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use super::{Database, FencedTx, StoreError, seconds};
use crate::ids::{Bucket, ClientId};

/// How long a reservation is believed to live without being renewed: a request whose process died frees its key then.
pub const RESERVATION: Duration = Duration::from_secs(30);
/// How long an answer is kept: a day, as callers know it from payment APIs.
const ANSWER_KEPT: Duration = Duration::from_secs(24 * 3600);

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
    /// Another request with it is being served.
    InProgress,
    /// A request with it was served: its fingerprint and answer.
    Answered(Vec<u8>, Value),
}

#[derive(FromRow)]
struct Row {
    reserved_by: Uuid,
    fingerprint: Option<Vec<u8>>,
    answer: Option<Value>,
}

/// Reserves a key for `request`, or renews its reservation.
pub async fn reserve(tx: &mut FencedTx, key: &Key, request: Uuid) -> Result<Reservation, StoreError> {
    let query = tx.query_as::<Row>(
        "with taken as (
             insert into idempotency_keys as k (bucket, client_id, key, reserved_by, reserved_until, expires_at)
             values ($1, $2, $3, $4, now() + make_interval(secs => $5), now() + make_interval(secs => $6))
             on conflict (bucket, client_id, key) do update
                 set reserved_by = excluded.reserved_by, reserved_until = excluded.reserved_until,
                     expires_at = excluded.expires_at, fingerprint = null, answer = null
                 where (k.answer is null and (k.reserved_until < now() or k.reserved_by = excluded.reserved_by))
                    or k.expires_at < now()
             returning reserved_by, fingerprint, answer
         )
         select reserved_by, fingerprint, answer from taken
         union all
         select reserved_by, fingerprint, answer from idempotency_keys
         where bucket = $1 and client_id = $2 and key = $3 and not exists (select 1 from taken)",
    );
    let query = query
        .bind(key.bucket.number())
        .bind(key.client.to_string())
        .bind(key.key.clone())
        .bind(request);
    let query = query.bind(seconds(RESERVATION)).bind(seconds(ANSWER_KEPT));
    let row = query
        .fetch_optional(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?;
    Ok(match row {
        // Inserted by another request after this statement's snapshot was taken.
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

/// Stores the answer of the request that holds the key. `false` when it lost the key meanwhile: it must not be accepted.
pub async fn answer(
    tx: &mut FencedTx,
    key: &Key,
    request: Uuid,
    (fingerprint, answer): (&[u8], &Value),
) -> Result<bool, StoreError> {
    let query = tx.query(
        "update idempotency_keys set fingerprint = $5, answer = $6
         where bucket = $1 and client_id = $2 and key = $3 and reserved_by = $4 and answer is null",
    );
    let query = query
        .bind(key.bucket.number())
        .bind(key.client.to_string())
        .bind(key.key.clone())
        .bind(request);
    let query = query.bind(fingerprint.to_vec()).bind(answer.clone());
    let updated = query.execute(tx.connection()).await.map_err(|error| tx.failed(error))?;
    Ok(updated.rows_affected() == 1)
}

/// Frees a key whose request was not accepted.
pub async fn free(tx: &mut FencedTx, key: &Key, request: Uuid) -> Result<(), StoreError> {
    let query = tx.query(
        "delete from idempotency_keys where bucket = $1 and client_id = $2 and key = $3 and reserved_by = $4 and answer is null",
    );
    let query = query
        .bind(key.bucket.number())
        .bind(key.client.to_string())
        .bind(key.key.clone())
        .bind(request);
    query.execute(tx.connection()).await.map_err(|error| tx.failed(error))?;
    Ok(())
}

/// Forgets keys past their time. Returns how many; call again until it is 0.
pub async fn expire(shard: &Database) -> Result<u64, StoreError> {
    let mut tx = shard.begin().await?;
    let query =
        tx.query_scalar::<i16>("select distinct bucket from idempotency_keys where expires_at < now() limit 64");
    let expired = query
        .fetch_all(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?;
    drop(tx);
    let buckets: Vec<Bucket> = expired
        .into_iter()
        .filter_map(crate::sharding::bucket_from_number)
        .collect();
    let (mut tx, owned) = shard.begin_owned(&buckets).await?;
    let owned: Vec<i16> = owned.iter().map(|bucket| bucket.number()).collect();
    let query = tx.query(
        "delete from idempotency_keys where (bucket, client_id, key) in (
             select bucket, client_id, key from idempotency_keys
             where expires_at < now() and bucket = any($1) limit 1000)",
    );
    let deleted = query
        .bind(owned)
        .execute(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?
        .rows_affected();
    tx.commit().await?;
    Ok(deleted)
}
