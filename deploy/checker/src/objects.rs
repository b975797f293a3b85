//! The objects of the bucket: every document and text, with the hash of its content.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use aws_sdk_s3::Client;
use futures::{StreamExt as _, TryStreamExt as _};
use sha2::{Digest as _, Sha256};

/// Objects read at a time.
const READS_AT_ONCE: usize = 16;
/// Prefixes of the keys of client data.
const PREFIXES: [&str; 2] = ["documents/", "texts/"];

/// Keys, each with the SHA-256 of its object in hex.
pub type Objects = BTreeMap<String, String>;

/// Lists and reads all objects of client data.
pub async fn read(s3: &Client, bucket: &str) -> Result<Objects> {
    let mut keys = Vec::new();
    for prefix in PREFIXES {
        let mut pages = s3
            .list_objects_v2()
            .bucket(bucket)
            .prefix(prefix)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.context("list the bucket")?;
            keys.extend(
                page.contents()
                    .iter()
                    .filter_map(|object| object.key().map(str::to_owned)),
            );
        }
    }
    let reads = keys.into_iter().map(|key| async {
        let object = s3.get_object().bucket(bucket).key(&key).send().await;
        let object = object.with_context(|| format!("read {key}"))?;
        let bytes = object.body.collect().await.with_context(|| format!("read {key}"))?;
        Ok((key, hex(&Sha256::digest(bytes.into_bytes()))))
    });
    futures::stream::iter(reads)
        .buffer_unordered(READS_AT_ONCE)
        .try_collect()
        .await
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
