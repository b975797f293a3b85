//! Durations before now, as operators write them: `--older-than 1h`, `--newer-than "2 days"`.

use std::str::FromStr;

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

/// A duration before now. Days are 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ago(SignedDuration);

/// Longest duration, in days: older than any job, yet in a year that databases know.
const DAYS_MAX: i64 = 36_500;

/// The text is not a duration, or too long a one.
#[derive(Debug, thiserror::Error)]
#[error("it must be a time such as 90s, 15m, 1h, 2d or 1w, and at most {DAYS_MAX}d")]
pub struct InvalidAgo;

impl FromStr for Ago {
    type Err = InvalidAgo;

    fn from_str(text: &str) -> Result<Self, InvalidAgo> {
        let span: Span = text.parse().map_err(|_| InvalidAgo)?;
        let ago = span.to_duration(SpanRelativeTo::days_are_24_hours());
        let within = SignedDuration::ZERO..=SignedDuration::from_hours(DAYS_MAX * 24);
        ago.ok().filter(|ago| within.contains(ago)).map(Self).ok_or(InvalidAgo)
    }
}

impl Ago {
    /// The time this long before `now`.
    pub fn before(self, now: Timestamp) -> anyhow::Result<Timestamp> {
        Ok(now.checked_sub(self.0)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("90s", 90),
            ("15m", 900),
            ("1h", 3_600),
            ("1h30m", 5_400),
            ("2d", 172_800),
            ("2 days", 172_800),
            ("1w", 604_800),
            ("PT1H", 3_600),
            ("0s", 0),
            ("36500d", 3_153_600_000),
        ] {
            assert_eq!(
                text.parse::<Ago>().ok(),
                Some(Ago(SignedDuration::from_secs(seconds))),
                "{text}"
            );
        }
        for bad in [
            "",
            "1",
            "h",
            "-1h",
            "1h ago",
            "1 month",
            "1y",
            "yesterday",
            "36501d",
            "3000000d",
        ] {
            assert!(bad.parse::<Ago>().is_err(), "{bad:?} was taken");
        }
    }
}
