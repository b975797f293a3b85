//! Lengths of time and notice periods, in ISO 8601.
//!
//! An age (`aged 30 years`, `18 years old`) is no duration: the number says something about a person.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::numbers::{Decimal, NUMBER_WORDS, Number};
use super::pattern::{Matched, Pattern, Reading, Start, last_bytes};
use super::templates;
use super::{Unresolved, Value};

/// A length of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duration {
    /// ISO 8601 duration, such as `P30D`, `P1Y6M` or `PT24H`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// The days are business, working, banking or trading days.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub business: bool,
    /// Both readings, where the words and the figure of a text disagree.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ambiguous: Vec<String>,
    /// Why there is no duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unresolved: Option<Unresolved>,
}

/// Bytes before a duration within which `aged` must stand: enough for `aged about`.
const AGE_BYTES: usize = 14;

/// A count with its unit, such as `thirty (30) business days`. The regular expression without groups finds the whole
/// duration; the same expression with groups then reads the components.
macro_rules! component {
    ($number:literal, $unit:literal) => {
        concat!(
            $number,
            r"(?:{opt}{hyphen}{opt}|{opt})",
            r"(?:(?i:calendar|business|working|banking|trading|consecutive|successive|full|additional|further|clear|complete|continuous|more)(?:{gap}|{hyphen})",
            r")*",
            $unit,
            r"(?i:days?|weeks?|months?|years?|yrs?|hours?|hrs?|minutes?|fortnights?)){end}",
        )
    };
}

/// The table of durations.
pub(super) const PATTERNS: &[Pattern] = &[Pattern {
    name: "duration",
    starts: &[Start::Digit, Start::Words(NUMBER_WORDS)],
    regex: concat!(
        r"(?P<low>{plain}(?:{opt}{dash}{opt}|{gap}to{gap})|{spelled}(?:{opt}\({opt}{plain}{opt}\))?{gap}(?:to|or){gap})?",
        component!("{count}", "(?:"),
        r"(?:(?:,{gap}(?:and{gap})?|{gap}(?:and{gap})?)",
        component!("{count}", "(?:"),
        r")*",
    ),
    read: read_duration,
}];

static COMPONENT: LazyLock<Regex> = LazyLock::new(|| {
    let expanded = templates::expand(component!("{number}", "(?P<unit>"));
    Regex::new(&expanded).expect("the pattern of a component is the same for every text")
});

/// Compiles what reads the components of a duration.
pub(super) fn compile() {
    LazyLock::force(&COMPONENT);
}

fn found(duration: Duration) -> Option<Reading> {
    Some(Reading::Value(Value::Duration(duration)))
}

fn read_duration(matched: &Matched<'_>) -> Option<Reading> {
    if is_age(matched) || is_time_of_day(matched) || year_follows(matched.after()) {
        return None;
    }
    let surface = matched.surface();
    let lower = surface.to_lowercase();
    let business = ["business", "working", "banking", "trading"]
        .iter()
        .any(|kind| lower.contains(kind));
    let mut duration = Duration {
        duration: None,
        business,
        ambiguous: Vec::new(),
        unresolved: None,
    };
    if let Some(low) = matched.group("low") {
        if low
            .get(..4)
            .is_some_and(|year| year.bytes().all(|byte| byte.is_ascii_digit()))
        {
            return None; // `June 18, 2019 - 30 days`: a year, and no lower limit.
        }
        duration.unresolved = Some(Unresolved::Range);
        return found(duration);
    }
    let components = components(surface)?;
    if unit(&matched.word_before()) == Some(components.first()?.1) {
        return None; // `year 1 year 2` heads the columns of a table.
    }
    let first_readings = components
        .iter()
        .map(|(number, unit)| (number.first(), *unit))
        .collect::<Vec<_>>();
    let second_readings = components
        .iter()
        .map(|(number, unit)| (number.second(), *unit))
        .collect::<Vec<_>>();
    match (iso(&first_readings), iso(&second_readings)) {
        (Some(first), Some(second)) if first == second => duration.duration = Some(first),
        (Some(first), Some(second)) => duration.ambiguous = vec![first, second],
        _ => duration.unresolved = Some(Unresolved::Unreadable),
    }
    found(duration)
}

fn is_age(matched: &Matched<'_>) -> bool {
    let after = matched.after().trim_start_matches(['-', ' ']);
    let before = last_bytes(matched.before(), AGE_BYTES).to_lowercase();
    let announced = before
        .split_whitespace()
        .any(|word| matches!(word.trim_matches([':', ',', '-']), "aged" | "age"));
    announced || after.starts_with("old") || after.starts_with("of age")
}

/// Says whether a match is a time of day as Indian courts write it: `21.25 hours`.
fn is_time_of_day(matched: &Matched<'_>) -> bool {
    let Some((hours, rest)) = matched.surface().split_once('.') else {
        return false;
    };
    let (minutes, unit) = rest.split_at(rest.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(rest.len()));
    hours.len() <= 2 && minutes.len() == 2 && unit.trim_start().to_lowercase().starts_with('h')
}

/// Says whether a year follows, so that `58 Year-2020` is the number of a case.
fn year_follows(after: &str) -> bool {
    after
        .strip_prefix('-')
        .is_some_and(|rest| rest.starts_with(|sign: char| sign.is_ascii_digit()))
}

/// A unit of a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Years,
    Months,
    Weeks,
    Days,
    Hours,
    Minutes,
}

/// Reads the components; refuses what is no duration, such as a year of the calendar (`the 2019 year`).
fn components(surface: &str) -> Option<Vec<(Number, Unit)>> {
    let mut components = Vec::new();
    for captures in COMPONENT.captures_iter(surface) {
        let group = |name| captures.name(name).map(|group| group.as_str());
        let words = group("words").or_else(|| group("words_after"));
        let digits = group("figure").or_else(|| group("digits"));
        let unit = unit(group("unit")?)?;
        if unit != Unit::Days && digits.is_some_and(|digits| digits.len() == 4 && words.is_none()) {
            return None;
        }
        let number = Number::stated(words, digits);
        let fortnights = group("unit")?.to_lowercase().starts_with("fortnight");
        components.push((
            if fortnights {
                number.map(|count| count.times(2))
            } else {
                number
            },
            unit,
        ));
    }
    (!components.is_empty()).then_some(components)
}

fn unit(word: &str) -> Option<Unit> {
    match word.to_lowercase().as_str() {
        "year" | "years" | "yr" | "yrs" => Some(Unit::Years),
        "month" | "months" => Some(Unit::Months),
        "week" | "weeks" | "fortnight" | "fortnights" => Some(Unit::Weeks),
        "day" | "days" => Some(Unit::Days),
        "hour" | "hours" | "hr" | "hrs" => Some(Unit::Hours),
        "minute" | "minutes" => Some(Unit::Minutes),
        _ => None,
    }
}

impl Number {
    fn first(self) -> Option<Decimal> {
        match self {
            Self::Exact(value) | Self::Either(value, _) => Some(value),
            Self::Unreadable => None,
        }
    }

    fn second(self) -> Option<Decimal> {
        match self {
            Self::Exact(value) | Self::Either(_, value) => Some(value),
            Self::Unreadable => None,
        }
    }
}

/// Writes components in ISO 8601. Weeks beside another unit become days, since the standard lets weeks only stand alone.
fn iso(components: &[(Option<Decimal>, Unit)]) -> Option<String> {
    let (mut date, mut time) = (String::new(), String::new());
    let mut last = None;
    for (count, unit) in components {
        let count = (*count)?;
        if last.is_some_and(|last| *unit as u8 <= last) {
            return None;
        }
        last = Some(*unit as u8);
        match unit {
            Unit::Years => date += &format!("{count}Y"),
            Unit::Months => date += &format!("{count}M"),
            Unit::Weeks if components.len() == 1 => date += &format!("{count}W"),
            Unit::Weeks if components.iter().any(|(_, unit)| *unit == Unit::Days) => return None,
            Unit::Weeks => date += &format!("{}D", count.times(7)?),
            Unit::Days => date += &format!("{count}D"),
            Unit::Hours => time += &format!("{count}H"),
            Unit::Minutes => time += &format!("{count}M"),
        }
    }
    Some(if time.is_empty() {
        format!("P{date}")
    } else {
        format!("P{date}T{time}")
    })
}

#[cfg(test)]
mod tests {
    use crate::values::tests::{check, check_nothing};

    #[test]
    fn durations_are_iso_8601() {
        check(
            "DURATION",
            &[
                (
                    "within thirty (30) days of",
                    "thirty (30) days",
                    r#"{"kind":"duration","duration":"P30D"}"#,
                ),
                ("a 30-day period", "30-day", r#"{"kind":"duration","duration":"P30D"}"#),
                (
                    "a thirty-day period",
                    "thirty-day",
                    r#"{"kind":"duration","duration":"P30D"}"#,
                ),
                (
                    "for two (2) years,",
                    "two (2) years",
                    r#"{"kind":"duration","duration":"P2Y"}"#,
                ),
                (
                    "twenty-four (24) months",
                    "twenty-four (24) months",
                    r#"{"kind":"duration","duration":"P24M"}"#,
                ),
                (
                    "30 (thirty) days",
                    "30 (thirty) days",
                    r#"{"kind":"duration","duration":"P30D"}"#,
                ),
                (
                    "ten (10) business days",
                    "ten (10) business days",
                    r#"{"kind":"duration","duration":"P10D","business":true}"#,
                ),
                (
                    "90 calendar days' notice",
                    "90 calendar days",
                    r#"{"kind":"duration","duration":"P90D"}"#,
                ),
                (
                    "a period of 18\u{A0}months",
                    "18\u{A0}months",
                    r#"{"kind":"duration","duration":"P18M"}"#,
                ),
                ("24 hours", "24 hours", r#"{"kind":"duration","duration":"PT24H"}"#),
                (
                    "one year and six months",
                    "one year and six months",
                    r#"{"kind":"duration","duration":"P1Y6M"}"#,
                ),
                ("2 weeks", "2 weeks", r#"{"kind":"duration","duration":"P2W"}"#),
                ("1.5 years", "1.5 years", r#"{"kind":"duration","duration":"P1.5Y"}"#),
                (
                    "five (7) days",
                    "five (7) days",
                    r#"{"kind":"duration","ambiguous":["P5D","P7D"]}"#,
                ),
                (
                    "Section 6.11(a) or ten years",
                    "ten years",
                    r#"{"kind":"duration","duration":"P10Y"}"#,
                ),
                (
                    "5-10 Business Days",
                    "5-10 Business Days",
                    r#"{"kind":"duration","business":true,"unresolved":"range"}"#,
                ),
            ],
        );
    }

    #[test]
    fn ages_and_years_of_the_calendar_are_no_durations() {
        let texts = [
            "aged 30 years",
            "Aged About 68 Years",
            "18 years old",
            "at 21.25 hours",
            "58 Year-2020",
            "year 1 year 2",
            "a 5-year-old child",
            "the 2019 year",
            "30 dayshift",
            "day 30",
        ];
        check_nothing("DURATION", &texts);
    }
}
