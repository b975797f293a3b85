//! The embedded S3 endpoint, used through the AWS SDK.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier};
use docket_testing::World;

const MIB: usize = 1024 * 1024;

async fn put(client: &Client, bucket: &str, key: &str, body: &[u8]) {
    client
        .put_object()
        .bucket(bucket)
        .key(key)
        .body(body.to_vec().into())
        .send()
        .await
        .unwrap();
}

async fn get(client: &Client, bucket: &str, key: &str) -> Vec<u8> {
    let answer = client.get_object().bucket(bucket).key(key).send().await.unwrap();
    answer.body.collect().await.unwrap().to_vec()
}

/// An unfinished upload.
struct Upload<'a> {
    client: &'a Client,
    bucket: &'a str,
    key: &'a str,
    id: String,
}

impl<'a> Upload<'a> {
    async fn begin(client: &'a Client, bucket: &'a str, key: &'a str) -> Self {
        let begun = client
            .create_multipart_upload()
            .bucket(bucket)
            .key(key)
            .content_type("text/plain")
            .send()
            .await;
        Self {
            client,
            bucket,
            key,
            id: begun.unwrap().upload_id.unwrap(),
        }
    }

    async fn send(&self, number: i32, body: Vec<u8>) -> CompletedPart {
        let part = self
            .client
            .upload_part()
            .bucket(self.bucket)
            .key(self.key)
            .upload_id(&self.id)
            .part_number(number);
        let tag = part.body(body.into()).send().await.unwrap().e_tag.unwrap();
        CompletedPart::builder().part_number(number).e_tag(tag).build()
    }

    async fn complete(self, parts: Vec<CompletedPart>) -> Result<(), String> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let complete = self
            .client
            .complete_multipart_upload()
            .bucket(self.bucket)
            .key(self.key)
            .upload_id(&self.id);
        let outcome = complete.multipart_upload(parts).send().await;
        outcome
            .map(drop)
            .map_err(|error| error.code().unwrap_or_default().to_owned())
    }

    async fn abort(self) {
        let abort = self
            .client
            .abort_multipart_upload()
            .bucket(self.bucket)
            .key(self.key)
            .upload_id(&self.id);
        abort.send().await.unwrap();
    }
}

async fn unfinished(client: &Client, bucket: &str) -> usize {
    client
        .list_multipart_uploads()
        .bucket(bucket)
        .send()
        .await
        .unwrap()
        .uploads()
        .len()
}

#[tokio::test]
async fn objects_are_stored_overwritten_and_deleted() {
    let world = World::start().await;
    let (client, bucket) = (world.s3_client(), world.bucket.as_str());
    let stored = client
        .put_object()
        .bucket(bucket)
        .key("a")
        .metadata("who", "ada")
        .content_type("text/plain");
    stored
        .checksum_algorithm(ChecksumAlgorithm::Sha256)
        .body(b"one".to_vec().into())
        .send()
        .await
        .unwrap();
    let head = client.head_object().bucket(bucket).key("a").send().await.unwrap();
    assert_eq!(
        (head.content_length(), head.content_type()),
        (Some(3), Some("text/plain"))
    );
    assert_eq!(head.metadata().unwrap()["who"], "ada");
    put(&client, bucket, "a", b"two!").await;
    put(&client, bucket, "a/b", b"a key below another").await;
    assert_eq!(get(&client, bucket, "a").await, b"two!");
    client
        .copy_object()
        .bucket(bucket)
        .key("c")
        .copy_source(format!("{bucket}/a"))
        .send()
        .await
        .unwrap();
    assert_eq!(get(&client, bucket, "c").await, b"two!");
    client.delete_object().bucket(bucket).key("a").send().await.unwrap();
    client
        .delete_object()
        .bucket(bucket)
        .key("a")
        .send()
        .await
        .expect("deleting twice is no error");
    let gone = client.get_object().bucket(bucket).key("a").send().await.unwrap_err();
    assert!(gone.into_service_error().is_no_such_key());
    assert_eq!(get(&client, bucket, "a/b").await, b"a key below another");
    let keys = ["a/b", "c"].map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
    let delete = Delete::builder().set_objects(Some(keys.to_vec())).build().unwrap();
    client
        .delete_objects()
        .bucket(bucket)
        .delete(delete)
        .send()
        .await
        .unwrap();
    assert_eq!(
        client
            .list_objects_v2()
            .bucket(bucket)
            .send()
            .await
            .unwrap()
            .key_count(),
        Some(0)
    );
}

#[tokio::test]
async fn what_must_fail_fails() {
    let world = World::start().await;
    let (client, bucket) = (world.s3_client(), world.bucket.as_str());
    let homeless = client
        .put_object()
        .bucket("w-nowhere")
        .key("a")
        .body(b"x".to_vec().into())
        .send()
        .await;
    assert_eq!(homeless.unwrap_err().code(), Some("NoSuchBucket"));
    let wrong = client
        .put_object()
        .bucket(bucket)
        .key("a")
        .checksum_sha256("AAAA")
        .body(b"x".to_vec().into());
    assert!(wrong.send().await.is_err());
    put(&client, bucket, "b", b"first").await;
    let second = client
        .put_object()
        .bucket(bucket)
        .key("b")
        .if_none_match("*")
        .body(b"second".to_vec().into());
    assert_eq!(second.send().await.unwrap_err().code(), Some("PreconditionFailed"));
    assert_eq!(get(&client, bucket, "b").await, b"first");
    let listed = client.list_objects_v2().bucket(bucket).send().await.unwrap();
    assert_eq!(listed.key_count(), Some(1), "nothing is left of what was refused");
    let mut stranger = world.s3.clone();
    stranger.secret_key = "guessed".to_owned();
    let refused = stranger.client().head_bucket().bucket(bucket).send().await.unwrap_err();
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 403);
}

#[tokio::test]
async fn objects_arrive_in_parts_or_not_at_all() {
    let world = World::start().await;
    let (client, bucket, key) = (world.s3_client(), world.bucket.as_str(), "large");
    put(&client, bucket, key, b"an older, smaller one").await;
    let upload = Upload::begin(&client, bucket, key).await;
    let (second, first) = (
        upload.send(2, vec![b'2'; MIB]).await,
        upload.send(1, vec![b'1'; 6 * MIB]).await,
    );
    assert_eq!(unfinished(&client, bucket).await, 1);
    assert_eq!(get(&client, bucket, key).await, b"an older, smaller one");
    upload.complete(vec![first, second]).await.unwrap();
    let body = get(&client, bucket, key).await;
    assert_eq!((body.len(), body[6 * MIB - 1], body[6 * MIB]), (7 * MIB, b'1', b'2'));
    let head = client.head_object().bucket(bucket).key(key).send().await.unwrap();
    assert_eq!(head.content_type(), Some("text/plain"));

    let upload = Upload::begin(&client, bucket, "never").await;
    upload.send(1, vec![b'1'; MIB]).await;
    upload.abort().await;
    assert_eq!(unfinished(&client, bucket).await, 0);
    let gone = client
        .get_object()
        .bucket(bucket)
        .key("never")
        .send()
        .await
        .unwrap_err();
    assert!(gone.into_service_error().is_no_such_key());
}

#[tokio::test]
async fn parts_must_fit_each_other() {
    let world = World::start().await;
    let (client, bucket) = (world.s3_client(), world.bucket.as_str());
    let upload = Upload::begin(&client, bucket, "small").await;
    let parts = vec![
        upload.send(1, vec![b'1'; MIB]).await,
        upload.send(2, vec![b'2'; MIB]).await,
    ];
    assert_eq!(upload.complete(parts).await, Err("EntityTooSmall".to_owned()));
    let upload = Upload::begin(&client, bucket, "unordered").await;
    let (one, two) = (
        upload.send(1, vec![b'1'; 6 * MIB]).await,
        upload.send(2, vec![b'2'; 6 * MIB]).await,
    );
    assert_eq!(
        upload.complete(vec![two, one]).await,
        Err("InvalidPartOrder".to_owned())
    );
    let upload = Upload::begin(&client, bucket, "missing").await;
    let never_sent = CompletedPart::builder().part_number(1).e_tag("\"0\"").build();
    assert_eq!(upload.complete(vec![never_sent]).await, Err("InvalidPart".to_owned()));
}

#[tokio::test]
async fn ranges_are_read() {
    let world = World::start().await;
    let (client, bucket) = (world.s3_client(), world.bucket.as_str());
    put(&client, bucket, "a", b"0123456789").await;
    for (range, expected) in [
        ("bytes=2-4", "234"),
        ("bytes=7-", "789"),
        ("bytes=-2", "89"),
        ("bytes=8-99", "89"),
    ] {
        let answer = client
            .get_object()
            .bucket(bucket)
            .key("a")
            .range(range)
            .send()
            .await
            .unwrap();
        assert!(answer.content_range().unwrap().ends_with("/10"));
        assert_eq!(
            answer.body.collect().await.unwrap().to_vec(),
            expected.as_bytes(),
            "{range}"
        );
    }
    let beyond = client
        .get_object()
        .bucket(bucket)
        .key("a")
        .range("bytes=10-")
        .send()
        .await
        .unwrap_err();
    assert_eq!(beyond.code(), Some("InvalidRange"));
    put(&client, bucket, "empty", b"").await;
    assert_eq!(get(&client, bucket, "empty").await, b"");
}

#[tokio::test]
async fn listings_have_prefixes_and_pages() {
    let world = World::start().await;
    let (client, bucket) = (world.s3_client(), world.bucket.as_str());
    let long = format!("texts/0001/{}/{}.txt", "c".repeat(64), "f".repeat(64));
    for key in ["documents/1", "documents/2", "documents/3", "other", &long] {
        put(&client, bucket, key, key.as_bytes()).await;
    }
    let pages = client
        .list_objects_v2()
        .bucket(bucket)
        .prefix("documents/")
        .max_keys(2)
        .into_paginator()
        .send();
    let pages: Vec<_> = pages.collect::<Result<_, _>>().await.unwrap();
    let keys: Vec<Vec<_>> = pages
        .iter()
        .map(|page| page.contents().iter().filter_map(|o| o.key()).collect())
        .collect();
    assert_eq!(keys, [vec!["documents/1", "documents/2"], vec!["documents/3"]]);
    let folders = client
        .list_objects_v2()
        .bucket(bucket)
        .delimiter("/")
        .send()
        .await
        .unwrap();
    let names: Vec<_> = folders
        .common_prefixes()
        .iter()
        .filter_map(|prefix| prefix.prefix())
        .collect();
    assert_eq!(names, ["documents/", "texts/"]);
    assert_eq!(get(&client, bucket, &long).await, long.as_bytes());
}
