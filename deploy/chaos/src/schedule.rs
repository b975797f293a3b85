//! The schedules of uploads: most at once, some later or as bulk work, a few with a deadline.

use std::time::SystemTime;

use docket_checker::log::Schedule;
use jiff::Timestamp;

use crate::random::Random;

/// Of 100 uploads, how many are bulk: more than bulk work's minimum share of the published jobs.
const BULK_PERCENT: usize = 15;
/// Of 100 uploads, how many may not begin at once.
const DELAYED_PERCENT: usize = 4;
/// Longest delay of an upload, in seconds: about the time of a few faults.
const DELAY_SECONDS_MAX: usize = 6;
/// Of a hundred uploads, how many have a deadline.
const DEADLINE_PERCENT: usize = 4;
/// Time until a deadline, in seconds: longer than any single fault delays a job, so that few jobs expire.
const DEADLINE_SECONDS: i64 = 60;

/// A random schedule of an upload that is sent now.
pub fn any(chance: &mut Random) -> Schedule {
    let now = SystemTime::UNIX_EPOCH
        .elapsed()
        .map_or(0, |since| since.as_secs() as i64);
    let (bulk, is_delayed) = (chance.percent(BULK_PERCENT), chance.percent(DELAYED_PERCENT));
    let delay = 1 + chance.below(DELAY_SECONDS_MAX) as i64;
    Schedule {
        bulk,
        not_before: is_delayed.then_some(now + delay),
        deadline: chance.percent(DEADLINE_PERCENT).then_some(now + DEADLINE_SECONDS),
    }
}

/// The schedule as fields of a query, after another field.
pub fn query(schedule: Schedule) -> String {
    let time = |name: &str, at: Option<i64>| {
        let at = Timestamp::from_second(at?).ok()?;
        Some(format!("&{name}={at}"))
    };
    let parts = [
        schedule.bulk.then(|| "&priority=bulk".to_owned()),
        time("not_before", schedule.not_before),
        time("deadline", schedule.deadline),
    ];
    parts.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_uploads_are_wanted_at_once_and_some_in_every_other_way() {
        let mut chance = Random::new(1, 1);
        let all: Vec<Schedule> = (0..1_000).map(|_| any(&mut chance)).collect();
        let count = |is_so: fn(&Schedule) -> bool| all.iter().filter(|schedule| is_so(schedule)).count();
        assert!(count(|schedule| *schedule == Schedule::default()) > 700);
        assert!(count(|schedule| schedule.bulk) > 100);
        assert!(count(|schedule| schedule.not_before.is_some()) > 20);
        assert!(count(|schedule| schedule.deadline.is_some()) > 20);
        assert!(
            all.iter()
                .all(|schedule| schedule.deadline.is_none() || schedule.not_before < schedule.deadline)
        );
    }

    #[test]
    fn a_query_has_times_as_rfc_3339_writes_them() {
        let schedule = Schedule {
            bulk: true,
            not_before: Some(0),
            deadline: Some(60),
        };
        let expected = "&priority=bulk&not_before=1970-01-01T00:00:00Z&deadline=1970-01-01T00:01:00Z";
        assert_eq!(query(schedule), expected);
        assert_eq!(query(Schedule::default()), "");
    }
}
