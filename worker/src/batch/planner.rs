//! Which windows run next. Pure: numbers in, numbers out.
//!
//! Fair among clients, then among a client's jobs; and only windows of about one length share a pass, because every row
//! of a pass costs as much as its longest.
//!
//! Clients lead passes in rounds: each client that waits leads once a round, with as many windows as a pass takes, and
//! one that comes new leads before those that have led in this round. So a small job waits for the pass that runs and
//! for other newcomers, whatever anybody else has queued. Of a client's jobs the one with the fewest windows left and the
//! oldest take turns, so that neither a large one holds up a small one nor small ones starve a large one.

use std::collections::{HashSet, VecDeque};

use docket_shared::ids::ClientId;

/// Windows whose lengths fall into one bucket of so many tokens may share a pass: at most so much less one is padding.
pub const BUCKET_TOKENS: usize = 32;

/// How large one pass may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassLimits {
    /// Most tokens, special ones and padding counted. A window that is longer runs alone.
    pub tokens_max: usize,
    /// Most windows.
    pub rows_max: usize,
}

/// One window, by the job's number and its place in the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) job: u64,
    pub(super) window: usize,
}

/// What waits.
#[derive(Debug, Default)]
pub(super) struct Planner {
    /// Clients that have not led in this round, in the order they will.
    to_lead: VecDeque<Client>,
    /// Clients that have, in the order they did.
    have_led: VecDeque<Client>,
    /// Clients that have, and have nothing waiting now.
    gone: HashSet<ClientId>,
}

#[derive(Debug)]
struct Client {
    id: ClientId,
    /// Oldest first; none without windows.
    jobs: Vec<Job>,
    /// Whose turn it was. A job alone counts as the oldest, so that a small one that comes beside it is next.
    oldest_led: bool,
}

#[derive(Debug)]
struct Job {
    number: u64,
    /// Length in tokens and place, ascending.
    windows: Vec<(usize, usize)>,
}

impl Planner {
    /// Takes in a job; `lengths` are its windows' lengths in tokens, special ones included.
    pub(super) fn add(&mut self, client: &ClientId, number: u64, lengths: impl Iterator<Item = usize>) {
        let mut windows: Vec<(usize, usize)> = lengths.enumerate().map(|(window, length)| (length, window)).collect();
        if windows.is_empty() {
            return;
        }
        windows.sort_unstable();
        let job = Job { number, windows };
        if let Some(known) = self.clients_mut().find(|known| known.id == *client) {
            known.jobs.push(job);
            return;
        }
        let queue = if self.gone.remove(client) {
            &mut self.have_led
        } else {
            &mut self.to_lead
        };
        queue.push_back(Client {
            id: client.clone(),
            jobs: vec![job],
            oldest_led: true,
        });
    }

    /// Forgets what still waits of a job.
    pub(super) fn remove(&mut self, number: u64) {
        for client in self.clients_mut() {
            client.jobs.retain(|job| job.number != number);
        }
        self.drop_idle();
    }

    /// The next pass: never empty, and each window is in one pass only. None when nothing waits.
    pub(super) fn next(&mut self, limits: PassLimits) -> Option<Vec<Row>> {
        if self.to_lead.is_empty() {
            std::mem::swap(&mut self.to_lead, &mut self.have_led);
            self.gone.clear();
        }
        let mut leader = self.to_lead.pop_front()?;
        let (longest, row) = leader.lead();
        self.have_led.push_back(leader);
        let rows_max = (limits.tokens_max / longest).clamp(1, limits.rows_max.max(1));
        let mut rows = vec![row];
        while rows.len() < rows_max {
            let room = rows_max - rows.len();
            let more: Vec<Row> = self
                .clients_mut()
                .filter_map(|client| client.follow(longest))
                .take(room)
                .collect();
            if more.is_empty() {
                break;
            }
            rows.extend(more);
        }
        self.drop_idle();
        Some(rows)
    }

    fn clients_mut(&mut self) -> impl Iterator<Item = &mut Client> {
        self.to_lead.iter_mut().chain(&mut self.have_led)
    }

    fn drop_idle(&mut self) {
        self.to_lead.retain(|client| !client.jobs.is_empty());
        self.have_led.retain(|client| {
            if client.jobs.is_empty() {
                self.gone.insert(client.id.clone());
            }
            !client.jobs.is_empty()
        });
    }
}

impl Client {
    /// Takes the longest window of the job whose turn it is, with its length: what is shorter by little can go along.
    fn lead(&mut self) -> (usize, Row) {
        self.oldest_led = self.jobs.len() == 1 || !self.oldest_led;
        let fewest = (0..self.jobs.len()).min_by_key(|&job| self.jobs[job].windows.len());
        let job = if self.oldest_led { 0 } else { fewest.unwrap_or(0) };
        let last = self.jobs[job].windows.len() - 1;
        self.take(job, last)
    }

    /// Takes a window that fits into a pass of this length, from the job with the fewest windows left that has one.
    fn follow(&mut self, longest: usize) -> Option<Row> {
        let fitting = |job: &Job| {
            let place = job
                .windows
                .partition_point(|&(length, _)| length <= longest)
                .checked_sub(1)?;
            (bucket(job.windows[place].0) == bucket(longest)).then_some(place)
        };
        let places = self
            .jobs
            .iter()
            .enumerate()
            .filter_map(|(job, waiting)| Some((job, fitting(waiting)?)));
        let (job, place) = places.min_by_key(|&(job, _)| self.jobs[job].windows.len())?;
        Some(self.take(job, place).1)
    }

    fn take(&mut self, job: usize, place: usize) -> (usize, Row) {
        let number = self.jobs[job].number;
        let (length, window) = self.jobs[job].windows.remove(place);
        if self.jobs[job].windows.is_empty() {
            self.jobs.remove(job);
        }
        (length, Row { job: number, window })
    }
}

/// The bucket a length falls into.
pub(super) fn bucket(length: usize) -> usize {
    length.div_ceil(BUCKET_TOKENS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALONE: PassLimits = PassLimits {
        tokens_max: 192,
        rows_max: 1,
    };
    const MANY: PassLimits = PassLimits {
        tokens_max: 1024,
        rows_max: 8,
    };

    fn client(name: &str) -> ClientId {
        name.parse().expect("it is a name")
    }

    fn jobs_of(planner: &mut Planner, limits: PassLimits, passes: usize) -> Vec<u64> {
        (0..passes)
            .filter_map(|_| planner.next(limits))
            .flatten()
            .map(|row| row.job)
            .collect()
    }

    #[test]
    fn a_small_job_waits_for_one_pass_whatever_others_have_queued() {
        for limits in [ALONE, MANY] {
            let mut planner = Planner::default();
            planner.add(&client("large"), 1, std::iter::repeat_n(190, 10_000));
            jobs_of(&mut planner, limits, 3);
            planner.add(&client("small"), 2, [50].into_iter());
            let next = planner.next(limits).expect("there is work");
            assert_eq!(next, [Row { job: 2, window: 0 }]);
        }
    }

    #[test]
    fn a_small_job_passes_a_large_one_of_its_own_client() {
        let mut planner = Planner::default();
        planner.add(&client("a"), 1, std::iter::repeat_n(190, 100));
        jobs_of(&mut planner, ALONE, 4);
        planner.add(&client("a"), 2, [190; 3].into_iter());
        assert_eq!(jobs_of(&mut planner, ALONE, 6), [2, 1, 2, 1, 2, 1], "they take turns");
    }

    #[test]
    fn clients_share_passes_evenly_and_newcomers_cannot_starve_anybody() {
        let mut planner = Planner::default();
        for job in 0..10 {
            planner.add(&client("many"), job, [190; 50].into_iter());
        }
        planner.add(&client("one"), 10, [190; 50].into_iter());
        let led = jobs_of(&mut planner, ALONE, 40);
        assert_eq!(led.iter().filter(|&&job| job == 10).count(), 20);
        // A client that comes back with a new job as soon as the last one is done.
        let mut led = Vec::new();
        for job in 100..130 {
            planner.add(&client("again"), job, [190].into_iter());
            led.extend(jobs_of(&mut planner, ALONE, 1));
        }
        assert!(led.iter().filter(|&&job| job == 10).count() >= 9, "{led:?}");
    }

    #[test]
    fn what_is_removed_never_runs() {
        let mut planner = Planner::default();
        planner.add(&client("a"), 1, [10; 4].into_iter());
        planner.add(&client("a"), 2, [10; 4].into_iter());
        planner.remove(1);
        assert_eq!(jobs_of(&mut planner, MANY, 9), [2; 4]);
        planner.add(&client("a"), 3, std::iter::empty());
        assert_eq!(planner.next(MANY), None);
    }

    proptest! {
        #[test]
        fn every_window_runs_once_within_the_limits(
            jobs in prop::collection::vec((0_u8..4, prop::collection::vec(1_usize..200, 0..20)), 0..12),
            tokens_max in 100_usize..2_000,
            rows_max in 1_usize..40,
        ) {
            let mut planner = Planner::default();
            for (number, (owner, lengths)) in (0..).zip(&jobs) {
                planner.add(&client(&format!("c{owner}")), number, lengths.iter().copied());
            }
            let length = |row: &Row| jobs[row.job as usize].1[row.window];
            let mut seen = Vec::new();
            while let Some(rows) = planner.next(PassLimits { tokens_max, rows_max }) {
                let longest = rows.iter().map(length).max().expect("a pass is never empty");
                prop_assert!(rows.len() == 1 || rows.len() * longest <= tokens_max);
                prop_assert!(rows.len() <= rows_max);
                prop_assert!(rows.iter().all(|row| longest - length(row) < BUCKET_TOKENS));
                seen.extend(rows);
            }
            seen.sort_unstable();
            let every: Vec<Row> = (0..).zip(&jobs)
                .flat_map(|(job, (_, lengths))| (0..lengths.len()).map(move |window| Row { job, window }))
                .collect();
            prop_assert_eq!(seen, every);
        }
    }
}
