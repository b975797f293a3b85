//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): a caller that does not know whether its request was
//! accepted sends it again with the same key, and it is accepted once.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};
use docket_shared::store::idempotency::{self, Key, Reservation};
use docket_shared::store::jobs::Schedule;
use docket_shared::store::{FencedTx, Shards, within};
use docket_shared::telemetry;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::auth::Caller;
use super::commit::Refusal;
use super::error::{ApiError, Kind};

/// The request header.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer was given before.
pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Longest key, in bytes.
const KEY_BYTES_MAX: usize = 255;
/// How often a reservation is renewed while its upload runs: two renewals may fail before it is believed dead.
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
        ApiError::new(Kind::InvalidRequest, detail)
    })?;
    Ok(Some(Key {
        bucket: caller.bucket,
        client: caller.client.clone(),
        key: key.to_owned(),
    }))
}

/// What a key stands for when a request begins.
pub enum Begun {
    /// For this request.
    Reserved(Hold),
    /// For one that was accepted before.
    Answered(Earlier),
}

/// Reserves a key.
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
        Kind::IdempotencyInProgress,
        "A request with this Idempotency-Key is being served; ask again soon.",
    )
}

/// A key that this request has.
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

    /// Keeps the reservation alive while work is done. Whether it was kept shows when the answer is written.
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

    /// Writes the answer, in the transaction that accepts the request.
    pub async fn answer(&self, tx: &mut FencedTx, fingerprint: &[u8], answer: &Value) -> Result<(), ApiError> {
        if idempotency::answer(tx, &self.key, self.request, (fingerprint, answer)).await? {
            return Ok(());
        }
        Err(in_progress()) // Another request took it over while this one could not renew it.
    }

    /// Ends the request. One that was refused frees its key, so that the next one with it is served; but not if it may
    /// have been accepted all the same.
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
    /// Its answer, if it was the same request.
    pub fn answer(self, fingerprint: &[u8]) -> Result<Value, ApiError> {
        if self.fingerprint == fingerprint {
            return Ok(self.answer);
        }
        let detail = "This Idempotency-Key was used for another request; use a new one.";
        Err(ApiError::new(Kind::IdempotencyMismatch, detail))
    }
}

/// What makes two requests the same, as a hash of its parts.
#[derive(Default)]
pub struct Fingerprint(Sha256);

impl Fingerprint {
    /// Adds a part; its length goes before it, so that no two lists of parts read the same.
    pub fn add(&mut self, part: &[u8]) {
        self.0.update((part.len() as u64).to_be_bytes());
        self.0.update(part);
    }

    /// Adds a part that may be absent, which is not the same as empty.
    pub fn add_optional(&mut self, part: Option<&str>) {
        self.add(&[u8::from(part.is_some())]);
        self.add(part.unwrap_or_default().as_bytes());
    }

    /// Adds when a job is to be done.
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
            bucket: docket_shared::sharding::bucket_from_number(0).unwrap(),
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
            assert_eq!(key(bad).unwrap_err().kind(), Kind::InvalidRequest, "{bad}");
        }
    }
}
