//! When a caller wants a job done: `priority`, `not_before` and `deadline` of uploads and of new analyses.

use std::time::Duration;

use docket_contract::job::Priority;
use docket_store::work::jobs::Schedule;
use jiff::{SignedDuration, Timestamp};

use docket_http::problem::{ApiError, Kind};
use docket_http::times;

/// How far ahead a time may be: longer than any planned campaign, yet a mistyped year is refused.
const AHEAD_MAX: Duration = Duration::from_secs(366 * 24 * 3600);

fn invalid(detail: impl Into<std::borrow::Cow<'static, str>>) -> ApiError {
    ApiError::new(Kind::INVALID_FIELD, detail)
}

/// Parses a priority.
pub fn priority(name: &str) -> Result<Priority, ApiError> {
    Priority::parse(name).ok_or_else(|| invalid("priority must be interactive or bulk."))
}

/// Parses a time of RFC 3339.
pub fn time(field: &str, text: &str) -> Result<Timestamp, ApiError> {
    times::parse(text).map_err(|error| invalid(format!("{field} {error}.")))
}

/// Refuses times that make no sense now. Checked when a job is accepted, not when an earlier answer is repeated.
pub fn check(schedule: &Schedule, now: Timestamp) -> Result<(), ApiError> {
    let ahead_max = SignedDuration::try_from(AHEAD_MAX).expect("a year is a duration");
    for (field, time) in [("not_before", schedule.not_before), ("deadline", schedule.deadline)] {
        if time.is_some_and(|time| time.duration_since(now) > ahead_max) {
            return Err(invalid(format!("{field} must be within a year.")));
        }
    }
    match (schedule.not_before, schedule.deadline) {
        (_, Some(deadline)) if deadline <= now => Err(invalid("deadline has passed already.")),
        (Some(not_before), Some(deadline)) if deadline <= not_before => {
            Err(invalid("deadline must be after not_before."))
        }
        (_, _) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_refused_that_make_no_sense() {
        let at = |text: &str| time("deadline", text).unwrap();
        let now = at("2026-11-24T12:00:00Z");
        let fits = |not_before: Option<&str>, deadline: Option<&str>| {
            let schedule = Schedule {
                not_before: not_before.map(at),
                deadline: deadline.map(at),
                ..Schedule::default()
            };
            check(&schedule, now).is_ok()
        };
        assert!(fits(None, None) && fits(Some("2020-01-01T00:00:00Z"), None));
        assert!(fits(Some("2026-11-24T13:00:00+01:00"), Some("2026-11-24T12:00:01Z")));
        assert!(!fits(None, Some("2026-11-24T12:00:00Z")));
        assert!(!fits(Some("2026-12-24T12:00:00Z"), Some("2026-12-24T12:00:00Z")));
        assert!(!fits(Some("2027-12-24T12:00:00Z"), None) && !fits(None, Some("2206-11-24T12:00:00Z")));
        assert!(time("deadline", "tomorrow").is_err() && time("deadline", "2026-11-24T12:00:00").is_err());
        assert!(priority("bulk").is_ok() && priority("Bulk").is_err());
    }
}
