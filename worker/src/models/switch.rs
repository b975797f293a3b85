//! Which version is the current one.

use anyhow::Context as _;
use docket_shared::blob::BlobStore;
use docket_shared::model::{self, Current};

use super::stored;
use crate::release::Release;

/// Makes a version of the bucket the current one.
pub async fn switch(blobs: &BlobStore, model: &Release) -> anyhow::Result<String> {
    let found = stored::manifest(blobs, model).await?;
    found.with_context(|| format!("{model} is not in the bucket"))?;
    let before = stored::current(blobs, &model.name).await?;
    let current = Current {
        version: model.version.clone(),
    };
    model::set_current(blobs, &model.name, &current).await?;
    Ok(match before {
        Some(before) => format!("current: {model}; before it was {before}"),
        None => format!("current: {model}"),
    })
}
