//! Decides which windows run next. Pure: numbers in, numbers out.
//!
//! Clients share fairly, then the jobs of a client. Only windows of similar length share a pass, because every row of a pass
//! costs as much as the longest.
//!
//! For each client the planner computes its finish: the tokens that it will have used lately when its smallest job is done. The
//! client with the least finish leads the next pass, with as many of its windows as the pass takes. A client that sends little is
//! then served nearly as if it were alone, until it has used as much as the others. From then on all have equal parts. A letter
//! goes before a large document, even before a newcomer's.
//!
//! This is decay-usage scheduling, as Hellerstein describes it (IEEE Transactions on Software Engineering 19(8), 1993), by the
//! finish times of fair queueing (Demers, Keshav, Shenker, SIGCOMM 1989). Start-time fair queueing would not do: it treats a
//! client that comes back as if it had just had its part. With usage alone, an endless stream of newcomers would keep all others
//! waiting. So the client that has waited longest is passed over only a few times in a row.
//!
//! Of a client's jobs, the job with the fewest windows left and the oldest job take turns. So a large job does not hold up a
//! small one, and small jobs do not starve a large one.

use std::collections::{HashMap, VecDeque};

use docket_contract::ids::ClientId;

/// Width of a bucket of lengths, in tokens. Windows of one bucket may share a pass, so a row has less padding than this.
pub const BUCKET_TOKENS: usize = 32;
/// Passes after which earlier usage counts half: about five seconds of one core.
const HALF_LIFE_PASSES: usize = 128;
/// How far behind the others a newcomer's usage may start, and how much of a job counts, in tokens: 64 windows of 192 tokens,
/// about a second of one core. Beside letters without end this leaves a large document a third of the tokens.
const HEAD_START_TOKENS: usize = 64 * 192;
/// Passes in a row that other clients may lead before the client that has waited longest. A letter has no more windows.
const PASSED_OVER_MAX: usize = 3;

/// How large one pass may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassLimits {
    /// Most tokens, special tokens and padding included. A longer window runs alone.
    pub tokens_max: usize,
    /// Most windows in a pass.
    pub rows_max: usize,
}

/// One window, named by its job's number and its place in the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) job: u64,
    pub(super) window: usize,
}

/// The waiting windows, by client and job.
#[derive(Debug, Default)]
pub(super) struct Planner {
    /// Clients with waiting windows. The client whose turn or arrival is longest ago comes first.
    clients: VecDeque<Client>,
    /// Usage of clients that have nothing waiting, until it has decayed to 0.
    absent: HashMap<ClientId, usize>,
    /// Passes since usage was last halved.
    passes: usize,
    /// Passes in a row that others have led before the first client.
    passed_over: usize,
}

#[derive(Debug)]
struct Client {
    id: ClientId,
    /// Tokens of the client's windows that ran, earlier ones counted less.
    usage: usize,
    /// The client's jobs, oldest first. A job without waiting windows is not kept.
    jobs: Vec<Job>,
    /// Whether the oldest job led last. A lone job counts as the oldest, so that a small job that joins it is next.
    oldest_led: bool,
}

#[derive(Debug)]
struct Job {
    number: u64,
    /// Length in tokens and place of each waiting window, ascending.
    windows: Vec<(usize, usize)>,
    /// Length of all waiting windows together, in tokens.
    tokens: usize,
}

impl Planner {
    /// Takes in a job. `lengths` are its windows' lengths in tokens, special ones included.
    pub(super) fn add(&mut self, client: &ClientId, number: u64, lengths: impl Iterator<Item = usize>) {
        let mut windows: Vec<(usize, usize)> = lengths.enumerate().map(|(window, length)| (length, window)).collect();
        if windows.is_empty() {
            return;
        }
        windows.sort_unstable();
        let tokens = windows.iter().map(|&(length, _)| length).sum();
        let job = Job {
            number,
            windows,
            tokens,
        };
        if let Some(known) = self.clients.iter_mut().find(|known| known.id == *client) {
            known.jobs.push(job);
            return;
        }
        let present = self.clients.iter().map(|known| &known.usage);
        let most = present.chain(self.absent.values()).max().copied().unwrap_or(0);
        let usage = self.absent.remove(client).unwrap_or(0);
        self.clients.push_back(Client {
            id: client.clone(),
            usage: usage.max(most.saturating_sub(HEAD_START_TOKENS)),
            jobs: vec![job],
            oldest_led: true,
        });
    }

    /// Forgets the waiting windows of a job.
    pub(super) fn remove(&mut self, number: u64) {
        for client in &mut self.clients {
            client.jobs.retain(|job| job.number != number);
        }
        self.drop_idle();
    }

    /// The next pass; `None` when nothing waits. A pass is never empty, and each window is in one pass only.
    pub(super) fn next(&mut self, limits: PassLimits) -> Option<Vec<Row>> {
        let mut leader = self.choose()?;
        let (longest, row) = leader.lead();
        let rows_max = (limits.tokens_max / longest).clamp(1, limits.rows_max.max(1));
        let mut rows = vec![row];
        rows.extend(std::iter::from_fn(|| leader.follow(longest)).take(rows_max - 1));
        while rows.len() < rows_max {
            let room = rows_max - rows.len();
            let others = self.clients.iter_mut().filter_map(|client| client.follow(longest));
            let more: Vec<Row> = others.take(room).collect();
            if more.is_empty() {
                break;
            }
            rows.extend(more);
        }
        self.clients.push_back(leader);
        self.drop_idle();
        self.age();
        Some(rows)
    }

    /// Takes out the client that leads the next pass.
    fn choose(&mut self) -> Option<Client> {
        let places = 0..self.clients.len();
        let first_done = places.min_by_key(|&place| self.clients[place].finish())?;
        let place = if self.passed_over < PASSED_OVER_MAX {
            first_done
        } else {
            0
        };
        self.passed_over = if place == 0 { 0 } else { self.passed_over + 1 };
        self.clients.remove(place)
    }

    /// Halves usage when it is time, and forgets absent clients whose usage is 0: so few are remembered, however many have come.
    fn age(&mut self) {
        self.passes += 1;
        if self.passes < HALF_LIFE_PASSES {
            return;
        }
        self.passes = 0;
        for client in &mut self.clients {
            client.usage /= 2;
        }
        self.absent.retain(|_, usage| {
            *usage /= 2;
            *usage > 0
        });
    }

    fn drop_idle(&mut self) {
        self.clients.retain(|client| {
            if client.jobs.is_empty() && client.usage > 0 {
                self.absent.insert(client.id.clone(), client.usage);
            }
            !client.jobs.is_empty()
        });
    }
}

impl Client {
    /// Usage of the client once its smallest job is done.
    fn finish(&self) -> usize {
        let smallest = self.jobs.iter().map(|job| job.tokens).min().unwrap_or(0);
        self.usage + smallest.min(HEAD_START_TOKENS)
    }

    /// Takes the longest window of the job whose turn it is, with its length, so that slightly shorter windows can join it.
    fn lead(&mut self) -> (usize, Row) {
        self.oldest_led = self.jobs.len() == 1 || !self.oldest_led;
        let fewest = (0..self.jobs.len()).min_by_key(|&job| self.jobs[job].windows.len());
        let job = if self.oldest_led { 0 } else { fewest.unwrap_or(0) };
        let last = self.jobs[job].windows.len() - 1;
        self.take(job, last)
    }

    /// Takes a window that fits into a pass of this length, from the job that has the fewest windows left and a fitting one.
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
        let of = &mut self.jobs[job];
        let (number, (length, window)) = (of.number, of.windows.remove(place));
        of.tokens -= length;
        self.usage += length;
        if of.windows.is_empty() {
            self.jobs.remove(job);
        }
        (length, Row { job: number, window })
    }
}

/// The bucket of a length.
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

    /// Number of passes that a job leads among the next `passes`, of one window each.
    fn led(planner: &mut Planner, passes: usize, job: u64) -> usize {
        let jobs = jobs_of(planner, ALONE, passes);
        jobs.iter().filter(|&&led| led == job).count()
    }

    #[test]
    fn clients_share_passes_evenly_however_many_jobs_they_have() {
        let mut planner = Planner::default();
        for job in 0..10 {
            planner.add(&client("many"), job, [190; 50].into_iter());
        }
        planner.add(&client("one"), 10, [190; 50].into_iter());
        assert_eq!(led(&mut planner, 40, 10), 20);
    }

    #[test]
    fn a_client_that_used_little_is_hardly_disturbed_until_it_has_used_as_much() {
        let mut planner = Planner::default();
        planner.add(&client("noisy"), 1, std::iter::repeat_n(190, 10_000));
        jobs_of(&mut planner, ALONE, 500);
        planner.add(&client("quiet"), 2, [190; 3].into_iter());
        assert_eq!(jobs_of(&mut planner, ALONE, 3), [2; 3], "a letter");
        jobs_of(&mut planner, ALONE, 10);
        planner.add(&client("quiet"), 3, std::iter::repeat_n(190, 10_000));
        assert_eq!(led(&mut planner, 40, 3), 32, "four of five passes");
        jobs_of(&mut planner, ALONE, 1_000);
        assert!((49..=51).contains(&led(&mut planner, 100, 3)), "as much as the other");
    }

    #[test]
    fn letters_of_a_busy_client_go_before_a_large_document_of_a_newcomer() {
        let mut planner = Planner::default();
        for letter in 0..200 {
            planner.add(&client("letters"), letter, [150; 2].into_iter());
            jobs_of(&mut planner, ALONE, 2);
        }
        planner.add(&client("large"), 1_000, std::iter::repeat_n(190, 10_000));
        for letter in 200..300 {
            jobs_of(&mut planner, ALONE, 3);
            planner.add(&client("letters"), letter, [150; 2].into_iter());
            assert_eq!(jobs_of(&mut planner, ALONE, 2), [letter; 2]);
        }
    }

    #[test]
    fn a_large_document_has_a_third_of_the_tokens_beside_letters_without_end() {
        let mut planner = Planner::default();
        planner.add(&client("large"), 0, std::iter::repeat_n(190, 10_000));
        let (passes, mut of_large) = (2_000, 0);
        for letter in 1..=passes {
            planner.add(&client("letters"), letter, [150; 2].into_iter());
            of_large += led(&mut planner, 1, 0);
        }
        let (of_large, of_letters) = (of_large * 190, (passes as usize - of_large) * 150);
        let share = of_large as f64 / (of_large + of_letters) as f64;
        assert!((1.0 / 3.0..0.5).contains(&share), "{share}");
    }

    #[test]
    fn usage_counts_when_a_client_comes_back() {
        let mut planner = Planner::default();
        planner.add(&client("again"), 0, [190; 30].into_iter());
        jobs_of(&mut planner, ALONE, 30);
        planner.add(&client("other"), 1, [190; 30].into_iter());
        planner.add(&client("again"), 2, [190].into_iter());
        assert_eq!(
            jobs_of(&mut planner, ALONE, 4),
            [1, 1, 1, 1],
            "it had its part, and waits for others"
        );
        assert_eq!(led(&mut planner, 4, 2), 1, "but not for long");
    }

    #[test]
    fn newcomers_without_end_starve_nobody_and_are_not_remembered_for_ever() {
        let mut planner = Planner::default();
        planner.add(&client("old"), 0, std::iter::repeat_n(190, 10_000));
        jobs_of(&mut planner, ALONE, 500);
        let mut of_old = 0;
        for newcomer in 1..=4_000 {
            planner.add(&client(&format!("new-{newcomer}")), newcomer, [190].into_iter());
            of_old += led(&mut planner, 1, 0);
        }
        assert!(of_old >= 40, "{of_old}");
        assert!(
            planner.absent.len() <= 16 * HALF_LIFE_PASSES,
            "{}",
            planner.absent.len()
        );
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

        #[test]
        fn busy_clients_get_the_same_in_the_long_run(
            lengths in prop::collection::vec(prop::collection::vec(100_usize..200, 1..9), 2..5),
            rows_max in 1_usize..4,
        ) {
            let mut planner = Planner::default();
            for (number, lengths) in (0..).zip(&lengths) {
                planner.add(&client(&format!("c{number}")), number, lengths.iter().copied().cycle().take(5_000));
            }
            let mut tokens = vec![0; lengths.len()];
            for _ in 0..1_000 {
                for row in planner.next(PassLimits { tokens_max: 1_000, rows_max }).expect("there is work") {
                    let of = &lengths[row.job as usize];
                    tokens[row.job as usize] += of[row.window % of.len()];
                }
            }
            let (least, most) = (tokens.iter().min(), tokens.iter().max());
            prop_assert!(most.zip(least).is_some_and(|(most, least)| most * 10 <= least * 11), "{:?}", tokens);
        }

        #[test]
        fn nobody_waits_for_more_than_a_few_passes_of_each_who_came_before(
            arrivals in prop::collection::vec((0_u8..6, 1_usize..6), 1..200),
        ) {
            let mut planner = Planner::default();
            let (mut led, mut waits) = (Vec::new(), Vec::new());
            for (number, (owner, windows)) in (0..).zip(&arrivals) {
                let (id, ahead) = (client(&format!("c{owner}")), planner.clients.len());
                let comes_new = planner.clients.iter().all(|waiting| waiting.id != id);
                waits.extend(comes_new.then_some((*owner, led.len(), ahead)));
                planner.add(&id, number, std::iter::repeat_n(190, *windows));
                led.extend(jobs_of(&mut planner, ALONE, 1));
            }
            led.extend(jobs_of(&mut planner, ALONE, 2_000));
            for (owner, from, ahead) in waits {
                let its = |job: &u64| arrivals[*job as usize].0 == owner;
                let waited = led[from..].iter().position(its).expect("everything runs");
                prop_assert!(waited <= (PASSED_OVER_MAX + 1) * (ahead + 1), "{} beside {}", waited, ahead);
            }
        }
    }
}
