//! What the separators of a figure mean: which divide groups of digits, and which is the decimal point.
//!
//! The rules, in order:
//! 1. Blanks and apostrophes divide groups.
//! 2. Where a figure has both commas and points, the last separator is the decimal point.
//! 3. A separator that appears more than once divides groups.
//! 4. One comma before exactly three digits divides groups, unless the first group is `0`. Before other digits, the comma
//!    is a decimal point for a currency of a country that writes so, and unreadable for any other.
//! 5. One point is the decimal point. Before exactly three digits it is ambiguous for a currency of a country that
//!    writes a decimal comma.
//!
//! A group has three digits; groups of two are read in the Indian order (`5,00,000`).

use super::numbers::{Decimal, Number};

/// Which separator a currency's countries write before decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Convention {
    /// `1,250.00`
    Point,
    /// `1.250,00`, though English texts write `1,250.00` as well.
    Comma,
}

/// Reads a figure.
pub(super) fn read(figure: &str, convention: Convention) -> Number {
    let is_group_mark = |sign: char| matches!(sign, '\'' | '’' | ' ' | '\u{A0}' | '\u{2009}' | '\u{202F}');
    let has_group_marks = figure.contains(is_group_mark);
    let plain: String = figure.chars().filter(|sign| !is_group_mark(*sign)).collect();
    let (commas, points) = (plain.matches(',').count(), plain.matches('.').count());
    if has_group_marks {
        return if well_grouped(figure) && commas + points <= 1 {
            exact(&plain.replace(',', "."))
        } else {
            Number::Unreadable
        };
    }
    match (commas, points) {
        (0, 0) => exact(&plain),
        (_, 1) if commas > 0 && plain.rfind('.') > plain.rfind(',') => grouped(&plain, ',', '.'),
        (1, _) if points > 0 && plain.rfind(',') > plain.rfind('.') => grouped(&plain, '.', ','),
        (2.., 0) => grouped(&plain, ',', '.'),
        (0, 2..) => grouped(&plain, '.', ','),
        (1, 0) => one_comma(&plain, convention),
        (0, 1) => one_point(&plain, convention),
        _ => Number::Unreadable,
    }
}

fn one_comma(figure: &str, convention: Convention) -> Number {
    match (three_digits_follow(figure, ','), convention) {
        (true, _) => exact(&figure.replace(',', "")),
        (false, Convention::Comma) => exact(&figure.replace(',', ".")),
        (false, Convention::Point) => Number::Unreadable,
    }
}

fn one_point(figure: &str, convention: Convention) -> Number {
    let decimal = Decimal::parse(figure);
    if convention == Convention::Comma && three_digits_follow(figure, '.') {
        return match (Decimal::parse(&figure.replace('.', "")), decimal) {
            (Some(grouped), Some(decimal)) => Number::Either(grouped, decimal),
            _ => Number::Unreadable,
        };
    }
    decimal.map_or(Number::Unreadable, Number::Exact)
}

fn three_digits_follow(figure: &str, separator: char) -> bool {
    figure
        .split_once(separator)
        .is_some_and(|(whole, rest)| rest.len() == 3 && (1..=3).contains(&whole.len()) && !whole.starts_with('0'))
}

fn grouped(figure: &str, group_mark: char, point: char) -> Number {
    let (whole, decimals) = figure.split_once(point).unwrap_or((figure, ""));
    let lengths: Vec<usize> = whole.split(group_mark).map(str::len).collect();
    let [first, middle @ .., last] = lengths.as_slice() else {
        return Number::Unreadable;
    };
    let western = (1..=3).contains(first) && middle.iter().all(|length| *length == 3);
    let indian = group_mark == ',' && (1..=3).contains(first) && middle.iter().all(|length| *length == 2);
    if *last != 3 || !(western || indian) || decimals.contains(group_mark) {
        return Number::Unreadable;
    }
    let digits: String = whole.chars().filter(char::is_ascii_digit).collect();
    if decimals.is_empty() {
        exact(&digits)
    } else {
        exact(&format!("{digits}.{decimals}"))
    }
}

/// Says whether blanks or apostrophes divide the whole part into groups of three digits.
fn well_grouped(figure: &str) -> bool {
    let whole = figure.split(['.', ',']).next().unwrap_or_default();
    whole
        .split(|sign: char| !sign.is_ascii_digit())
        .skip(1)
        .all(|group| group.len() == 3)
}

fn exact(digits: &str) -> Number {
    Decimal::parse(digits).map_or(Number::Unreadable, Number::Exact)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(figure: &str, convention: Convention) -> String {
        match read(figure, convention) {
            Number::Exact(value) => value.to_string(),
            Number::Either(first, second) => format!("{first} or {second}"),
            Number::Unreadable => "unreadable".to_owned(),
        }
    }

    #[test]
    fn separators_are_read_by_the_rules() {
        for (figure, point, comma) in [
            ("1250000", "1250000", "1250000"),
            ("1,250,000.00", "1250000.00", "1250000.00"),
            ("1.250.000,00", "1250000.00", "1250000.00"),
            ("1,250", "1250", "1250"),
            ("1.250", "1.250", "1250 or 1.250"),
            ("0.125", "0.125", "0.125"),
            ("1,25", "unreadable", "1.25"),
            ("5,00,000", "500000", "500000"),
            ("240,03,62,830.86", "2400362830.86", "2400362830.86"),
            ("1'000.50", "1000.50", "1000.50"),
            ("1 250 000", "1250000", "1250000"),
            ("1\u{202F}250,5", "1250.5", "1250.5"),
            (".01", "0.01", "0.01"),
            ("1.2.3.4", "unreadable", "unreadable"),
            ("12,34,56", "unreadable", "unreadable"),
        ] {
            assert_eq!(reading(figure, Convention::Point), point, "{figure}");
            assert_eq!(reading(figure, Convention::Comma), comma, "{figure}");
        }
    }
}
