//! S3: objects are streamed in with a hash, sizes are limited both ways, and a failure leaves nothing.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use docket_contract::object_key::BlobKey;
use docket_objects::{BlobConfig, BlobError, BlobStore, PutError, Upload};
use docket_process::settings::Env;
use docket_testing::World;
use futures::stream;
use sha2::{Digest, Sha256};

const CHUNK: usize = 1024 * 1024;
const LIMIT: u64 = 20 * CHUNK as u64;

async fn store(world: &World) -> BlobStore {
    BlobStore::connect(&BlobConfig::from_env(&Env::from_map(world.env())).unwrap()).await
}

fn key(name: &str) -> BlobKey {
    BlobKey::from_stored(format!("documents/0001/{name}"))
}

type Chunks = futures::stream::Iter<std::vec::IntoIter<Result<Bytes, &'static str>>>;

fn upload(chunks: Vec<Result<Bytes, &'static str>>) -> Upload<Chunks> {
    Upload {
        body: stream::iter(chunks),
        limit: LIMIT,
        note: None,
    }
}

fn megabytes(count: usize) -> Vec<Result<Bytes, &'static str>> {
    (0..count).map(|i| Ok(Bytes::from(vec![i as u8; CHUNK]))).collect()
}

fn joined(count: usize) -> Vec<u8> {
    megabytes(count)
        .into_iter()
        .flat_map(|chunk| chunk.unwrap().to_vec())
        .collect()
}

#[tokio::test]
async fn bodies_of_every_size_arrive_whole_with_their_hash() {
    let world = World::start().await;
    let blobs = store(&world).await;
    blobs.check().await.unwrap();
    // MiB of the body: less than a part, exactly one, just above, and several.
    for count in [0, 1, 7, 8, 9, 17] {
        let stored = blobs.put(&key("a"), upload(megabytes(count))).await.unwrap();
        let expected = joined(count);
        assert_eq!(stored.bytes, expected.len() as u64);
        assert_eq!(stored.sha256, <[u8; 32]>::from(Sha256::digest(&expected)));
        assert!(blobs.get(&key("a"), LIMIT).await.unwrap() == expected, "{count} MiB");
    }
}

#[tokio::test]
async fn what_is_too_large_or_breaks_off_leaves_nothing() {
    let world = World::start().await;
    let blobs = store(&world).await;
    let too_large = blobs.put(&key("b"), upload(megabytes(21))).await;
    assert!(matches!(too_large, Err(PutError::TooLarge { limit: LIMIT })));
    for count in [2, 10] {
        let mut chunks = megabytes(count);
        chunks.push(Err("gone"));
        let broken = blobs.put(&key("b"), upload(chunks)).await;
        assert!(matches!(broken, Err(PutError::Body("gone"))), "{broken:?}");
    }
    assert!(blobs.list("documents/", None, 10).await.unwrap().is_empty());
    let uploads = world
        .s3_client()
        .list_multipart_uploads()
        .bucket(&world.bucket)
        .send()
        .await;
    assert!(uploads.unwrap().uploads().is_empty(), "parts were left behind");
}

#[tokio::test]
async fn reads_are_limited_and_absence_is_said() {
    let world = World::start().await;
    let blobs = store(&world).await;
    assert!(matches!(
        blobs.get(&key("c"), LIMIT).await,
        Err(BlobError::NotFound { .. })
    ));
    blobs.put_bytes(&key("c"), Bytes::from_static(b"12345")).await.unwrap();
    assert!(matches!(
        blobs.get(&key("c"), 4).await,
        Err(BlobError::TooLarge { bytes: 5, limit: 4, .. })
    ));
    blobs.delete(&key("c")).await.unwrap();
    blobs.delete(&key("c")).await.expect("removing twice is no error");
    assert!(matches!(blobs.get(&key("c"), 5).await, Err(BlobError::NotFound { .. })));
}

#[tokio::test]
async fn listings_go_on_after_a_key() {
    let world = World::start().await;
    let blobs = store(&world).await;
    for name in ["1", "2", "3"] {
        blobs.put_bytes(&key(name), Bytes::from_static(b"x")).await.unwrap();
    }
    let first = blobs.list("documents/0001/", None, 2).await.unwrap();
    assert_eq!(
        first.iter().map(|listed| listed.key.as_str()).collect::<Vec<_>>(),
        ["documents/0001/1", "documents/0001/2"]
    );
    let rest = blobs.list("documents/0001/", Some(&first[1].key), 2).await.unwrap();
    assert_eq!(rest.len(), 1);
    assert!(rest[0].stored_at > 1_600_000_000);
}
