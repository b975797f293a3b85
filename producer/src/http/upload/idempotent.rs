//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): a caller that does not know whether its upload was
//! accepted sends it again with the same key, and it is accepted once.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};
use docket_shared::store::idempotency::{self, Key, Reservation};
use docket_shared::store::{FencedTx, Shards, within};
use docket_shared::telemetry;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::intake::Taken;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Kind};

/// The request header.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
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

    /// Writes the answer, in the transaction that accepts the documents.
    pub async fn answer(&self, tx: &mut FencedTx, fingerprint: &[u8], answer: &Value) -> Result<(), ApiError> {
        if idempotency::answer(tx, &self.key, self.request, (fingerprint, answer)).await? {
            return Ok(());
        }
        Err(in_progress()) // Another request took it over while this one could not renew it.
    }

    /// Frees the key: its request was refused, so the next one with it shall be served.
    pub async fn free(&self) {
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
        let detail = "This Idempotency-Key was used for an upload with other content; use a new one.";
        Err(ApiError::new(Kind::IdempotencyMismatch, detail))
    }
}

/// What makes two uploads the same: form or not, and of each file its content and all that was said about it.
pub fn fingerprint(form: bool, files: &[Taken]) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_be_bytes()); // So that no two lists of parts read the same.
        hash.update(part);
    };
    add(&[u8::from(form)]);
    for Taken { head, stored, .. } in files {
        let fields = &head.fields;
        add(&stored.sha256);
        add(head.media_type.as_bytes());
        let model = fields.model.as_ref().map(ToString::to_string);
        let metadata = fields.metadata.as_ref().map(canonical);
        for part in [&head.file_name, &fields.external_id, &model, &metadata] {
            add(&[u8::from(part.is_some())]);
            add(part.as_deref().unwrap_or_default().as_bytes());
        }
    }
    hash.finalize().into()
}

/// JSON with its keys in order, whatever order the library keeps them in.
fn canonical(value: &Value) -> String {
    let list = |parts: Vec<String>| parts.join(",");
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            let fields = fields
                .into_iter()
                .map(|(name, value)| format!("{}:{}", Value::from(&**name), canonical(value)));
            format!("{{{}}}", list(fields.collect()))
        }
        Value::Array(values) => format!("[{}]", list(values.iter().map(canonical).collect())),
        scalar => scalar.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use docket_shared::blob::Stored;
    use docket_shared::ids::{DocumentId, JobId};

    use super::*;
    use crate::http::upload::fields::{Fields, Head};

    fn file(change: impl Fn(&mut Head, &mut Stored)) -> Taken {
        let mut stored = Stored {
            bytes: 1,
            sha256: [7; 32],
        };
        let fields = Fields {
            external_id: Some("a".into()),
            model: None,
            metadata: None,
        };
        let mut head = Head {
            media_type: "text/plain",
            file_name: Some("b".into()),
            fields,
        };
        change(&mut head, &mut stored);
        Taken {
            head,
            document: DocumentId::generate(),
            job: JobId::generate(),
            stored,
        }
    }

    fn with_metadata(text: &str) -> Taken {
        file(|head, _| head.fields.metadata = Some(serde_json::from_str(text).unwrap()))
    }

    #[test]
    fn a_fingerprint_changes_with_everything_that_was_sent() {
        let one = |file: Taken| fingerprint(false, &[file]);
        let same = one(file(|_, _| ()));
        assert_eq!(same, one(file(|_, _| ())), "new ids make no difference");
        let others = [
            fingerprint(true, &[file(|_, _| ())]),
            fingerprint(false, &[file(|_, _| ()), file(|_, _| ())]),
            one(file(|_, stored| stored.sha256[0] = 0)),
            one(file(|head, _| head.file_name = None)),
            one(file(|head, _| head.file_name = Some(String::new()))),
            one(file(|head, _| {
                (head.file_name, head.fields.external_id) = (Some("a".into()), Some("b".into()));
            })),
            one(file(|head, _| head.fields.model = Some("m".parse().unwrap()))),
            one(with_metadata("{}")),
        ];
        let distinct: std::collections::HashSet<_> = others.iter().chain([&same]).collect();
        assert_eq!(distinct.len(), others.len() + 1);
    }

    #[test]
    fn the_order_and_spacing_of_metadata_make_no_difference() {
        let (a, b) = (
            r#"{"x":[1,{"p":null,"q":"\""}],"a":true}"#,
            r#"{ "a": true, "x": [1, {"q":"\u0022", "p":null}] }"#,
        );
        assert_eq!(
            fingerprint(false, &[with_metadata(a)]),
            fingerprint(false, &[with_metadata(b)])
        );
    }

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
