//! How much is published, and whose. Pure.
//!
//! About one second of work is with the broker and the workers: enough that no worker idles, little enough that the shards
//! still decide who is next.

use std::collections::HashMap;

use docket_shared::ids::{ClientId, JobKey};
use docket_shared::queue::PREFETCH;
use docket_shared::store::dispatch::Candidate;

/// Seconds of work kept with the broker and the workers, beside what keeps their steps busy.
const SECONDS_IN_FLIGHT: f64 = 1.0;
/// Jobs a worker has in its hands whatever its speed: while the model reads one, others are fetched and written.
const JOBS_A_WORKER_MIN: f64 = 2.0;
/// The most: a quarter of the places in a worker's hands is left to clients that come new, whose jobs would else wait in
/// the queue until another job is done.
const JOBS_A_WORKER_MAX: u16 = PREFETCH - PREFETCH / 4;
/// What a worker reads in a second while none has ever said, in tokens: less than half of what one core reaches with the
/// default model, since a worker too many is a smaller mistake than one too few.
pub const TOKENS_PER_SECOND_ASSUMED: f64 = 2_000.0;
/// Messages kept ready while nobody consumes: a first worker finds something at once.
const READY_WITHOUT_CONSUMERS: u32 = 16;
/// Bytes of plain text that make one token, roughly: the default model reads 4.4 characters of contract a token.
pub const BYTES_A_TOKEN: f64 = 4.4;
/// Size of a job before any was seen, in bytes: a page.
pub const JOB_BYTES_ASSUMED: f64 = 3_000.0;
/// Rows of one client that a scan looks at, at most.
const ROWS_A_CLIENT_MAX: i64 = 256;
/// Bulk jobs published for each interactive one, while both wait: bulk work is slow then, but never stands still.
const BULK_FLOOR: f64 = 0.1;
/// Most bulk jobs that may be published at once because none were for long.
const BULK_OWED_MAX: f64 = 16.0;

/// What is known of a model's flow.
#[derive(Debug, Clone, Copy)]
pub struct Flow {
    /// Workers that consume its queue.
    pub consumers: u32,
    /// What one of them reads.
    pub tokens_per_second: f64,
    /// Mean size of a waiting document.
    pub mean_job_bytes: f64,
}

/// Jobs to be kept in flight, that is ready in the queue or with a worker, all shards together. Less than workers
/// take at once: what is ready waits in the order it came, and a client that comes new would wait behind it, while among
/// the jobs in its hands a worker decides anew for each pass.
pub fn in_flight_target(flow: Flow) -> u32 {
    if flow.consumers == 0 {
        return READY_WITHOUT_CONSUMERS;
    }
    (f64::from(flow.consumers) * in_flight_a_worker(flow.tokens_per_second, flow.mean_job_bytes)).ceil() as u32
}

/// The same for one of many workers. It is what an autoscaler on queue length sees of each (ready and unacknowledged) while
/// more waits, and so its target must be well below, or it stands still whatever waits; at most half of the least, which is
/// what large documents have: a worker with more of them in its hands would leave nothing to those that are started.
pub fn in_flight_a_worker(tokens_per_second: f64, mean_job_bytes: f64) -> f64 {
    let job_tokens = (mean_job_bytes / BYTES_A_TOKEN).max(1.0);
    (JOBS_A_WORKER_MIN + tokens_per_second * SECONDS_IN_FLIGHT / job_tokens).min(f64::from(JOBS_A_WORKER_MAX))
}

/// Jobs that this shard may add now: its share of the target, less what it has in flight. That is what workers run, and its
/// part of what is ready or, where that is more, what it published just now: between the queue and a claim a job is in
/// neither count.
pub fn room(target: u32, ready: u32, share: f64, (running, fresh): (i64, i64)) -> usize {
    let share = share.clamp(0.0, 1.0);
    let in_queue = (f64::from(ready) * share).max(fresh as f64);
    (f64::from(target) * share - in_queue - running as f64).ceil().max(0.0) as usize
}

/// Rows that a scan looks at a client: twice its fair part, since others may have less.
pub fn rows_a_client(room: usize, clients: usize) -> i64 {
    let fair = (2 * room).div_ceil(clients.max(1));
    i64::try_from(fair).unwrap_or(i64::MAX).clamp(1, ROWS_A_CLIENT_MAX)
}

/// What bulk work is owed, in jobs: interactive work comes first, and leaves it a tenth.
#[derive(Debug, Clone, Copy, Default)]
pub struct BulkOwed(f64);

impl BulkOwed {
    /// Jobs that are bulk work's own now, whatever the room.
    pub fn jobs(self) -> usize {
        self.0 as usize
    }

    /// Counts what was published while bulk work waited.
    pub fn count(&mut self, interactive: usize, bulk: usize) {
        self.0 = (self.0 + interactive as f64 * BULK_FLOOR - bulk as f64).clamp(0.0, BULK_OWED_MAX);
    }
}

/// Which candidates are published, in this order, up to the room: clients are filled to one level of jobs in flight, by
/// their weights, those with the fewest first, and none beyond its cap. With `always_one` a client with nothing in flight
/// gets one whatever the room.
pub fn allot(candidates: &[Candidate], room: usize, always_one: bool) -> Vec<JobKey> {
    let mut seen: HashMap<&ClientId, i64> = HashMap::new();
    let mut ranked: Vec<(f64, JobKey)> = Vec::new();
    for candidate in candidates {
        let before = seen.entry(&candidate.client).or_insert(candidate.in_flight);
        if *before < candidate.in_flight_max {
            ranked.push((*before as f64 / f64::from(candidate.weight), candidate.key));
            *before += 1;
        }
    }
    // Stable: clients of one level keep the order of the scan, and a client's rows theirs.
    ranked.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let free = ranked
        .iter()
        .take_while(|(level, _)| *level == 0.0 && always_one)
        .count();
    ranked.truncate(room.max(free));
    ranked.into_iter().map(|(_, key)| key).collect()
}

#[cfg(test)]
mod tests {
    use docket_local::autoscale::formula::{Policy, Signal};
    use docket_shared::ids::JobId;
    use docket_shared::sharding;

    use super::super::backlog::DOCUMENT_SECONDS;
    use super::*;

    /// Clients with jobs in flight, weight, and rows that are due.
    fn candidates(of: &[(&str, i64, f32, usize)]) -> Vec<Candidate> {
        let mut all = Vec::new();
        for (client, in_flight, weight, rows) in of {
            let client: ClientId = client.parse().unwrap();
            for _ in 0..*rows {
                let key = JobKey {
                    bucket: sharding::bucket_of(&client),
                    job: JobId::generate(),
                };
                all.push(Candidate {
                    key,
                    client: client.clone(),
                    in_flight: *in_flight,
                    in_flight_max: 12,
                    weight: *weight,
                    size_bytes: 3_000,
                });
            }
        }
        all
    }

    fn counts(candidates: &[Candidate], room: usize) -> HashMap<String, usize> {
        let mut counts = HashMap::new();
        for key in allot(candidates, room, true) {
            let of = candidates.iter().find(|candidate| candidate.key == key).unwrap();
            *counts.entry(of.client.to_string()).or_default() += 1;
        }
        counts
    }

    #[test]
    fn clients_are_filled_to_one_level() {
        let all = candidates(&[("noisy", 0, 1.0, 100), ("quiet", 0, 1.0, 2), ("busy", 6, 1.0, 100)]);
        let expected = [("noisy", 6), ("quiet", 2)].map(|(name, n)| (name.to_owned(), n));
        assert_eq!(counts(&all, 8), HashMap::from(expected));
    }

    #[test]
    fn weights_share_the_room() {
        let all = candidates(&[("large", 0, 3.0, 100), ("small", 0, 1.0, 100)]);
        let expected = [("large", 9), ("small", 3)].map(|(name, n)| (name.to_owned(), n));
        assert_eq!(counts(&all, 12), HashMap::from(expected));
    }

    #[test]
    fn nobody_is_filled_beyond_its_cap() {
        let all = candidates(&[("noisy", 10, 1.0, 100), ("full", 12, 1.0, 3)]);
        assert_eq!(counts(&all, 50), HashMap::from([("noisy".into(), 2)]));
    }

    #[test]
    fn a_client_with_nothing_in_flight_gets_one_without_room() {
        let all = candidates(&[("a", 0, 1.0, 5), ("b", 0, 0.5, 5), ("c", 1, 9.0, 5)]);
        assert_eq!(counts(&all, 0), HashMap::from([("a".into(), 1), ("b".into(), 1)]));
        assert!(allot(&all, 0, false).is_empty());
    }

    #[test]
    fn bulk_work_is_owed_a_tenth() {
        let mut owed = BulkOwed::default();
        let mut bulk = 0;
        for _ in 0..1_000 {
            let now = owed.jobs();
            owed.count(1, now);
            bulk += now;
        }
        assert!((99..=100).contains(&bulk), "{bulk}");
        owed.count(100_000, 0);
        assert_eq!(owed.jobs(), 16);
    }

    #[test]
    fn a_second_of_work_is_kept_in_flight_within_bounds() {
        let flow = Flow {
            consumers: 0,
            tokens_per_second: TOKENS_PER_SECOND_ASSUMED,
            mean_job_bytes: 4_400.0,
        };
        assert_eq!(in_flight_target(flow), 16);
        assert_eq!(in_flight_target(Flow { consumers: 2, ..flow }), 8);
        let fast = Flow {
            consumers: 2,
            tokens_per_second: 10_000.0,
            ..flow
        };
        assert_eq!(
            in_flight_target(fast),
            24,
            "2 workers x (2 + 10,000 tokens/s / 1,000 tokens)"
        );
        let of = |mean_job_bytes| in_flight_target(Flow { mean_job_bytes, ..fast });
        assert_eq!((of(1.0), of(1e9)), (24, 5));
        assert_eq!((room(20, 4, 0.5, (3, 1)), room(20, 4, 0.5, (3, 4))), (5, 3));
        assert_eq!((room(5, 20, 1.0, (0, 0)), room(20, 0, 1.0, (25, 0))), (0, 0));
    }

    /// As in `deploy/k8s`.
    const AUTOSCALER: Policy = Policy {
        min: 0,
        max: u32::MAX,
        messages_a_worker: 1.0,
        seconds_a_worker: 10.0,
        stabilisation: std::time::Duration::from_secs(300),
    };

    fn flows() -> impl Iterator<Item = Flow> {
        let consumers = [1, 2, 3, 7, 20, 100, 1_000];
        let speeds = [50.0, 500.0, TOKENS_PER_SECOND_ASSUMED, 4_800.0, 20_000.0, 500_000.0];
        let sizes = [1.0, 500.0, 1_500.0, 3_000.0, 20_000.0, 200_000.0, 5e6, 5e7];
        let pairs = speeds
            .into_iter()
            .flat_map(move |speed| sizes.map(|size| (speed, size)));
        pairs.flat_map(move |(tokens_per_second, mean_job_bytes)| {
            consumers.map(|consumers| Flow {
                consumers,
                tokens_per_second,
                mean_job_bytes,
            })
        })
    }

    #[test]
    fn while_work_waits_the_shards_together_keep_the_whole_target_in_flight() {
        for flow in flows() {
            let target = in_flight_target(flow);
            for shares in [vec![1.0], vec![0.5, 0.5], vec![0.9, 0.07, 0.03]] {
                for (ready, running) in [(0, 0), (1, 0), (3, 5), (0, 40), (16, 2)] {
                    // What a worker has in its hands and does not begin, for want of memory or of a store that answers, is
                    // in no count: then there is even more.
                    let added: usize = shares
                        .iter()
                        .map(|share| room(target, ready, *share, (running, 0)))
                        .sum();
                    let running: i64 = running * shares.len() as i64;
                    let in_flight = added as i64 + running + i64::from(ready);
                    assert!(
                        in_flight >= target.into(),
                        "{in_flight} of {target}: {shares:?} {ready} {running}"
                    );
                }
            }
        }
    }

    #[test]
    fn while_work_waits_an_autoscaler_on_queue_length_wants_more_workers() {
        for flow in flows() {
            let kept = in_flight_a_worker(flow.tokens_per_second, flow.mean_job_bytes);
            assert!(kept >= JOBS_A_WORKER_MIN && AUTOSCALER.messages_a_worker <= JOBS_A_WORKER_MIN / 2.0);
            for consumers in [0, flow.consumers] {
                let signal = Signal {
                    messages: Some(in_flight_target(Flow { consumers, ..flow }).into()),
                    work_seconds: None,
                };
                assert!(AUTOSCALER.wanted(signal).unwrap() > consumers, "{flow:?}");
            }
        }
    }

    #[test]
    fn while_work_waits_an_autoscaler_on_seconds_wants_more_workers_or_those_there_are_need_ten_seconds() {
        for flow in flows() {
            let seconds = flow.mean_job_bytes / BYTES_A_TOKEN / flow.tokens_per_second;
            for waiting in [1, 10, 1_000, 1_000_000] {
                let documents = f64::from(in_flight_target(flow) + waiting);
                let counted = seconds.clamp(*DOCUMENT_SECONDS.start(), *DOCUMENT_SECONDS.end());
                let signal = Signal {
                    messages: None,
                    work_seconds: Some(documents * counted),
                };
                let more = AUTOSCALER.wanted(signal).unwrap() > flow.consumers;
                let left = documents * seconds / f64::from(flow.consumers);
                assert!(
                    more || left <= 10.0,
                    "{left} s of work a worker: {flow:?}, {waiting} wait"
                );
            }
        }
    }
}
