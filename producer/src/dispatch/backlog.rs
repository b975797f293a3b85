//! What there is on a shard that has not ended, in jobs, bytes and seconds of work: for operators, for uploads that are
//! refused when it is too much, and for autoscaling.
//!
//! Only who acts for a shard counts it. All others say 0, so that the maximum over the processes is what there is, and the
//! sum of that over shards and models is all of it.

use std::collections::{BTreeSet, HashMap};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use docket_shared::ids::ShardName;
use docket_shared::store::backlog::{self, Backlog, Pace};
use docket_shared::store::{Database, StoreError, reports};
use docket_shared::{metrics, telemetry};

use super::plan::{BYTES_A_TOKEN, TOKENS_PER_SECOND_ASSUMED};

/// How much longer than a count took the next one is not begun.
const COUNT_FACTOR: u32 = 20;
/// The longest pause between two counts: uploads are accepted or refused by the last one, and a large backlog takes long to
/// count.
const COUNT_PAUSE_MAX: Duration = Duration::from_secs(60);
/// What one document counts, in seconds. At most as much as the autoscaler gives one worker to do: however large, it keeps
/// one worker busy and no other. At least what fetching and writing take, so that no work ever counts nothing.
pub(super) const DOCUMENT_SECONDS: RangeInclusive<f64> = 0.01..=10.0;

/// Counts one shard.
pub struct Counter {
    catalog: Database,
    name: ShardName,
    shard: Database,
    /// Tokens a second of one worker, by model, as the catalog said last.
    speeds: HashMap<String, f64>,
    due: Instant,
    /// Models that the metrics of this process speak of.
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

    /// Counts; a large backlog less often, so that counting takes at most a twentieth of the time, up to a pause of a minute.
    pub async fn count(&mut self) -> Result<(), StoreError> {
        if Instant::now() < self.due {
            return Ok(());
        }
        match reports::speeds(&self.catalog).await {
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

    /// Another process acts for the shard: its figures hold, and none of this one's.
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

/// How long nothing is counted after a count that took so long.
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
