//! Percentages, basis points, and percentages in words.

use serde::{Deserialize, Serialize};

use super::numbers::{Decimal, NUMBER_WORDS, Number};
use super::pattern::{Matched, Pattern, Reading, Start};
use super::{Unresolved, Value};

/// A percentage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Percent {
    /// The percentage as a decimal number: `5.25`. Basis points are hundredths: 50 basis points are `0.50`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<String>,
    /// Both readings, where the words and the figure of a text disagree.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ambiguous: Vec<String>,
    /// Why there is no percentage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unresolved: Option<Unresolved>,
}

const NUMBER_STARTS: &[Start] = &[Start::Digit, Start::Words(NUMBER_WORDS)];

/// The table of percentages.
pub(super) const PATTERNS: &[Pattern] = &[
    Pattern {
        name: "percent_sign",
        starts: &[Start::Digit],
        regex: r"(?P<low>{plain}(?:{opt}{dash}{opt}|{gap}to{gap}))?(?P<figure>{plain})(?:(?:{gap}|{hyphen})(?P<top>[1357])/(?P<bottom>[248])|(?P<vulgar>[½¼¾]))?{opt}[%％]",
        read: read_sign,
    },
    Pattern {
        name: "percent_in_words",
        starts: NUMBER_STARTS,
        regex: r"(?P<low>{plain}(?:{opt}{dash}{opt}|{gap}to{gap})|{spelled}(?:{opt}\({opt}{plain}{opt}\))?{gap}to{gap})?{number}{opt}(?:%{opt})?(?i:per{opt}cent(?:um)?|pct){end}\.?(?:{opt}[(\[]{opt}(?P<again>{plain}){opt}%{opt}[)\]])?",
        read: read_words,
    },
    Pattern {
        name: "basis_points",
        starts: NUMBER_STARTS,
        regex: r"{number}{opt}{hyphen}?(?i:basis{gap}points?|bps){end}",
        read: read_basis_points,
    },
    Pattern {
        name: "fraction_of_one_percent",
        starts: &[Start::Words(NUMBER_WORDS)],
        regex: r"(?P<part>{fraction}){gap}of{gap}(?:(?i:one|a){opt}(?:\({opt}1{opt}\){opt})?|1{opt})(?i:per{opt}cent|%)(?:{opt}[(\[]{opt}(?P<again>{plain}){opt}%{opt}[)\]])?",
        read: read_part,
    },
];

fn found(number: Number) -> Option<Reading> {
    let mut percent = Percent {
        percent: None,
        ambiguous: Vec::new(),
        unresolved: None,
    };
    match number {
        Number::Exact(value) => percent.percent = Some(value.to_string()),
        Number::Either(first, second) => percent.ambiguous = vec![first.to_string(), second.to_string()],
        Number::Unreadable => percent.unresolved = Some(Unresolved::Unreadable),
    }
    Some(Reading::Value(Value::Percent(percent)))
}

fn range() -> Option<Reading> {
    let unresolved = Some(Unresolved::Range);
    Some(Reading::Value(Value::Percent(Percent {
        percent: None,
        ambiguous: Vec::new(),
        unresolved,
    })))
}

fn read_sign(matched: &Matched<'_>) -> Option<Reading> {
    if matched.group("low").is_some() {
        return range();
    }
    let number = Number::in_digits(matched.group("figure")?);
    let part = match (matched.group("top"), matched.group("bottom"), matched.group("vulgar")) {
        (Some(top), Some(bottom), _) => Some(eighths(top.parse().ok()?, bottom.parse().ok()?)?),
        (_, _, Some("½")) => Some(eighths(1, 2)?),
        (_, _, Some("¼")) => Some(eighths(1, 4)?),
        (_, _, Some(_)) => Some(eighths(3, 4)?),
        _ => None,
    };
    found(part.map_or(number, |part| number.map(|value| value.plus(part))))
}

/// Makes a decimal of a fraction whose lower number is 2, 4 or 8.
fn eighths(top: u32, bottom: u32) -> Option<Decimal> {
    match bottom {
        2 => Decimal::parse("0.5")?.times(top),
        4 => Decimal::parse("0.25")?.times(top),
        _ => Decimal::parse("0.125")?.times(top),
    }
}

fn read_words(matched: &Matched<'_>) -> Option<Reading> {
    if matched.group("low").is_some() {
        return range();
    }
    found(confirmed(matched, stated(matched)))
}

/// Reads a number that the template `{number}` found.
fn stated(matched: &Matched<'_>) -> Number {
    let words = matched.group("words").or_else(|| matched.group("words_after"));
    Number::stated(words, matched.group("figure").or_else(|| matched.group("digits")))
}

/// Compares a number with the figure in brackets after the number, where there is such a figure.
fn confirmed(matched: &Matched<'_>, number: Number) -> Number {
    matched
        .group("again")
        .map_or(number, |again| number.confirmed_by(Number::in_digits(again)))
}

fn read_basis_points(matched: &Matched<'_>) -> Option<Reading> {
    found(stated(matched).map(|points| points.shift(-2)))
}

fn read_part(matched: &Matched<'_>) -> Option<Reading> {
    found(confirmed(matched, Number::in_words(matched.group("part")?)))
}

#[cfg(test)]
mod tests {
    use crate::values::tests::{check, check_nothing};

    #[test]
    fn percentages_have_exact_values() {
        check(
            "PERCENT",
            &[
                ("pays 5% a year", "5%", r#"{"kind":"percent","percent":"5"}"#),
                ("at 5.25 % net", "5.25 %", r#"{"kind":"percent","percent":"5.25"}"#),
                ("at 8-1/2% net", "8-1/2%", r#"{"kind":"percent","percent":"8.5"}"#),
                ("at 12½% net", "12½%", r#"{"kind":"percent","percent":"12.5"}"#),
                (
                    "five percent (5%) of",
                    "five percent (5%)",
                    r#"{"kind":"percent","percent":"5"}"#,
                ),
                (
                    "Five (5) percent of",
                    "Five (5) percent",
                    r#"{"kind":"percent","percent":"5"}"#,
                ),
                ("five (5%) percent of", "5%", r#"{"kind":"percent","percent":"5"}"#),
                (
                    "five percent (6%) of",
                    "five percent (6%)",
                    r#"{"kind":"percent","ambiguous":["5","6"]}"#,
                ),
                (
                    "12 per cent per annum",
                    "12 per cent",
                    r#"{"kind":"percent","percent":"12"}"#,
                ),
                (
                    "two and one-half percent",
                    "two and one-half percent",
                    r#"{"kind":"percent","percent":"2.5"}"#,
                ),
                (
                    "50 basis points",
                    "50 basis points",
                    r#"{"kind":"percent","percent":"0.50"}"#,
                ),
                (
                    "fifty (50) basis points",
                    "fifty (50) basis points",
                    r#"{"kind":"percent","percent":"0.50"}"#,
                ),
                (
                    "one-half of one percent",
                    "one-half of one percent",
                    r#"{"kind":"percent","percent":"0.5"}"#,
                ),
                (
                    "one-half of one percent (0.5%) of",
                    "one-half of one percent (0.5%)",
                    r#"{"kind":"percent","percent":"0.5"}"#,
                ),
                (
                    "seventy-five percent (75%)",
                    "seventy-five percent (75%)",
                    r#"{"kind":"percent","percent":"75"}"#,
                ),
                (
                    "between 5-10% of",
                    "5-10%",
                    r#"{"kind":"percent","unresolved":"range"}"#,
                ),
            ],
        );
    }

    #[test]
    fn no_percentages_are_found_elsewhere() {
        check_nothing(
            "PERCENT",
            &["five percentages", "x5%", "5 of 10", "a high percentage", "1.2.3%4"],
        );
    }
}
