//! Whether a run did enough: finding nothing wrong means little where little was done. Pure.

/// Fewest accepted jobs per fault, without those of the calm run. Runs of all faults have 100 and more, runs of the shortest
/// faults some 20. Callers that are mostly refused have fewer than this.
const ACCEPTED_A_FAULT_MIN: u64 = 10;
/// Accepted jobs for which one job may be taken for poison, and one may need an operator. Runs have neither. Either could happen
/// to a job whose processes met four kills, or whose message was lost with a wiped broker.
const ACCEPTED_A_TROUBLE_MIN: u64 = 200;

/// What a run achieved.
#[derive(Debug, Clone, Default)]
pub struct Work {
    /// Planned faults that this machine can inject.
    pub faults: u64,
    /// The planned faults that were not injected, or not healed.
    pub not_injected: Vec<String>,
    /// Jobs accepted under load, without those of the calm run.
    pub accepted: u64,
    /// Jobs taken for poison because faults ended their processes.
    pub poisoned: u64,
    /// Jobs that an operator had to requeue after the faults.
    pub requeued: u64,
}

/// Why the run proves less than it should, one sentence each.
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

    /// Number of shortfalls after a change.
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
