//! Calendar dates, months, quarters and years, in ISO 8601.
//!
//! A date in digits such as `9/10/2023` has two readings, and both are listed: no habit of a country is assumed. A year
//! with two digits has no century. `May`, `March` and their short forms count only with a capital, beside a day or a
//! year. A year alone counts only after a word that makes it a year, such as `in 2019`.

mod calendar;
mod table;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::pattern::{Matched, Reading};
use super::{Unresolved, Value};
pub(super) use table::PATTERNS;

use calendar::{Day, Year, day_number, month_number};

/// A date, as exact as the text makes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Date {
    /// ISO 8601 date, month or year: `2024-01-05`, `2024-01`, `2024`; for a year of two, an interval: `2023/2024`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Quarter of a year: `2024-Q1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarter: Option<String>,
    /// Month and day of a date whose year the text does not name: `12-31`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month_day: Option<String>,
    /// How exact the date is.
    pub precision: Precision,
    /// The quarter or year belongs to a fiscal year, which need not begin in January.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fiscal: bool,
    /// All readings, in order, where the text allows more than one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ambiguous: Vec<String>,
    /// Why there is no date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unresolved: Option<Unresolved>,
}

/// How exact a date is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// A day.
    Day,
    /// A month.
    Month,
    /// A quarter of a year.
    Quarter,
    /// A year.
    Year,
}

impl Date {
    fn new(precision: Precision) -> Self {
        Self {
            date: None,
            quarter: None,
            month_day: None,
            precision,
            fiscal: false,
            ambiguous: Vec::new(),
            unresolved: None,
        }
    }

    fn unresolved(precision: Precision, reason: Unresolved) -> Self {
        Self {
            unresolved: Some(reason),
            ..Self::new(precision)
        }
    }
}

/// Words after which a number of four digits is a year.
const YEAR_WORDS: &[&str] = &[
    "in", "since", "during", "year", "years", "until", "till", "early", "late", "mid", "circa", "spring", "summer",
    "autumn", "fall", "winter",
];
/// Words that make a count of the number before them, so that `in 2000 shares` holds no year.
const COUNTED_WORDS: &[&str] = &[
    "shares",
    "units",
    "copies",
    "square",
    "sq",
    "feet",
    "employees",
    "days",
    "hours",
    "metres",
    "meters",
    "acres",
    "persons",
    "people",
    "dollars",
    "rupees",
    "euros",
    "hrs",
    "kg",
    "tons",
    "tonnes",
    "km",
    "miles",
];
/// Words after which `5.1.24` is a date and not the number of a section.
const DATED_WORDS: &[&str] = &[
    "dated", "dtd", "dt", "on", "date", "from", "till", "until", "upto", "to", "since", "by", "before", "after",
];

fn found(date: Date) -> Option<Reading> {
    Some(Reading::Value(Value::Date(date)))
}

/// Reads a date whose month is a word.
fn read_worded(matched: &Matched<'_>) -> Option<Reading> {
    let month = month_number(matched.group("month")?)?;
    let day = match (matched.group("day"), matched.group("ordinal")) {
        (Some(digits), _) => digits.parse().ok()?,
        (None, ordinal) => day_number(ordinal?)?,
    };
    let Some(year) = matched.group("year").or_else(|| matched.group("year_2")) else {
        return found(without_year(month, day)?);
    };
    if is_count(matched) {
        return None;
    }
    found(match Year::read(year)? {
        Year::Short => Date::unresolved(Precision::Day, Unresolved::Century),
        Year::Full(year) => exact_day(Day { year, month, day }),
    })
}

/// Says whether the year of a match is a number of things: `May 5, 2000 shares`.
fn is_count(matched: &Matched<'_>) -> bool {
    COUNTED_WORDS.contains(&matched.word_after().as_str())
}

fn exact_day(day: Day) -> Date {
    match day.iso() {
        Some(iso) => Date {
            date: Some(iso),
            ..Date::new(Precision::Day)
        },
        None => Date::unresolved(Precision::Day, Unresolved::Impossible),
    }
}

fn read_month_day(matched: &Matched<'_>) -> Option<Reading> {
    let month = month_number(matched.group("month")?)?;
    found(without_year(month, matched.group("day")?.parse().ok()?)?)
}

/// Makes a date without a year, if any year has such a day.
fn without_year(month: u32, day: u32) -> Option<Date> {
    const LEAP_YEAR: u32 = 2000;
    Day {
        year: LEAP_YEAR,
        month,
        day,
    }
    .iso()?;
    let month_day = Some(format!("{month:02}-{day:02}"));
    Some(Date {
        month_day,
        ..Date::unresolved(Precision::Day, Unresolved::Year)
    })
}

fn read_month_year(matched: &Matched<'_>) -> Option<Reading> {
    let month = month_number(matched.group("month")?)?;
    if is_count(matched) {
        return None;
    }
    found(match Year::read(matched.group("year")?)? {
        Year::Short => Date::unresolved(Precision::Month, Unresolved::Century),
        Year::Full(year) => Date {
            date: Some(format!("{year:04}-{month:02}")),
            ..Date::new(Precision::Month)
        },
    })
}

fn read_iso(matched: &Matched<'_>) -> Option<Reading> {
    let number = |names: [&str; 3]| names.iter().find_map(|name| matched.group(name))?.parse().ok();
    let month = number(["month", "month_2", "month_3"])?;
    let day = number(["day", "day_2", "day_3"])?;
    if code_goes_on(matched.after()) {
        return None;
    }
    let iso = Day {
        year: matched.group("year")?.parse().ok()?,
        month,
        day,
    }
    .iso()?;
    found(Date {
        date: Some(iso),
        ..Date::new(Precision::Day)
    })
}

/// Reads `5.1.2024`, of which no order of day and month is assumed. A number that is no date in any order is no date.
fn read_numeric(matched: &Matched<'_>) -> Option<Reading> {
    let first: u32 = matched.group("one")?.parse().ok()?;
    let second: u32 = ["two_1", "two_2", "two_3"]
        .iter()
        .find_map(|name| matched.group(name))?
        .parse()
        .ok()?;
    let short = matches!(Year::read(matched.group("year")?)?, Year::Short);
    if code_goes_on(matched.after()) || (short && !is_short_date(matched)) {
        return None;
    }
    const LEAP_YEAR: u32 = 2000;
    let year = match Year::read(matched.group("year")?)? {
        Year::Full(year) => year,
        Year::Short => LEAP_YEAR,
    };
    let orders = [(first, second), (second, first)];
    let mut readings: Vec<String> = orders
        .iter()
        .filter_map(|(month, day)| {
            Day {
                year,
                month: *month,
                day: *day,
            }
            .iso()
        })
        .collect();
    readings.sort();
    readings.dedup();
    found(match (short, readings.as_slice()) {
        (_, []) => return None,
        (true, _) => Date::unresolved(Precision::Day, Unresolved::Century),
        (false, [only]) => Date {
            date: Some(only.clone()),
            ..Date::new(Precision::Day)
        },
        (false, _) => Date {
            ambiguous: readings,
            ..Date::new(Precision::Day)
        },
    })
}

/// Says whether a date with two digits of a year is no number of a section: after a word such as `dated`, or slashed or
/// hyphenated.
fn is_short_date(matched: &Matched<'_>) -> bool {
    matched.group("two_1").is_none() || DATED_WORDS.contains(&matched.word_before().as_str())
}

/// Says whether a code such as `1-2-2020-7` goes on after the match.
fn code_goes_on(after: &str) -> bool {
    let mut signs = after.chars();
    signs
        .next()
        .is_some_and(|sign| matches!(sign, '-' | '/' | '\u{2010}' | '\u{2011}'))
        && signs.next().is_some_and(|sign| sign.is_ascii_digit())
}

fn read_quarter(matched: &Matched<'_>) -> Option<Reading> {
    let number = match (matched.group("quarter"), matched.group("ordinal")) {
        (Some(digit), _) => digit.parse().ok()?,
        (None, ordinal) => day_number(ordinal?)?,
    };
    let year = matched.group("year")?;
    let fiscal = matched.group("fiscal").or_else(|| matched.group("fiscal_2")).is_some();
    found(Date {
        quarter: Some(format!("{year}-Q{number}")),
        fiscal,
        ..Date::new(Precision::Quarter)
    })
}

fn read_year_of_accounts(matched: &Matched<'_>) -> Option<Reading> {
    let year = matched.group("year")?;
    let date = match matched.group("until") {
        None => year.to_owned(),
        Some(until) if until.len() == 4 => format!("{year}/{until}"),
        Some(until) => format!(
            "{year}/{}",
            calendar::following_year(year.parse().ok()?, until.parse().ok()?)?
        ),
    };
    let fiscal = matched.group("fiscal").is_some();
    found(Date {
        date: Some(date),
        fiscal,
        ..Date::new(Precision::Year)
    })
}

fn read_year(matched: &Matched<'_>) -> Option<Reading> {
    if !YEAR_WORDS.contains(&matched.word_before().as_str()) || is_count(matched) || code_goes_on(matched.after()) {
        return None;
    }
    found(Date {
        date: Some(matched.surface().to_owned()),
        ..Date::new(Precision::Year)
    })
}
