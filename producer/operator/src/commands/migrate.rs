//! `docket-producer migrate`: brings the catalog and every shard to this release's schema.

use docket_process::settings::Env;
use docket_store::StoreConfig;
use docket_store::shards::migrate;

/// Migrates everything that is configured. Idempotent; may run while services of the last release run.
pub async fn run(env: &Env) -> anyhow::Result<()> {
    let config = StoreConfig::from_env(env)?;
    migrate::all(&config).await?;
    let shards: Vec<&str> = config.shards.iter().map(|(name, _)| name.as_str()).collect();
    println!("migrated: catalog, {}", shards.join(", "));
    Ok(())
}
