//! Times as callers and operators write them: RFC 3339 and nothing else. The parsing library accepts many more forms, among them
//! years before Christ, which databases do not.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de};

/// The form before the fraction of a second and the offset. `0` stands for any digit.
const DATE_AND_TIME: &str = "0000-00-00T00:00:00";
/// The form of an offset without its sign.
const OFFSET: &str = "00:00";
/// Highest hours and minutes of an offset.
const OFFSET_MAX: (&str, &str) = ("23", "59");

/// Why a text is not a time. The message continues a sentence that begins with the field's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTime {
    /// The text is not of the form, or there is no such day.
    #[error("must be a time such as 2027-01-31T18:00:00Z or 2027-01-31T19:00:00+01:00 (RFC 3339)")]
    Malformed,
    /// A blank where the offset has its sign: decoding a query turns a plus into a blank.
    #[error("has a blank where its offset has a sign: in a query, write + as %2B")]
    BlankForPlus,
}

/// Reads a time of RFC 3339.
pub fn parse(text: &str) -> Result<Timestamp, InvalidTime> {
    let (moment, rest) = text
        .split_at_checked(DATE_AND_TIME.len())
        .ok_or(InvalidTime::Malformed)?;
    let offset = after_fraction(rest);
    if !has_form(moment, DATE_AND_TIME) {
        return Err(InvalidTime::Malformed);
    }
    match offset.split_at_checked(1) {
        Some(("Z" | "z", "")) => {}
        Some(("+" | "-", offset)) if is_offset(offset) => {}
        Some((" ", offset)) if is_offset(offset) => return Err(InvalidTime::BlankForPlus),
        Some(_) | None => return Err(InvalidTime::Malformed),
    }
    text.parse().map_err(|_| InvalidTime::Malformed)
}

/// Reads a time that may be absent, for `serde`.
pub fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let time = text.as_deref().map(parse).transpose();
    time.map_err(|error| de::Error::custom(format!("it {error}")))
}

fn has_form(text: &str, form: &str) -> bool {
    let is_like = |(byte, form): (u8, u8)| match form {
        b'0' => byte.is_ascii_digit(),
        other => byte.eq_ignore_ascii_case(&other),
    };
    text.len() == form.len() && text.bytes().zip(form.bytes()).all(is_like)
}

fn is_offset(text: &str) -> bool {
    let (hours, minutes) = OFFSET_MAX;
    has_form(text, OFFSET) && &text[..2] <= hours && &text[3..] <= minutes
}

fn after_fraction(rest: &str) -> &str {
    let Some(fraction) = rest.strip_prefix('.') else {
        return rest;
    };
    fraction.trim_start_matches(|char: char| char.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_taken_as_rfc_3339_writes_it_and_in_no_other_form() {
        for (good, same) in [
            ("2027-01-31T18:00:00Z", "2027-01-31T18:00:00Z"),
            ("2027-01-31t18:00:00z", "2027-01-31T18:00:00Z"),
            ("2027-01-31T18:00:00.25-00:30", "2027-01-31T18:30:00.25Z"),
            ("2027-01-31T18:00:00+23:59", "2027-01-30T18:01:00Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
            ("9999-12-30T22:00:00Z", "9999-12-30T22:00:00Z"),
        ] {
            assert_eq!(parse(good).map(|time| time.to_string()), Ok(same.to_owned()), "{good}");
        }
        for bad in [
            "",
            "tomorrow",
            "2027-01-31",
            "2027-01-31T18:00Z",
            "2027-01-31T18:00:00",
            "2027-01-31 18:00:00Z",
            "2027-01-31T18:00:00ZZ",
            "2027-01-31T18:00:00Z[UTC]",
            "2027-01-31T18:00:00,5Z",
            "2027-01-31T18:00:00+01",
            "2027-01-31T18:00:00+0100",
            "2027-01-31T18:00:00+25:00",
            "2027-01-31T18:00:00+24:00",
            "2027-01-31T18:00:00+01:60",
            "2027-01-31T18:00:00+1:000",
            "2027-02-30T18:00:00Z",
            "2027-01-31T25:00:00Z",
            "20270131T180000Z",
            "-009999-06-01T00:00:00Z",
            "+002027-01-31T18:00:00Z",
            "9999-12-31T23:59:59-23:59",
            "２０２７-01-31T18:00:00Z",
            "1767225600",
        ] {
            assert_eq!(parse(bad), Err(InvalidTime::Malformed), "{bad}");
        }
        assert_eq!(parse("2027-01-31T18:00:00 01:00"), Err(InvalidTime::BlankForPlus));
    }
}
