//! Keys of jobs that one transaction handles: their buckets for the fence, their columns for a statement.

use std::collections::BTreeSet;

use docket_contract::ids::{Bucket, JobKey};
use uuid::Uuid;

use crate::shards::fence::FENCE_BUCKETS_MAX;

/// The first keys, as many as have at most [`FENCE_BUCKETS_MAX`] buckets together.
pub fn fit_fence(keys: &[JobKey]) -> &[JobKey] {
    let mut buckets = BTreeSet::new();
    let fits = keys.iter().take_while(|key| {
        buckets.insert(key.bucket);
        buckets.len() <= FENCE_BUCKETS_MAX
    });
    &keys[..fits.count()]
}

/// The keys' buckets, each once and in order.
pub(crate) fn buckets_of(keys: &[JobKey]) -> Vec<Bucket> {
    keys.iter()
        .map(|key| key.bucket)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// Buckets and jobs of those keys whose bucket is owned, as two columns for `unnest`.
pub(crate) fn columns(keys: &[JobKey], owned: &[Bucket]) -> (Vec<i16>, Vec<Uuid>) {
    let owned = keys.iter().filter(|key| owned.contains(&key.bucket));
    owned.map(|key| (key.bucket.number(), key.job.0)).unzip()
}
