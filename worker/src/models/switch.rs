//! Changes the current version of a model.

use anyhow::Context as _;
use docket_contract::model::Current;
use docket_objects::BlobStore;

use crate::models::stored;
use docket_engine::release::Release;

/// Makes a version of the bucket the current version.
pub async fn switch(blobs: &BlobStore, model: &Release) -> anyhow::Result<String> {
    let found = stored::manifest(blobs, model).await?;
    found.with_context(|| format!("{model} is not in the bucket"))?;
    let before = stored::current(blobs, &model.name).await?;
    let current = Current {
        version: model.version.clone(),
    };
    docket_objects::set_current(blobs, &model.name, &current).await?;
    Ok(match before {
        Some(before) => format!("current: {model}; before it was {before}"),
        None => format!("current: {model}"),
    })
}
