#![doc = include_str!("../README.md")]

pub mod backlog;
pub mod dispatcher;
pub mod fair_share;
pub mod handover;
pub mod images;
mod open_work;
mod orphans;
mod sweep;
mod ticks;
pub mod undeliverable;

use std::sync::Arc;

use docket_process::metrics;
use docket_process::shutdown::Shutdown;
use tokio::sync::watch;

use dispatcher::Dispatcher;
use sweep::Sweeper;
use ticks::Acting;

/// Starts two tasks for each shard: one dispatches, one repairs.
pub fn start(dispatcher: &Arc<Dispatcher>, shutdown: &Shutdown) {
    for (name, shard) in dispatcher.shards.all() {
        metrics::acting(name.as_str(), false);
        let acts = watch::Sender::new(false);
        let sweeper = Sweeper::new(dispatcher.clone(), name.clone(), shard.clone());
        shutdown.spawn(sweeper.run(acts.subscribe(), shutdown.clone()));
        let acting = Acting::new(dispatcher.clone(), (name.clone(), shard.clone()), acts);
        shutdown.spawn(acting.run(shutdown.clone()));
    }
}
