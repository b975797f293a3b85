//! A folder's manifest, made to say what is in the folder.

use std::path::Path;

use anyhow::Context as _;

use crate::infer::manifest::{About, MANIFEST_FILE, Manifest};
use crate::release::Release;

/// Takes what the author says from the folder's manifest, and sizes and hashes from its files. Blocks for as long as
/// reading them takes.
pub fn seal(folder: &Path) -> anyhow::Result<Release> {
    let path = folder.join(MANIFEST_FILE);
    let json = std::fs::read(&path).with_context(|| format!("read {}", path.display()))?;
    let about: About = serde_json::from_slice(&json).with_context(|| format!("understand {}", path.display()))?;
    let manifest = Manifest::for_folder(folder, about)?;
    std::fs::write(&path, manifest.to_json()).with_context(|| format!("write {}", path.display()))?;
    Ok(manifest.release())
}
