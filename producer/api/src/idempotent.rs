//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): a caller that does not know whether its request was accepted
//! sends the request again with the same key, and the request is accepted once.

use crate::kinds;
use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};
use docket_process::telemetry;
use docket_store::work::idempotency::{self, Key, Reservation};
use docket_store::work::jobs::Schedule;
use docket_store::{FencedTx, Shards, within};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::commit::Refusal;
use docket_http::caller::Caller;
use docket_http::problem::{ApiError, Kind};

/// Request header that holds the key.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Response header of a repeated answer.
pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Longest key, in bytes.
const KEY_BYTES_MAX: usize = 255;
/// How often a reservation is renewed while its upload runs: two renewals may fail before the reservation lapses.
const RENEW_EVERY: Duration = Duration::from_secs(10);

const _: () = assert!(RENEW_EVERY.as_secs() * 3 <= idempotency::RESERVATION.as_secs());

/// The key of a request, if it has one.
pub fn key_of(headers: &HeaderMap, caller: &Caller) -> Result<Option<Key>, ApiError> {
    let mut sent = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(first) = sent.next() else { return Ok(None) };
    let is_key =
        |key: &&str| (1..=KEY_BYTES_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    let key = first.to_str().ok().filter(is_key).filter(|_| sent.next().is_none());
    let key = key.ok_or_else(|| {
        let detail = format!("Idempotency-Key must be given once, with 1 to {KEY_BYTES_MAX} visible characters.");
        ApiError::new(Kind::INVALID_REQUEST, detail)
    })?;
    Ok(Some(Key {
        bucket: caller.bucket,
        client: caller.client.clone(),
        key: key.to_owned(),
    }))
}

/// The outcome of reserving a request's key.
pub enum Begun {
    /// The key is reserved for this request.
    Reserved(Hold),
    /// A request with this key was accepted before.
    Answered(Earlier),
}

/// Reserves a key, or finds the earlier answer under it.
pub async fn begin(shards: &Shards, key: Key) -> Result<Begun, ApiError> {
    let hold = Hold {
        shards: shards.clone(),
        key,
        request: Uuid::new_v4(),
    };
    match hold.reserve().await? {
        Reservation::Reserved => Ok(Begun::Reserved(hold)),
        Reservation::Answered(fingerprint, answer) => Ok(Begun::Answered(Earlier { fingerprint, answer })),
        Reservation::InProgress => Err(in_progress()),
    }
}

fn in_progress() -> ApiError {
    ApiError::new(
        kinds::IDEMPOTENCY_IN_PROGRESS,
        "A request with this Idempotency-Key is being served; ask again soon.",
    )
}

/// A key reserved for this request.
pub struct Hold {
    shards: Shards,
    key: Key,
    request: Uuid,
}

impl Hold {
    async fn reserve(&self) -> Result<Reservation, ApiError> {
        let reserved = within(async {
            let mut tx = self.shards.begin(self.key.bucket).await?;
            let reservation = idempotency::reserve(&mut tx, &self.key, self.request).await?;
            tx.commit().await?;
            Ok(reservation)
        });
        Ok(reserved.await?)
    }

    /// Keeps the reservation alive during `work`. A lost reservation shows when the answer is written.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            done = work => done,
            never = self.renew() => match never {},
        }
    }

    async fn renew(&self) -> Infallible {
        loop {
            tokio::time::sleep(RENEW_EVERY).await;
            if let Err(error) = self.reserve().await {
                tracing::warn!(
                    error = telemetry::chain(&error),
                    "an idempotency key could not be renewed"
                );
            }
        }
    }

    /// Stores the answer under the key, in the transaction that accepts the request.
    pub async fn answer(&self, tx: &mut FencedTx, fingerprint: &[u8], answer: &Value) -> Result<(), ApiError> {
        if idempotency::answer(tx, &self.key, self.request, (fingerprint, answer)).await? {
            return Ok(());
        }
        Err(in_progress()) // Another request took the key over while this one could not renew it.
    }

    /// Ends the request. A refused request frees its key for the next attempt, unless the request may have been accepted all the
    /// same.
    pub async fn settle<T>(self, served: Result<T, Refusal>) -> Result<T, ApiError> {
        match served {
            Ok(served) => Ok(served),
            Err(refusal) => {
                if !refusal.perhaps_accepted {
                    self.free().await;
                }
                Err(refusal.error)
            }
        }
    }

    async fn free(&self) {
        let freed = within(async {
            let mut tx = self.shards.begin(self.key.bucket).await?;
            idempotency::free(&mut tx, &self.key, self.request).await?;
            tx.commit().await
        });
        if let Err(error) = freed.await {
            tracing::warn!(
                error = telemetry::chain(&error),
                "an idempotency key stays reserved until its time is over"
            );
        }
    }
}

/// A request that was accepted before with the same key.
pub struct Earlier {
    fingerprint: Vec<u8>,
    answer: Value,
}

impl Earlier {
    /// The stored answer, if the request is the same.
    pub fn answer(self, fingerprint: &[u8]) -> Result<Value, ApiError> {
        if self.fingerprint == fingerprint {
            return Ok(self.answer);
        }
        let detail = "This Idempotency-Key was used for another request; use a new one.";
        Err(ApiError::new(kinds::IDEMPOTENCY_MISMATCH, detail))
    }
}

/// A hash of all that makes two requests the same.
#[derive(Default)]
pub struct Fingerprint(Sha256);

impl Fingerprint {
    /// Adds a part after its length, so that different lists of parts never hash alike.
    pub fn add(&mut self, part: &[u8]) {
        self.0.update((part.len() as u64).to_be_bytes());
        self.0.update(part);
    }

    /// Adds a part that may be absent; absent and empty differ.
    pub fn add_optional(&mut self, part: Option<&str>) {
        self.add(&[u8::from(part.is_some())]);
        self.add(part.unwrap_or_default().as_bytes());
    }

    /// Adds the priority and the times of a job.
    pub fn add_schedule(&mut self, schedule: &Schedule) {
        self.add(schedule.priority.as_str().as_bytes());
        for time in [schedule.not_before, schedule.deadline] {
            self.add_optional(time.map(|time| time.to_string()).as_deref());
        }
    }

    /// The hash.
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_visible_and_not_too_long() {
        let caller = Caller {
            bucket: docket_contract::sharding::bucket_from_number(0).unwrap(),
            client: "acme".parse().unwrap(),
        };
        let key = |value: &str| {
            key_of(
                &HeaderMap::from_iter([(IDEMPOTENCY_KEY, value.parse().unwrap())]),
                &caller,
            )
        };
        assert!(key(&"a".repeat(KEY_BYTES_MAX)).unwrap().is_some());
        assert!(key_of(&HeaderMap::new(), &caller).unwrap().is_none());
        for bad in ["", "a b", "ä", &"a".repeat(KEY_BYTES_MAX + 1)] {
            assert_eq!(key(bad).unwrap_err().kind(), Kind::INVALID_REQUEST, "{bad}");
        }
    }
}
