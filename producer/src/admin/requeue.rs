//! `docket-producer dispatch requeue`: after a broker has lost its data, sets every published job waiting at once, instead
//! of after the sweeper's ten minutes.

use docket_shared::config::Env;
use docket_shared::store::{Shards, StoreConfig, sweep};

/// Requeues on every shard. Safe at any time: a message that was not lost after all finds its job taken.
pub async fn run(env: &Env) -> anyhow::Result<()> {
    let shards = Shards::connect(&StoreConfig::from_env(env)?).await?;
    for (name, shard) in shards.all() {
        let before = sweep::now(shard).await?;
        let mut requeued = 0;
        loop {
            let rows = sweep::published_before(shard, before).await?;
            requeued += rows;
            if rows == 0 {
                break;
            }
        }
        println!("{name}: {requeued} jobs wait again");
    }
    Ok(())
}
