//! Decides how much is published, and whose. Pure.
//!
//! About one second of work is with the broker and the workers: enough that no worker idles, little enough that the shards still
//! decide who is next.

use docket_store::work::dispatch::READY_WITHOUT_CONSUMERS;
use std::collections::HashMap;
use std::time::Duration;

use docket_contract::ids::ClientId;
use docket_queue::PREFETCH;
use docket_store::work::dispatch::{Candidate, InFlight, Scan};

/// Seconds of work kept with the broker and the workers, beyond `JOBS_A_WORKER_MIN`.
const SECONDS_IN_FLIGHT: f64 = 1.0;
/// Jobs a worker holds at any speed: while the model reads one, another is fetched or written.
const JOBS_A_WORKER_MIN: f64 = 2.0;
/// Limit of jobs in flight per worker: a quarter of its prefetch stays free for new clients, whose jobs would otherwise wait in
/// the queue until another job is done.
const JOBS_A_WORKER_MAX: u16 = PREFETCH - PREFETCH / 4;
/// Tokens a second of one worker before any worker has reported. Less than half of what one core reaches with the default model:
/// one worker too many is a smaller mistake than one too few.
pub const TOKENS_PER_SECOND_ASSUMED: f64 = 2_000.0;
/// Bytes of plain text per token, roughly: the default model reads 4.4 characters of contract per token.
pub const BYTES_A_TOKEN: f64 = 4.4;
/// Size of a job before any was seen, in bytes: one page.
pub const JOB_BYTES_ASSUMED: f64 = 3_000.0;
/// Limit of rows that a scan reads of one client.
const ROWS_A_CLIENT_MAX: i64 = 256;
/// Bulk work's minimum part of the jobs in flight while interactive work could fill all places: bulk work is slow then, but never
/// stands still.
const BULK_FLOOR: f64 = 0.1;
/// Cap on bulk's credit or debt, in job-seconds, so that old history is forgotten within seconds. A bulk job in flight for longer
/// counts no more: with very few places, bulk work gets one place for up to as long as its job takes.
const BULK_OWED_MAX: f64 = 5.0;

/// The figures of one model that decide how many of its jobs are in flight.
#[derive(Debug, Clone, Copy)]
pub struct Flow {
    /// Workers that consume the model's queue.
    pub consumers: u32,
    /// Tokens a second that one worker reads.
    pub tokens_per_second: f64,
    /// Mean size of a waiting document, in bytes.
    pub mean_job_bytes: f64,
}

/// Jobs to keep in flight over all shards: ready in the queue or with a worker. The target is below what workers take at once.
/// Ready messages wait in the order they came, so a new client would wait behind them; among the jobs that a worker holds, the
/// worker decides anew for each pass.
pub fn in_flight_target(flow: Flow) -> u32 {
    if flow.consumers == 0 {
        return READY_WITHOUT_CONSUMERS;
    }
    (f64::from(flow.consumers) * in_flight_a_worker(flow.tokens_per_second, flow.mean_job_bytes)).ceil() as u32
}

/// The target for one of many workers. An autoscaler on queue length (ready and unacknowledged) sees at most this many jobs per
/// worker, so set its target to half the minimum or less. Large documents have the minimum: a worker that held more of them would
/// leave nothing to new workers.
pub fn in_flight_a_worker(tokens_per_second: f64, mean_job_bytes: f64) -> f64 {
    let job_tokens = (mean_job_bytes / BYTES_A_TOKEN).max(1.0);
    (JOBS_A_WORKER_MIN + tokens_per_second * SECONDS_IN_FLIGHT / job_tokens).min(f64::from(JOBS_A_WORKER_MAX))
}

/// Jobs that this shard may add now: its share of the target, less what it has in flight. In flight are the running jobs and the
/// shard's part of the ready messages. What the shard has just published replaces that part where it is more: between the queue
/// and a claim a job is in neither count.
pub fn room(target: u32, ready: u32, share: f64, (running, fresh): (i64, i64)) -> usize {
    let share = share.clamp(0.0, 1.0);
    let in_queue = (f64::from(ready) * share).max(fresh as f64);
    (f64::from(target) * share - in_queue - running as f64).ceil().max(0.0) as usize
}

/// Whether a tick published so much that workers may soon be out of work: a quarter of this shard's share of the target or more.
/// Otherwise ticks are further apart: each costs the shard and the broker as much as accepting some jobs does.
pub fn is_much(published: usize, target: u32, share: f64) -> bool {
    published as f64 >= f64::from(target) * share / 4.0
}

/// Rows that a scan reads per client: twice the client's fair part, since other clients may have fewer.
pub fn rows_a_client(room: usize, clients: usize) -> i64 {
    let fair = (2 * room).div_ceil(clients.max(1));
    i64::try_from(fair).unwrap_or(i64::MAX).clamp(1, ROWS_A_CLIENT_MAX)
}

/// Bulk work's credit, in job-seconds: interactive work comes first and leaves bulk work a tenth. The credit follows what is in
/// flight and not what was published: the hand-over (`handover.rs`) publishes too, and never bulk work.
#[derive(Debug, Clone, Copy, Default)]
pub struct BulkOwed(f64);

impl BulkOwed {
    /// Counts a time for which bulk work waited while these jobs were in flight. If none is in flight because other shards fill
    /// the queue, the credit grows as if one job were.
    pub fn count(&mut self, passed: Duration, in_flight: InFlight) {
        let owed = bulk_part(in_flight) - in_flight.bulk as f64;
        self.0 = (self.0 + owed * passed.as_secs_f64()).clamp(-BULK_OWED_MAX, BULK_OWED_MAX);
    }

    /// Jobs that bulk work may add now, whatever the room: up to its part of the jobs in flight.
    pub fn jobs(self, in_flight: InFlight) -> usize {
        let missing = (bulk_part(in_flight).ceil() as i64 - in_flight.bulk).max(0) as usize;
        if self.0 > 0.0 { missing } else { 0 }
    }
}

fn bulk_part(in_flight: InFlight) -> f64 {
    BULK_FLOOR * (in_flight.interactive + in_flight.bulk).max(1) as f64
}

/// Chooses the candidates to publish, in order, up to the room. Clients are filled to one level of jobs in flight divided by
/// weight, the lowest first, and none beyond its cap. The level counts only jobs of this model and priority: a client's other
/// jobs take no place here and must not hold it back. With `always_one` a client without such jobs gets one whatever the room.
pub fn allot(candidates: &[Candidate], room: usize, always_one: bool) -> Vec<&Candidate> {
    let mut added: HashMap<&ClientId, i64> = HashMap::new();
    let mut ranked: Vec<(f64, &Candidate)> = Vec::new();
    for candidate in candidates {
        let added = added.entry(&candidate.client).or_default();
        if candidate.in_flight + *added < candidate.in_flight_max {
            let level = (candidate.alike + *added) as f64 / f64::from(candidate.weight);
            ranked.push((level, candidate));
            *added += 1;
        }
    }
    // The sort is stable: clients of one level keep the scan's order, which begins with the client that has waited longest for a
    // turn (`next_cursor`), and the rows of a client keep theirs.
    ranked.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let free = ranked
        .iter()
        .take_while(|(level, _)| *level == 0.0 && always_one)
        .count();
    ranked.truncate(room.max(free));
    ranked.into_iter().map(|(_, candidate)| candidate).collect()
}

/// The client after which the next scan begins; `None`: where this scan began. The next scan begins after the client that got the
/// last place. So clients of one level take turns: with more clients than places, each gets one before any gets a second. With
/// `always_one` no client waits for a turn: if the scan did not reach all clients, the next scan goes on after the last one it
/// visited, so that all clients are looked at soon.
pub fn next_cursor(scan: &Scan, published: &[&Candidate], room: usize, always_one: bool) -> Option<String> {
    match published.last() {
        Some(last) if !(always_one && scan.full) => Some(last.client.to_string()),
        None if room == 0 && !always_one => None,
        Some(_) | None => scan.last.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashSet, VecDeque};

    use docket_contract::ids::{JobId, JobKey};
    use docket_contract::sharding;
    use docket_local::autoscale::formula::{Policy, Signal};

    use super::*;
    use crate::backlog::DOCUMENT_SECONDS;

    /// Candidates of clients, each with jobs in flight, weight, and number of due rows.
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
                    alike: *in_flight,
                    weight: *weight,
                    size_bytes: 3_000,
                });
            }
        }
        all
    }

    fn counts(candidates: &[Candidate], room: usize) -> HashMap<String, usize> {
        let mut counts = HashMap::new();
        for candidate in allot(candidates, room, true) {
            *counts.entry(candidate.client.to_string()).or_default() += 1;
        }
        counts
    }

    #[test]
    fn a_quarter_of_the_target_is_much() {
        assert!(!is_much(2, 12, 1.0) && is_much(3, 12, 1.0));
        assert!(!is_much(1, 12, 0.5) && is_much(2, 12, 0.5));
        assert!(is_much(1, 3, 1.0), "of large documents");
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
    fn what_a_client_has_elsewhere_counts_for_its_cap_alone() {
        let mut all = candidates(&[("letters", 11, 1.0, 5), ("other", 1, 1.0, 5)]);
        all.iter_mut().take(5).for_each(|of_letters| of_letters.alike = 0);
        assert_eq!(
            counts(&all, 2),
            HashMap::from([("letters".into(), 1), ("other".into(), 1)])
        );
    }

    #[test]
    fn a_client_with_nothing_in_flight_gets_one_without_room() {
        let all = candidates(&[("a", 0, 1.0, 5), ("b", 0, 0.5, 5), ("c", 1, 9.0, 5)]);
        assert_eq!(counts(&all, 0), HashMap::from([("a".into(), 1), ("b".into(), 1)]));
        assert!(allot(&all, 0, false).is_empty());
    }

    /// Clients that each have a backlog and share some places: the job in flight for longest ends, and its place is given anew.
    struct Places {
        clients: Vec<(String, f32)>,
        in_flight: VecDeque<String>,
        cursor: String,
        /// Clients that one scan visits.
        visits: usize,
    }

    impl Places {
        fn new(clients: impl IntoIterator<Item = (String, f32)>) -> Self {
            Self {
                clients: clients.into_iter().collect(),
                in_flight: VecDeque::new(),
                cursor: String::new(),
                visits: usize::MAX,
            }
        }

        fn scan(&self) -> Scan {
            let mut order: Vec<_> = self.clients.iter().collect();
            order.sort_by_key(|(client, _)| (*client <= self.cursor, client.clone()));
            order.truncate(self.visits);
            let have = |client: &String| self.in_flight.iter().filter(|of| *of == client).count() as i64;
            let rows = order
                .iter()
                .map(|(client, weight)| (client.as_str(), have(client), *weight, 12));
            Scan {
                candidates: candidates(&rows.collect::<Vec<_>>()),
                clients: order.len(),
                last: order.last().map(|(client, _)| client.clone()),
                full: order.len() == self.visits,
                ..Scan::default()
            }
        }

        /// Gives the free places to clients; returns these clients.
        fn fill(&mut self, room: usize) -> Vec<String> {
            let scan = self.scan();
            let published = allot(&scan.candidates, room, false);
            if let Some(next) = next_cursor(&scan, &published, room, false) {
                self.cursor = next;
            }
            let clients: Vec<_> = published.iter().map(|of| of.client.to_string()).collect();
            self.in_flight.extend(clients.iter().cloned());
            clients
        }
    }

    fn names(clients: usize) -> impl Iterator<Item = (String, f32)> {
        (0..clients).map(|number| (format!("client-{number:03}"), 1.0))
    }

    #[test]
    fn of_more_clients_than_places_each_gets_its_turn() {
        for (clients, places, visits) in [(6, 5, 256), (13, 12, 256), (2, 1, 256), (40, 3, 256), (40, 3, 7)] {
            let mut all = Places::new(names(clients));
            all.visits = visits;
            let mut turns = all.fill(places);
            for _ in 0..10 * clients {
                all.in_flight.pop_front();
                assert!(all.fill(0).is_empty(), "a tick without room");
                turns.extend(all.fill(1));
            }
            for round in turns.windows(2 * clients) {
                let different: HashSet<_> = round.iter().collect();
                assert_eq!(different.len(), clients, "{places} places, {visits} visits: {round:?}");
            }
        }
    }

    #[test]
    fn a_client_that_comes_late_does_not_wait_for_older_backlogs() {
        let mut all = Places::new(names(6));
        all.fill(5);
        for _ in 0..100 {
            all.in_flight.pop_front();
            all.fill(1);
        }
        all.clients.push(("late".to_owned(), 1.0));
        let mut turns = Vec::new();
        for _ in 0..7 {
            all.in_flight.pop_front();
            turns.extend(all.fill(1));
        }
        assert!(turns.contains(&"late".to_owned()), "{turns:?}");
    }

    #[test]
    fn weights_hold_over_time() {
        let mut all = Places::new(names(3).chain([("large".to_owned(), 3.0)]));
        let mut turns = all.fill(12);
        for _ in 0..1_200 {
            all.in_flight.pop_front();
            turns.extend(all.fill(1));
        }
        let large = turns.iter().filter(|client| *client == "large").count();
        assert!(
            (550..=650).contains(&large),
            "{large} of {} for half of the weight",
            turns.len()
        );
    }

    #[test]
    fn where_everybody_may_have_one_scans_go_on_through_all_clients() {
        let mut all = Places::new(names(9));
        all.visits = 4;
        let scan = all.scan();
        let published = allot(&scan.candidates, 1, true);
        assert_eq!(published.len(), 4);
        for (published, room) in [(&published[..], 1), (&[], 0)] {
            assert_eq!(next_cursor(&scan, published, room, true).as_deref(), Some("client-003"));
        }
    }

    /// Bulk work's part of the jobs in flight, when `interactive` interactive jobs are always in flight, whoever published them,
    /// and a bulk job takes this many ticks of 50 ms.
    fn bulk_part_over_time(interactive: i64, ticks_a_job: usize) -> f64 {
        const TICKS: usize = 20_000;
        let (mut owed, mut ends, mut total) = (BulkOwed::default(), VecDeque::new(), 0);
        for tick in 0..TICKS {
            while ends.front().is_some_and(|end| *end <= tick) {
                ends.pop_front();
            }
            let bulk = ends.len() as i64;
            let in_flight = InFlight { interactive, bulk };
            owed.count(Duration::from_millis(50), in_flight);
            ends.extend(vec![tick + ticks_a_job; owed.jobs(in_flight)]);
            total += ends.len();
        }
        let bulk = total as f64 / TICKS as f64;
        bulk / (bulk + interactive as f64)
    }

    #[test]
    fn bulk_work_has_a_tenth_of_what_is_in_flight_whoever_published_the_rest() {
        for interactive in [3, 5, 12, 40, 1_000] {
            for ticks_a_job in [20, 60, 90] {
                let part = bulk_part_over_time(interactive, ticks_a_job);
                assert!((0.08..0.13).contains(&part), "{part}: {interactive} and {ticks_a_job}");
            }
        }
    }

    #[test]
    fn bulk_work_never_stands_still() {
        let (busy, second) = (
            InFlight {
                interactive: 5,
                bulk: 0,
            },
            Duration::from_secs(1),
        );
        let mut owed = BulkOwed::default();
        // Bulk work had all places for long, and then interactive work came.
        owed.count(
            1_000 * second,
            InFlight {
                interactive: 0,
                bulk: 16,
            },
        );
        assert_eq!(owed.jobs(busy), 0);
        owed.count(11 * second, busy);
        assert_eq!(owed.jobs(busy), 1);
        // Bulk work waited for long, and gets no more than its part at once.
        owed.count(1_000 * second, busy);
        assert_eq!(owed.jobs(busy), 1);
        // Nothing of this shard is in flight, and other shards fill the queue.
        let mut owed = BulkOwed::default();
        owed.count(second, InFlight::default());
        assert_eq!(owed.jobs(InFlight::default()), 1);
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

    /// The values of `deploy/k8s`.
    const AUTOSCALER: Policy = Policy {
        min: 0,
        max: u32::MAX,
        messages_a_worker: 1.0,
        seconds_a_worker: 10.0,
        stabilisation: Duration::from_secs(300),
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
                    // No count has the jobs that a worker holds and does not begin, for want of memory or of a store that
                    // answers: with them there are even more.
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
