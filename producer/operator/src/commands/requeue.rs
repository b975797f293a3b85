//! `docket-producer dispatch requeue`: after a broker lost its data, sets every published job waiting at once. Without it the
//! sweeper takes ten minutes.

use anyhow::bail;
use docket_process::settings::Env;

use crate::actions::names;
use crate::commands::operations;

/// Requeues on every shard that answers, and names the others.
pub async fn run(env: &Env) -> anyhow::Result<()> {
    let done = operations(env).await?.requeue().await?;
    for (shard, jobs) in &done.requeued {
        println!("{shard}: {jobs} jobs wait again");
    }
    if !done.unreached.is_empty() {
        bail!(
            "these shards could not be told: {}; repeat the command once they answer",
            names(&done.unreached)
        );
    }
    Ok(())
}
