//! How many workers there should be: the arithmetic of KEDA and of Kubernetes' HorizontalPodAutoscaler, with the numbers of the
//! manifests in `deploy/k8s`. Pure.
//!
//! The HorizontalPodAutoscaler's tolerance of a tenth is left out: it matters only where many things are scaled.

use std::collections::VecDeque;
use std::time::Duration;

/// Scale-out in this time: at most to twice as many workers, or by four if that is more.
const SCALE_OUT_PERIOD: Duration = Duration::from_secs(15);
/// Workers that may be added in a [`SCALE_OUT_PERIOD`], even if they more than double the number.
const SCALE_OUT_WORKERS: u32 = 4;
/// Scale-out waits until more workers were wanted for this part of the stabilisation window: half a minute of five.
const SCALE_OUT_WINDOWS: u32 = 10;
/// Scale-in in this part of the stabilisation window (a minute of five): at most a tenth of the workers, or one.
const SCALE_IN_PERIODS: u32 = 5;
/// The part of the workers that each [`SCALE_IN_PERIODS`]th of the window keeps.
const SCALE_IN_KEEPS: f64 = 0.9;

/// The work to do; a field is `None` while its source does not answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signal {
    /// Messages of the model queues, ready or with a worker and unacknowledged.
    pub messages: Option<u64>,
    /// Seconds that one worker would take for all the work.
    pub work_seconds: Option<f64>,
}

/// What the number of workers is computed from.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Fewest workers, even without work.
    pub min: u32,
    /// Limit of workers, even with more work.
    pub max: u32,
    /// Messages for which one worker is wanted.
    pub messages_a_worker: f64,
    /// Seconds of work for which one worker is wanted.
    pub seconds_a_worker: f64,
    /// Time over which scale-in looks back: the highest number wanted in this time is kept.
    pub stabilisation: Duration,
}

impl Policy {
    /// Workers wanted: enough for the messages and for the work. `None` if neither is known.
    pub fn wanted(&self, signal: Signal) -> Option<u32> {
        let by_messages = signal.messages.map(|messages| messages as f64 / self.messages_a_worker);
        let by_work = signal.work_seconds.map(|seconds| seconds / self.seconds_a_worker);
        let most = by_messages.into_iter().chain(by_work).reduce(f64::max)?;
        Some((most.ceil() as u32).clamp(self.min, self.max))
    }
}

/// Decides repeatedly, and remembers what limits the next decision. Times are counted from any fixed moment.
#[derive(Debug)]
pub struct Autoscaler {
    policy: Policy,
    /// Numbers of workers that were wanted, each with its time.
    wanted: VecDeque<(Duration, u32)>,
    /// Numbers of workers that were added or, below 0, removed, each with its time.
    changes: VecDeque<(Duration, i64)>,
}

impl Autoscaler {
    /// An autoscaler before its first decision: the running workers count as wanted.
    pub fn new(policy: Policy, now: Duration, workers: u32) -> Self {
        Self {
            policy,
            wanted: VecDeque::from([(now, workers)]),
            changes: VecDeque::new(),
        }
    }

    /// The number of workers that there should be now, when there are `workers`.
    pub fn decide(&mut self, now: Duration, workers: u32, signal: Signal) -> u32 {
        let is_whole = signal.messages.is_some() && signal.work_seconds.is_some();
        let mut wanted = self.policy.wanted(signal).unwrap_or(workers);
        if !is_whole {
            // The unknown part of the work may need every running worker.
            wanted = wanted.max(workers);
        }
        let window = self.policy.stabilisation;
        self.wanted.push_back((now, wanted));
        self.wanted.retain(|(at, _)| *at + window >= now);
        let highest = self.wanted.iter().map(|(_, wanted)| *wanted).max().unwrap_or(wanted);
        let lately = self
            .wanted
            .iter()
            .filter(|(at, _)| *at + window / SCALE_OUT_WINDOWS >= now);
        let lowest = lately.map(|(_, wanted)| *wanted).min().unwrap_or(wanted);
        let next = if workers == 0 {
            wanted.min(self.policy.min.max(1))
        } else if lowest > workers {
            lowest.min(self.scale_out_limit(now, workers))
        } else {
            highest.max(self.scale_in_limit(now, workers)).min(workers)
        };
        // The first worker counts as no change: KEDA wakes a pool, and the HorizontalPodAutoscaler scales it.
        if next != workers && workers > 0 {
            self.changes.push_back((now, i64::from(next) - i64::from(workers)));
        }
        self.changes.retain(|(at, _)| *at + window.max(SCALE_OUT_PERIOD) >= now);
        next
    }

    fn scale_out_limit(&self, now: Duration, workers: u32) -> u32 {
        let added = self.changed(now, SCALE_OUT_PERIOD, |change| change > 0);
        let before = workers.saturating_sub(added);
        (2 * before).max(before + SCALE_OUT_WORKERS).max(workers)
    }

    fn scale_in_limit(&self, now: Duration, workers: u32) -> u32 {
        let period = self.policy.stabilisation / SCALE_IN_PERIODS;
        let before = workers + self.changed(now, period, |change| change < 0);
        (f64::from(before) * SCALE_IN_KEEPS) as u32
    }

    /// Workers that were added or removed lately; `way` picks which.
    fn changed(&self, now: Duration, within: Duration, way: impl Fn(i64) -> bool) -> u32 {
        let lately = self
            .changes
            .iter()
            .filter(|(at, change)| *at + within > now && way(*change));
        let sum: u64 = lately.map(|(_, change)| change.unsigned_abs()).sum();
        u32::try_from(sum).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy {
        min: 0,
        max: 100,
        messages_a_worker: 1.0,
        seconds_a_worker: 10.0,
        stabilisation: Duration::from_secs(300),
    };

    fn signal(messages: u64, work_seconds: f64) -> Signal {
        Signal {
            messages: Some(messages),
            work_seconds: Some(work_seconds),
        }
    }

    /// Decides every 15 s, from 15 s on, and carries each decision out at once.
    fn course(policy: Policy, workers: u32, signals: &[Signal]) -> Vec<u32> {
        let mut autoscaler = Autoscaler::new(policy, Duration::ZERO, workers);
        let mut now = Duration::ZERO;
        let mut workers = workers;
        let decide = |signal: &Signal| {
            now += Duration::from_secs(15);
            workers = autoscaler.decide(now, workers, *signal);
            workers
        };
        signals.iter().map(decide).collect()
    }

    #[test]
    fn as_many_are_wanted_as_messages_or_work_ask_for() {
        let golden = [
            ((0, 0.0), 0),
            ((0, 0.01), 1),
            ((1, 0.0), 1),
            ((1, 10.0), 1),
            ((2, 10.0), 2),
            ((1, 10.1), 2),
            ((10, 31.0), 10),
            ((10, 310.0), 31),
            ((0, 1e12), 100),
            ((u64::MAX, 0.0), 100),
        ];
        for ((messages, seconds), wanted) in golden {
            assert_eq!(
                POLICY.wanted(signal(messages, seconds)),
                Some(wanted),
                "{messages} {seconds}"
            );
        }
        let kept = Policy {
            min: 2,
            max: 5,
            ..POLICY
        };
        assert_eq!(kept.wanted(signal(0, 0.0)), Some(2));
        assert_eq!(kept.wanted(signal(0, 1e6)), Some(5));
    }

    #[test]
    fn scaling_out_begins_with_one_and_soon_doubles_or_adds_four() {
        let flood = [signal(16, 1e6); 8];
        assert_eq!(course(POLICY, 0, &flood), [1, 1, 5, 10, 20, 40, 80, 100]);
        let kept = Policy { min: 3, ..POLICY };
        assert_eq!(course(kept, 0, &flood[..4]), [3, 3, 7, 14]);
        // The workers that were added in the same 15 s count.
        let hasty = Policy {
            stabilisation: Duration::ZERO,
            ..POLICY
        };
        let mut autoscaler = Autoscaler::new(hasty, Duration::ZERO, 4);
        for (second, workers, decided) in [(1, 4, 8), (2, 8, 8), (15, 8, 8), (17, 8, 16), (18, 16, 16)] {
            let decision = autoscaler.decide(Duration::from_secs(second), workers, flood[0]);
            assert_eq!(decision, decided, "after {second} s");
        }
    }

    #[test]
    fn what_is_over_in_half_a_minute_starts_no_second_worker() {
        let signals = [
            signal(0, 0.0),
            signal(9, 0.0),
            signal(9, 0.0),
            signal(1, 0.0),
            signal(9, 0.0),
        ];
        assert_eq!(course(POLICY, 1, &signals), [1; 5]);
    }

    #[test]
    fn scaling_in_waits_for_the_window_and_takes_a_tenth_a_minute() {
        let mut quiet = vec![signal(100, 0.0)];
        quiet.extend([signal(0, 0.0); 40]);
        let course = course(POLICY, 100, &quiet);
        // 100 are wanted at 15 s: they are kept for five minutes.
        assert_eq!(course[..21], [100; 21]);
        assert_eq!(course[21..34], [90, 90, 90, 90, 81, 81, 81, 81, 72, 72, 72, 72, 64]);
    }

    #[test]
    fn a_pool_falls_asleep_step_by_step_and_wakes_at_once() {
        let short = Policy {
            stabilisation: Duration::from_secs(60),
            ..POLICY
        };
        let mut signals = vec![signal(0, 0.0); 8];
        signals.push(signal(1, 0.3));
        assert_eq!(course(short, 3, &signals), [3, 3, 3, 3, 2, 1, 0, 0, 1]);
    }

    #[test]
    fn a_burst_in_the_window_stops_scaling_in() {
        let mut signals = vec![signal(0, 0.0); 20];
        signals.push(signal(3, 0.0));
        signals.extend([signal(0, 0.0); 20]);
        let course = course(POLICY, 3, &signals);
        assert!(course.iter().all(|workers| *workers == 3), "{course:?}");
    }

    #[test]
    fn what_is_not_known_takes_no_worker_away_and_hides_no_reason_for_more() {
        let blind = Signal {
            messages: None,
            work_seconds: None,
        };
        let half = Signal {
            messages: None,
            work_seconds: Some(60.0),
        };
        let less = Signal {
            messages: Some(1),
            work_seconds: None,
        };
        let mut signals = vec![blind; 30];
        signals.extend([half, half, half, less]);
        let course = course(POLICY, 3, &signals);
        assert_eq!(course[29..], [3, 3, 3, 6, 6]);
    }
}
