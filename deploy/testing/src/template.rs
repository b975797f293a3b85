//! Databases with the newest schema, copied for every world: a copy takes a tenth of the time of migrating.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use docket_store::StoreConfig;
use docket_store::shards::migrate;
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

use crate::checkout;
use docket_local::info::StackInfo;
use docket_local::postgres::{Admin, Endpoint, Login};

/// Number of the lock under which templates are made; chosen freely.
const LOCK: i64 = 7_340_001;
/// Bytes of the hash that names a template.
const HASH_BYTES: usize = 6;

/// Folder of the migrations that make a template.
const MIGRATIONS: &str = "shared/store/migrations";
const GRANTS: &str = "shared/store/src/shards/grants.rs";

/// Templates that this process knows to exist.
static READY: Mutex<Option<HashSet<String>>> = Mutex::const_new(None);

/// One database of a set: its cluster, and its name without the set's prefix.
pub struct Place<'a> {
    /// `catalog`, or the name of a shard.
    pub name: String,
    /// Cluster that holds the database.
    pub cluster: &'a Endpoint,
}

/// Places of the catalog and this many shards, spread over the stack's clusters.
pub fn places(info: &StackInfo, shards: usize) -> Vec<Place<'_>> {
    let catalog = Place {
        name: "catalog".to_owned(),
        cluster: &info.catalog,
    };
    let shards = info.shards.iter().cycle().take(shards).enumerate();
    let shards = shards.map(|(index, cluster)| Place {
        name: format!("s{}", index + 1),
        cluster,
    });
    std::iter::once(catalog).chain(shards).collect()
}

/// Makes templates for this many shards unless they exist; returns the prefix of their names.
pub async fn ensure(info: &StackInfo, shards: usize) -> Result<String> {
    let prefix = format!(
        "t_{}_{shards}",
        fingerprint(&[MIGRATIONS, GRANTS].map(|path| checkout().root().join(path)))?
    );
    let mut ready = READY.lock().await;
    let ready = ready.get_or_insert_default();
    if !ready.contains(&prefix) {
        make(info, shards, &prefix).await.context("make template databases")?;
        ready.insert(prefix.clone());
    }
    Ok(prefix)
}

async fn make(info: &StackInfo, shards: usize, prefix: &str) -> Result<()> {
    let mut admins = HashMap::new();
    for cluster in info.clusters() {
        admins.insert(cluster.port, Admin::connect(cluster, "postgres").await?);
    }
    let catalog = admins.get_mut(&info.catalog.port).context("a stack has a catalog")?;
    catalog.lock(LOCK).await?; // Held until the connection closes at the end of this function.
    if catalog.exists(&format!("{prefix}_catalog")).await? {
        return Ok(());
    }
    for admin in admins.values_mut() {
        for outdated in [admin.databases("t_").await?, admin.databases("draft_").await?].concat() {
            if !outdated.starts_with(&prefix[..prefix.len() - 1]) {
                admin.drop(&outdated).await?;
            }
        }
    }
    let draft = format!("draft_{prefix}");
    let places = places(info, shards);
    for place in &places {
        let admin = admins.get_mut(&place.cluster.port).context("a place is on a cluster")?;
        admin.create(&format!("{draft}_{}", place.name)).await?;
    }
    migrate::all(&config(&places, &draft)).await?;
    // The catalog's template is made last: where it exists, all do.
    for place in places.iter().rev() {
        let admin = admins.get_mut(&place.cluster.port).context("a place is on a cluster")?;
        admin
            .rename(&format!("{draft}_{}", place.name), &format!("{prefix}_{}", place.name))
            .await?;
    }
    Ok(())
}

fn config(places: &[Place<'_>], prefix: &str) -> StoreConfig {
    let mut urls = places.iter().map(|place| {
        (
            place.name.clone(),
            Login::Owner.url(&place.cluster.url(&format!("{prefix}_{}", place.name))),
        )
    });
    let catalog_url = urls.next().map(|(_, url)| url).unwrap_or_default();
    StoreConfig {
        catalog_url,
        shards: urls.collect(),
        pooler: false,
        connections_max: 2,
        roots: None,
    }
}

/// A hash of the contents of files and folders.
fn fingerprint(paths: &[PathBuf]) -> Result<String> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, &mut files)?;
    }
    files.sort();
    let mut hash = Sha256::new();
    for (name, content) in files {
        hash.update(name.len().to_le_bytes());
        hash.update(name.as_bytes());
        hash.update(content.len().to_le_bytes());
        hash.update(content);
    }
    Ok(hash
        .finalize()
        .iter()
        .take(HASH_BYTES)
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

fn collect(path: &Path, files: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    if !path.is_dir() {
        let content = fs::read(path).with_context(|| format!("read {}", path.display()))?;
        files.push((path.to_string_lossy().into_owned(), content));
        return Ok(());
    }
    for entry in fs::read_dir(path).with_context(|| format!("list {}", path.display()))? {
        collect(&entry?.path(), files)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_of_names_and_contents() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("shard")).unwrap();
        fs::write(folder.path().join("shard/1.sql"), "a").unwrap();
        let first = fingerprint(&[folder.path().to_owned()]).unwrap();
        assert_eq!(fingerprint(&[folder.path().to_owned()]).unwrap(), first);
        fs::write(folder.path().join("shard/1.sql"), "b").unwrap();
        let changed = fingerprint(&[folder.path().to_owned()]).unwrap();
        fs::rename(folder.path().join("shard/1.sql"), folder.path().join("shard/2.sql")).unwrap();
        let renamed = fingerprint(&[folder.path().to_owned()]).unwrap();
        assert!(first != changed && changed != renamed);
    }
}
