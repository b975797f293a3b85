//! Seals a folder: makes its manifest say which files it has.

use std::path::Path;

use anyhow::Context as _;

use docket_engine::infer::manifest::{About, MANIFEST_FILE, Manifest};
use docket_engine::release::Release;

/// Keeps what the author wrote in the folder's manifest, and adds the sizes and hashes of its files. Blocks while it reads the
/// files.
pub fn seal(folder: &Path) -> anyhow::Result<Release> {
    let path = folder.join(MANIFEST_FILE);
    let json = std::fs::read(&path).with_context(|| format!("read {}", path.display()))?;
    let about: About = serde_json::from_slice(&json).with_context(|| format!("understand {}", path.display()))?;
    let manifest = Manifest::for_folder(folder, about)?;
    std::fs::write(&path, manifest.to_json()).with_context(|| format!("write {}", path.display()))?;
    Ok(manifest.release())
}
