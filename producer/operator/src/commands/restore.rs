//! `docket-producer restore`: finds the rows and objects that a restore of a shard or of the bucket left without their other
//! half.

use clap::{Args, Subcommand};
use docket_contract::ids::ShardName;
use docket_objects::{BlobConfig, BlobStore};
use docket_process::settings::Env;
use docket_store::{Shards, StoreConfig};

use crate::actions::OperateError;
use crate::actions::restore::{self, Comparison, Lost, Missing};
use crate::commands::table::{table, time};
use crate::commands::{operations, print_json};

/// What to do after a restore.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List documents whose rows a shard has lost, and documents whose objects are gone. Reads every row and every key of the
    /// shard's documents.
    Check(Check),
    /// Give up the documents that `check` lists as forgotten. The sweeper removes their objects like all
    /// objects without a row.
    Settle {
        /// The shard.
        #[arg(long)]
        shard: ShardName,
    },
}

/// What to compare.
#[derive(Debug, Args)]
pub struct Check {
    /// The shard whose rows are compared with the bucket.
    #[arg(long)]
    shard: ShardName,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Compares a shard with the bucket, or settles its gaps.
pub async fn run(env: &Env, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Check(check) => self::check(env, &check).await,
        Command::Settle { shard } => {
            let settled = operations(env).await?.settle(&shard).await?;
            let gaps = settled.ok_or_else(|| no_shard(&shard))?;
            println!("{gaps} gaps settled on {shard}");
            Ok(())
        }
    }
}

fn no_shard(shard: &ShardName) -> OperateError {
    OperateError::NoSuch(format!("there is no shard {shard} in DOCKET_SHARD_URLS"))
}

async fn check(env: &Env, check: &Check) -> anyhow::Result<()> {
    let shards = Shards::connect(&StoreConfig::from_env(env)?).await?;
    let shard = &check.shard;
    shards.shard(shard).ok_or_else(|| no_shard(shard))?;
    let blobs = BlobStore::connect(&BlobConfig::from_env(env)?).await;
    let comparison = restore::compare(&shards, &blobs, shard).await?;
    if check.json {
        return print_json(&comparison);
    }
    print(shard, &comparison);
    Ok(())
}

fn print(shard: &ShardName, comparison: &Comparison) {
    for (began, ended) in &comparison.gaps {
        println!("{shard} knows nothing of {} to {}", time(*began), time(*ended));
    }
    let (forgotten, others): (Vec<_>, Vec<_>) = comparison.lost.iter().partition(|lost| lost.forgotten);
    println!("{} documents are forgotten: uploaded, without a row", forgotten.len());
    if !forgotten.is_empty() {
        let rows: Vec<_> = forgotten.iter().map(|lost| row(lost)).collect();
        println!(
            "{}",
            table(["client", "external id", "document", "bytes", "stored"], &rows)
        );
    }
    println!("{} documents have lost their object", comparison.missing.len());
    if !comparison.missing.is_empty() {
        let rows: Vec<_> = comparison.missing.iter().map(row_of_missing).collect();
        println!(
            "{}",
            table(["client", "external id", "document", "state", "accepted"], &rows)
        );
    }
    if !others.is_empty() {
        println!(
            "{} other objects have no row: uploads under way, or never accepted and swept after a day",
            others.len()
        );
    }
}

fn row(lost: &Lost) -> [String; 5] {
    [
        lost.client_id.to_string(),
        lost.external_id.clone().unwrap_or_default(),
        lost.document_id.to_string(),
        lost.bytes.to_string(),
        time(lost.stored_at),
    ]
}

fn row_of_missing(missing: &Missing) -> [String; 5] {
    [
        missing.client_id.to_string(),
        missing.external_id.clone().unwrap_or_default(),
        missing.document_id.to_string(),
        missing.state.clone(),
        time(missing.accepted_at),
    ]
}
