//! Counts the open jobs of a shard, in jobs, bytes and seconds of work. Operators watch these figures, uploads are refused by
//! them, and autoscaling follows them.
//!
//! Only the process that acts for a shard counts. All other processes say 0: the maximum over the processes is a shard's figure,
//! and the sum of these maxima over shards and models is the whole backlog.

use std::collections::{BTreeSet, HashMap};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use docket_contract::ids::ShardName;
use docket_process::{metrics, telemetry};
use docket_store::operate::activity;
use docket_store::work::backlog::{self, Backlog, Pace};
use docket_store::{Database, StoreError};

use crate::fair_share::{BYTES_A_TOKEN, TOKENS_PER_SECOND_ASSUMED};

/// The pause after a count, as a multiple of the time that the count took.
const COUNT_FACTOR: u32 = 20;
/// Longest pause between two counts. A large backlog takes long to count, but uploads are accepted or refused by the last count.
const COUNT_PAUSE_MAX: Duration = Duration::from_secs(60);
/// Seconds of work that one document counts. The maximum is what the autoscaler gives one worker: a document of any size keeps
/// one worker busy and no other. The minimum is what fetching and writing take: no document counts nothing.
pub(super) const DOCUMENT_SECONDS: RangeInclusive<f64> = 0.01..=10.0;

/// Counts one shard.
pub struct Counter {
    catalog: Database,
    name: ShardName,
    shard: Database,
    /// Tokens a second of one worker, by model, as last read from the catalog.
    speeds: HashMap<String, f64>,
    due: Instant,
    /// Models whose metrics this process has set.
    counted: BTreeSet<String>,
}

impl Counter {
    /// A counter that has not counted yet.
    pub fn new(catalog: Database, name: ShardName, shard: Database) -> Self {
        Self {
            catalog,
            name,
            shard,
            speeds: HashMap::new(),
            due: Instant::now(),
            counted: BTreeSet::new(),
        }
    }

    /// Counts if a count is due. Counting takes at most a twentieth of the time, while the pause is below its maximum of a
    /// minute.
    pub async fn count(&mut self) -> Result<(), StoreError> {
        if Instant::now() < self.due {
            return Ok(());
        }
        match activity::speeds(&self.catalog).await {
            Ok(speeds) => self.speeds = speeds,
            Err(error) => tracing::warn!(
                error = telemetry::chain(&error),
                "counting without the catalog's figures"
            ),
        }
        let began = Instant::now();
        let found = backlog::count(&self.shard, &pace(&self.speeds)).await?;
        self.due = Instant::now() + pause_after(began.elapsed());
        let named = found.iter().map(|of| of.model.clone());
        let models: BTreeSet<String> = named.chain(self.speeds.keys().cloned()).collect();
        for model in self.counted.union(&models) {
            let speed = self.speeds.get(model).copied().unwrap_or(TOKENS_PER_SECOND_ASSUMED);
            self.say(model, found.iter().find(|of| of.model == *model), speed);
        }
        self.counted = models;
        Ok(())
    }

    /// Sets this process's figures to 0: another process acts for the shard.
    pub fn stand_by(&mut self) {
        for model in std::mem::take(&mut self.counted) {
            self.say(&model, None, 0.0);
        }
        self.due = Instant::now();
    }

    fn say(&self, model: &str, of: Option<&Backlog>, tokens_per_second: f64) {
        let (jobs, bytes) = of.map_or((0.0, 0.0), |of| (of.jobs as f64, of.bytes as f64));
        let (oldest, work) = of.map_or((0.0, 0.0), |of| (of.oldest_seconds, of.work_seconds));
        metrics::backlog(self.name.as_str(), model, (jobs, bytes, oldest));
        metrics::work_waiting(self.name.as_str(), model, work);
        metrics::worker_speed(model, tokens_per_second);
    }
}

/// The pause after a count that took this long.
fn pause_after(took: Duration) -> Duration {
    took.saturating_mul(COUNT_FACTOR).min(COUNT_PAUSE_MAX)
}

fn pace(speeds: &HashMap<String, f64>) -> Pace {
    Pace {
        bytes_per_second: speeds
            .iter()
            .map(|(model, speed)| (model.clone(), speed * BYTES_A_TOKEN))
            .collect(),
        otherwise: TOKENS_PER_SECOND_ASSUMED * BYTES_A_TOKEN,
        document_seconds: DOCUMENT_SECONDS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_backlog_is_counted_less_often_but_every_minute() {
        let (quick, slow) = (Duration::from_millis(10), Duration::from_secs(20));
        assert_eq!(pause_after(quick), Duration::from_millis(200));
        assert_eq!(pause_after(slow), Duration::from_secs(60));
    }
}
