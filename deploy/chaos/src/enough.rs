//! Whether a run did its work: that nothing wrong was found says nothing where little was done. Pure.

/// Fewest jobs accepted a fault, those read calmly not counted. Runs of all faults have a hundred and more, those of the
/// shortest faults alone some twenty; callers who are mostly refused have fewer than this.
const ACCEPTED_A_FAULT_MIN: u64 = 10;
/// Of how many accepted jobs one may be taken for poison, and one may need an operator after the faults. Runs have neither;
/// either could happen to a job whose processes met four kills, or whose message went with a wiped broker.
const ACCEPTED_A_TROUBLE_MIN: u64 = 200;

/// What a run did.
#[derive(Debug, Clone, Default)]
pub struct Work {
    /// Faults that were planned and can be injected on this machine.
    pub faults: u64,
    /// Those of them that were not injected, or not healed.
    pub not_injected: Vec<String>,
    /// Jobs accepted under load.
    pub accepted: u64,
    /// Jobs taken for poison since faults ended their processes.
    pub poisoned: u64,
    /// Jobs that an operator had to set waiting after the faults.
    pub requeued: u64,
}

/// Why the run shows less than it should, a sentence each.
pub fn shortfalls(work: &Work) -> Vec<String> {
    let mut short: Vec<String> = work
        .not_injected
        .iter()
        .map(|fault| format!("not injected: {fault}"))
        .collect();
    let accepted_min = work.faults * ACCEPTED_A_FAULT_MIN;
    if work.accepted < accepted_min {
        short.push(format!(
            "{} jobs were accepted under load, and {accepted_min} are the fewest",
            work.accepted
        ));
    }
    let troubles_max = work.accepted / ACCEPTED_A_TROUBLE_MIN;
    for (jobs, what) in [
        (work.poisoned, "were taken for poison"),
        (work.requeued, "had to be set waiting by an operator"),
    ] {
        if jobs > troubles_max {
            short.push(format!("{jobs} jobs {what}, and {troubles_max} are the most"));
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual() -> Work {
        Work {
            faults: 60,
            accepted: 10_000,
            ..Work::default()
        }
    }

    /// How much is complained of after a change.
    fn short(change: impl FnOnce(&mut Work)) -> usize {
        let mut work = usual();
        change(&mut work);
        shortfalls(&work).len()
    }

    #[test]
    fn a_usual_run_is_enough() {
        assert_eq!(short(|_| ()), 0);
        assert_eq!(
            short(|work| (work.poisoned, work.requeued) = (50, 50)),
            0,
            "at the limit"
        );
    }

    #[test]
    fn a_run_that_did_little_is_not() {
        assert_eq!(short(|work| work.accepted = 600), 0, "at the limit");
        assert_eq!(short(|work| work.accepted = 599), 1);
        assert_eq!(short(|work| work.accepted = 0), 1);
        let two = || vec!["worker-kill".to_owned(), "broker-wipe".to_owned()];
        assert_eq!(short(|work| work.not_injected = two()), 2);
    }

    #[test]
    fn jobs_given_up_and_jobs_that_needed_help_are_few() {
        assert_eq!(short(|work| work.poisoned = 51), 1);
        assert_eq!(short(|work| work.requeued = 51), 1);
    }
}
