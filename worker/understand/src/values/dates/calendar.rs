//! The Gregorian calendar, and the names of months and days of a month.

use crate::ordinals::ORDINALS;

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// A day of the calendar, which may not exist.
#[derive(Debug, Clone, Copy)]
pub(super) struct Day {
    /// Year of the Common Era.
    pub(super) year: u32,
    /// Month, from 1.
    pub(super) month: u32,
    /// Day of the month, from 1.
    pub(super) day: u32,
}

impl Day {
    /// Returns the day in ISO 8601, if the calendar has such a day.
    pub(super) fn iso(self) -> Option<String> {
        let Self { year, month, day } = self;
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        (1..=days)
            .contains(&day)
            .then(|| format!("{year:04}-{month:02}-{day:02}"))
    }
}

/// A year as a text writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Year {
    /// A year with four digits.
    Full(u32),
    /// A year with two digits, whose century the text does not say.
    Short,
}

impl Year {
    /// Reads a year with four digits, or with two digits and perhaps an apostrophe.
    pub(super) fn read(text: &str) -> Option<Self> {
        let digits = text.trim_start_matches(['\'', '’']);
        if digits.len() == 4 {
            Some(Self::Full(digits.parse().ok()?))
        } else {
            Some(Self::Short)
        }
    }
}

/// Returns the year that `2023-24` ends in: the next year whose last two digits are `last_two`.
pub(super) fn following_year(year: u32, last_two: u32) -> Option<u32> {
    (last_two == (year + 1) % 100).then_some(year + 1)
}

/// Returns the number of a month of which `name` is the name or the short name.
pub(super) fn month_number(name: &str) -> Option<u32> {
    let short = name.get(..3)?.to_ascii_lowercase();
    position(&MONTHS, &short)
}

/// Returns the day that an ordinal in words names.
pub(super) fn day_number(ordinal: &str) -> Option<u32> {
    let lower = ordinal.to_lowercase();
    match lower.as_str() {
        "twentieth" => return Some(20),
        "thirtieth" => return Some(30),
        _ => {}
    }
    let ones = |rest: &str| {
        position(
            &ORDINALS,
            rest.trim_start_matches(|sign: char| !sign.is_ascii_alphabetic()),
        )
    };
    if let Some(rest) = lower.strip_prefix("twenty") {
        return Some(20 + ones(rest)?);
    }
    if let Some(rest) = lower.strip_prefix("thirty") {
        return Some(30 + ones(rest)?);
    }
    ones(&lower)
}

fn position(names: &[&str], name: &str) -> Option<u32> {
    names
        .iter()
        .position(|known| *known == name)
        .and_then(|at| u32::try_from(at + 1).ok())
}
