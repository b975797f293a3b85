//! Idempotency keys: reserved, answered, freed, expired.

use docket_contract::sharding;
use docket_store::work::idempotency::{self, Key, Reservation};
use serde_json::json;
use uuid::Uuid;

use crate::fixture::{Fixture, direct_and_pooled};

direct_and_pooled!(a_key_belongs_to_one_request_and_then_to_its_answer);

async fn reserve(fixture: &Fixture, key: &Key, request: Uuid) -> Reservation {
    let mut tx = fixture.shards.begin(key.bucket).await.unwrap();
    let reservation = idempotency::reserve(&mut tx, key, request).await.unwrap();
    tx.commit().await.unwrap();
    reservation
}

async fn age(fixture: &Fixture, key: &Key, column: &'static str) {
    let update = match column {
        "reserved_until" => "update idempotency_keys set reserved_until = now() - interval '1 s'",
        _ => "update idempotency_keys set expires_at = now() - interval '1 s'",
    };
    sqlx::query(update)
        .execute(&mut fixture.raw(key.bucket).await)
        .await
        .unwrap();
}

async fn a_key_belongs_to_one_request_and_then_to_its_answer(fixture: Fixture) {
    let client = "acme".parse().unwrap();
    let key = Key {
        bucket: sharding::bucket_of(&client),
        client,
        key: "k 1".into(),
    };
    let (first, second) = (Uuid::new_v4(), Uuid::new_v4());
    assert_eq!(reserve(&fixture, &key, first).await, Reservation::Reserved);
    assert_eq!(reserve(&fixture, &key, second).await, Reservation::InProgress);
    assert_eq!(reserve(&fixture, &key, first).await, Reservation::Reserved, "renewed");
    let mut tx = fixture.shards.begin(key.bucket).await.unwrap();
    idempotency::free(&mut tx, &key, first).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(reserve(&fixture, &key, first).await, Reservation::Reserved);
    age(&fixture, &key, "reserved_until").await;
    assert_eq!(
        reserve(&fixture, &key, second).await,
        Reservation::Reserved,
        "the first one's process died"
    );
    let answer = json!({ "document_id": "x" });
    for (request, accepted) in [(first, false), (second, true)] {
        let mut tx = fixture.shards.begin(key.bucket).await.unwrap();
        let stored = idempotency::answer(&mut tx, &key, request, (b"hash", &answer))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(stored, accepted);
    }
    assert_eq!(
        reserve(&fixture, &key, first).await,
        Reservation::Answered(b"hash".to_vec(), answer)
    );
    let shard = fixture.shards.shard(&fixture.shards.owner(key.bucket)).unwrap();
    assert_eq!(idempotency::expire(shard).await.unwrap(), 0);
    age(&fixture, &key, "expires_at").await;
    assert_eq!(idempotency::expire(shard).await.unwrap(), 1);
    assert_eq!(reserve(&fixture, &key, first).await, Reservation::Reserved);
}
