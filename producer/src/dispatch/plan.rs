//! How much is published, and whose. Pure.
//!
//! The broker keeps about one second of work ready: enough that no worker idles, little enough that the shards still
//! decide who is next.

use std::collections::HashMap;

use docket_shared::ids::{ClientId, JobKey};
use docket_shared::queue::PREFETCH;
use docket_shared::store::dispatch::Candidate;

/// Seconds of work kept ready in the broker.
const SECONDS_READY: f64 = 1.0;
/// Messages kept ready while nobody consumes: a first worker finds something at once.
const READY_WITHOUT_CONSUMERS: u32 = 16;
/// Bytes of plain text that make one token, roughly: the default model reads 4.4 characters of contract a token.
const BYTES_A_TOKEN: f64 = 4.4;
/// Size of a job before any was seen, in bytes: a page.
pub const JOB_BYTES_ASSUMED: f64 = 3_000.0;
/// Rows of one client that a scan looks at, at most.
const ROWS_A_CLIENT_MAX: i64 = 256;

/// What is known of a model's flow.
#[derive(Debug, Clone, Copy)]
pub struct Flow {
    /// Workers that consume its queue.
    pub consumers: u32,
    /// What one of them reads, when they say.
    pub tokens_per_second: Option<f64>,
    /// Mean size of a waiting document.
    pub mean_job_bytes: f64,
}

/// Messages to be kept ready in the queue.
pub fn depth_target(flow: Flow) -> u32 {
    if flow.consumers == 0 {
        return READY_WITHOUT_CONSUMERS;
    }
    let low = 2 * flow.consumers;
    let high = low * u32::from(PREFETCH);
    let Some(speed) = flow.tokens_per_second else {
        return low;
    };
    let job_tokens = (flow.mean_job_bytes / BYTES_A_TOKEN).max(1.0);
    let jobs = f64::from(flow.consumers) * speed * SECONDS_READY / job_tokens;
    (jobs as u32).clamp(low, high)
}

/// Messages that this shard may add now: its share of what is missing.
pub fn room(target: u32, ready: u32, share: f64) -> usize {
    (f64::from(target.saturating_sub(ready)) * share.clamp(0.0, 1.0)).ceil() as usize
}

/// Rows that a scan looks at a client: twice its fair part, since others may have less.
pub fn rows_a_client(room: usize, clients: usize) -> i64 {
    let fair = (2 * room).div_ceil(clients.max(1));
    i64::try_from(fair).unwrap_or(i64::MAX).clamp(1, ROWS_A_CLIENT_MAX)
}

/// Which candidates are published, in this order: clients take turns, those with less in the broker first. A client with
/// nothing in the broker always gets one, whatever the room.
pub fn allot(candidates: &[Candidate], room: usize) -> Vec<JobKey> {
    let mut clients: Vec<(i64, Vec<JobKey>)> = Vec::new();
    let mut index: HashMap<&ClientId, usize> = HashMap::new();
    for candidate in candidates {
        let at = *index.entry(&candidate.client).or_insert_with(|| {
            clients.push((candidate.in_broker, Vec::new()));
            clients.len() - 1
        });
        clients[at].1.push(candidate.key);
    }
    // The n-th row of a client that has k in the broker has rank k + n: taking by rank fills everybody to one level.
    let mut ranked: Vec<(i64, JobKey)> = clients
        .into_iter()
        .flat_map(|(in_broker, keys)| (in_broker..).zip(keys))
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    let first = ranked.iter().take_while(|(rank, _)| *rank == 0).count();
    ranked.truncate(room.max(first));
    ranked.into_iter().map(|(_, key)| key).collect()
}

#[cfg(test)]
mod tests {
    use docket_shared::ids::JobId;
    use docket_shared::sharding;

    use super::*;

    fn candidates(of: &[(&str, i64, usize)]) -> Vec<Candidate> {
        let mut all = Vec::new();
        for (client, in_broker, rows) in of {
            let client: ClientId = client.parse().unwrap();
            for _ in 0..*rows {
                let key = JobKey {
                    bucket: sharding::bucket_of(&client),
                    job: JobId::generate(),
                };
                all.push(Candidate {
                    key,
                    client: client.clone(),
                    in_broker: *in_broker,
                    size_bytes: 3_000,
                });
            }
        }
        all
    }

    fn counts(candidates: &[Candidate], room: usize) -> HashMap<String, usize> {
        let mut counts = HashMap::new();
        for key in allot(candidates, room) {
            let owner = candidates.iter().find(|candidate| candidate.key == key).unwrap();
            *counts.entry(owner.client.to_string()).or_default() += 1;
        }
        counts
    }

    #[test]
    fn a_noisy_client_gets_no_more_than_a_quiet_one() {
        let all = candidates(&[("noisy", 0, 100), ("quiet", 0, 3)]);
        assert_eq!(
            counts(&all, 6),
            HashMap::from([("noisy".into(), 3), ("quiet".into(), 3)])
        );
        // What the quiet one does not need is not wasted.
        assert_eq!(
            counts(&all, 10),
            HashMap::from([("noisy".into(), 7), ("quiet".into(), 3)])
        );
    }

    #[test]
    fn what_is_in_the_broker_counts() {
        let all = candidates(&[("noisy", 8, 100), ("quiet", 0, 100)]);
        assert_eq!(counts(&all, 8), HashMap::from([("quiet".into(), 8)]));
    }

    #[test]
    fn a_client_with_nothing_in_the_broker_gets_one_without_room() {
        let all = candidates(&[("a", 0, 5), ("b", 0, 5), ("c", 1, 5)]);
        assert_eq!(counts(&all, 0), HashMap::from([("a".into(), 1), ("b".into(), 1)]));
    }

    #[test]
    fn depth_is_a_second_of_work_within_bounds() {
        let flow = Flow {
            consumers: 0,
            tokens_per_second: None,
            mean_job_bytes: 4_400.0,
        };
        assert_eq!(depth_target(flow), 16);
        assert_eq!(depth_target(Flow { consumers: 2, ..flow }), 4);
        let fast = Flow {
            consumers: 2,
            tokens_per_second: Some(10_000.0),
            ..flow
        };
        assert_eq!(depth_target(fast), 20, "2 workers x 10,000 tokens/s / 1,000 tokens");
        assert_eq!(
            depth_target(Flow {
                mean_job_bytes: 1.0,
                ..fast
            }),
            2 * 2 * u32::from(PREFETCH)
        );
        assert_eq!(
            depth_target(Flow {
                mean_job_bytes: 1e9,
                ..fast
            }),
            4
        );
        assert_eq!(room(20, 5, 0.5), 8);
        assert_eq!(room(5, 20, 1.0), 0);
    }
}
