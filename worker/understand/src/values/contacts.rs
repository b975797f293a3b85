//! E-mail addresses, web addresses and telephone numbers.
//!
//! A telephone number counts with a `+`, with an area code in the form of North America, or after a word such as `Tel`.
//! Other runs of digits count for nothing here.

use serde::{Deserialize, Serialize};

use super::Value;
use super::pattern::{Matched, Pattern, Reading, Start};

/// A telephone or fax number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    /// The digits, after a `+` where the text has a country code: `+442079460958`.
    pub number: String,
    /// Digits of the extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
}

/// Name of the pattern of web addresses, which are longer than other values.
pub(super) const URL_NAME: &str = "url";
/// Bytes of the longest local part of an e-mail address (RFC 5321, section 4.5.3.1.1).
const LOCAL_PART_BYTES_MAX: usize = 64;
/// Digits of a telephone number with its country code (ITU-T E.164 allows 15; shorter than 8 are local codes).
const INTERNATIONAL_DIGITS: std::ops::RangeInclusive<usize> = 8..=15;
/// Digits of a telephone number after a word such as `Tel`.
const LABELLED_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// The table of contacts.
pub(super) const PATTERNS: &[Pattern] = &[
    Pattern {
        name: "email",
        starts: &[Start::At],
        regex: r"[A-Za-z0-9](?:[A-Za-z0-9._%+'-]*[A-Za-z0-9_+-])?@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,24}{end}",
        read: |_| Some(Reading::Value(Value::Email)),
    },
    Pattern {
        name: URL_NAME,
        starts: &[Start::Words(&["http", "https", "www", "ftp"])],
        regex: r"(?i:(?:https?|ftp)://[a-z0-9]|www\.[a-z0-9-]+\.[a-z0-9])[!#-;=?-Z\[\]_a-z~]*",
        read: read_url,
    },
    Pattern {
        name: "phone_international",
        starts: &[Start::Symbols(&['+'])],
        regex: r"\+{opt}[1-9][0-9]{0,2}(?:[ .\x{A0}-]*\(?[0-9]{1,5}\)?)(?:[ .\x{A0}\x{2011}\x{2013}/-]{0,2}[0-9]{2,5})+{extension}",
        read: read_international,
    },
    Pattern {
        name: "phone_north_american",
        starts: &[Start::Digit, Start::Symbols(&['('])],
        regex: r"(?:1[-. ])?(?:\([2-9][0-9]{2}\){opt}[-.]?{opt}[2-9][0-9]{2}|[2-9][0-9]{2}(?:-[2-9][0-9]{2}|\.[2-9][0-9]{2}|[ /][2-9][0-9]{2}))[-. \x{2011}\x{2013}][0-9]{4}{extension}",
        read: read_north_american,
    },
    Pattern {
        name: "phone_after_label",
        starts: &[Start::Words(&[
            "tel",
            "telephone",
            "telefax",
            "phone",
            "fax",
            "facsimile",
            "mobile",
            "cell",
            "telecopier",
            "telecopy",
        ])],
        regex: r"[A-Za-z]+(?:{gap}(?i:nos?|numbers?|phone))?\.?{opt}[:#]?{opt}(?P<v>(?:\+{opt})?[(0-9][0-9 ().\x{A0}\x{2011}\x{2013}/-]*[0-9]{extension})",
        read: read_labelled,
    },
];

/// Returns where the local part of the address begins whose `@` stands at byte `at`.
pub(super) fn local_part_start(text: &str, at: usize) -> usize {
    let earliest = at.saturating_sub(LOCAL_PART_BYTES_MAX);
    let belongs = |byte: &u8| byte.is_ascii_alphanumeric() || b"._%+'-".contains(byte);
    let local = text.as_bytes()[earliest..at]
        .iter()
        .rev()
        .take_while(|byte| belongs(byte))
        .count();
    let start = at - local;
    let marks = text[start..at]
        .bytes()
        .take_while(|byte| !byte.is_ascii_alphanumeric())
        .count();
    start + marks
}

/// Reads a web address, without the punctuation of the sentence and without a bracket that opened before the address.
fn read_url(matched: &Matched<'_>) -> Option<Reading> {
    if matched.before().ends_with(['.', '/', '@', '-', ':']) {
        return None;
    }
    let mut address = matched.surface();
    loop {
        let shorter = match address.chars().next_back()? {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' => true,
            ')' => closes_too_much(address, '(', ')'),
            ']' => closes_too_much(address, '[', ']'),
            _ => false,
        };
        if !shorter {
            return Some(Reading::Beginning(Value::Url, address.len()));
        }
        address = &address[..address.len() - 1];
    }
}

/// Says whether an address closes more brackets than it opens.
fn closes_too_much(address: &str, open: char, close: char) -> bool {
    address.matches(close).count() > address.matches(open).count()
}

fn read_international(matched: &Matched<'_>) -> Option<Reading> {
    phone(matched, &INTERNATIONAL_DIGITS)
}

fn read_north_american(matched: &Matched<'_>) -> Option<Reading> {
    phone(matched, &LABELLED_DIGITS)
}

fn read_labelled(matched: &Matched<'_>) -> Option<Reading> {
    phone(matched, &LABELLED_DIGITS)
}

/// Makes a telephone number of a match, unless digits go on after the match.
fn phone(matched: &Matched<'_>, digits_allowed: &std::ops::RangeInclusive<usize>) -> Option<Reading> {
    let mut after = matched.after().chars();
    let goes_on = after.next().is_some_and(|sign| matches!(sign, '-' | '/'))
        && after.next().is_some_and(|sign| sign.is_ascii_digit());
    if goes_on {
        return None;
    }
    let extension = matched.group("extension").map(str::to_owned);
    let surface = matched.surface();
    let main = match surface.rfind(['x', 'X', 'e', 'E']) {
        Some(_) => surface.split([',', 'x', 'X', 'e', 'E']).next()?,
        None => surface,
    };
    let is_abroad = main.starts_with('+');
    // `+44 (0)20`: the zero in brackets is dialled within the country only.
    let dialled = if is_abroad {
        main.replace("(0)", "")
    } else {
        main.to_owned()
    };
    let digits: String = dialled.chars().filter(char::is_ascii_digit).collect();
    let number = if is_abroad {
        format!("+{digits}")
    } else {
        digits.clone()
    };
    digits_allowed
        .contains(&digits.len())
        .then_some(Reading::Value(Value::Phone(Phone { number, extension })))
}

#[cfg(test)]
mod tests {
    use crate::values::tests::{check, check_nothing};

    #[test]
    fn addresses_end_before_the_punctuation_of_the_sentence() {
        let email = r#"{"kind":"email"}"#;
        let url = r#"{"kind":"url"}"#;
        check(
            "EMAIL",
            &[
                ("write to jane.doe+law@firm.co.uk.", "jane.doe+law@firm.co.uk", email),
                ("(legal@example.com)", "legal@example.com", email),
            ],
        );
        check(
            "URL",
            &[
                (
                    "see https://www.sec.gov/Archives/a_b.htm.",
                    "https://www.sec.gov/Archives/a_b.htm",
                    url,
                ),
                ("(www.example.com)", "www.example.com", url),
                (
                    "at http://en.example.org/wiki/Law_(act), and",
                    "http://en.example.org/wiki/Law_(act)",
                    url,
                ),
                ("“https://example.com/?q=1”", "https://example.com/?q=1", url),
            ],
        );
        check_nothing("EMAIL", &["a@b", "@example.com", "5 @ $3.00", "x@@y.com"]);
        check_nothing("URL", &["www.", "http://", "awww.example.com"]);
    }

    #[test]
    fn phone_numbers_keep_their_digits() {
        check(
            "PHONE",
            &[
                (
                    "Tel: +44 (0)20 7946 0958",
                    "+44 (0)20 7946 0958",
                    r#"{"kind":"phone","number":"+442079460958"}"#,
                ),
                (
                    "call (212) 555-1234 now",
                    "(212) 555-1234",
                    r#"{"kind":"phone","number":"2125551234"}"#,
                ),
                (
                    "call 212-555-1234.",
                    "212-555-1234",
                    r#"{"kind":"phone","number":"2125551234"}"#,
                ),
                (
                    "at 1-800-555-1234",
                    "1-800-555-1234",
                    r#"{"kind":"phone","number":"18005551234"}"#,
                ),
                (
                    "at 212.555.1234 ext. 55",
                    "212.555.1234 ext. 55",
                    r#"{"kind":"phone","number":"2125551234","extension":"55"}"#,
                ),
                (
                    "+91-11-23389001",
                    "+91-11-23389001",
                    r#"{"kind":"phone","number":"+911123389001"}"#,
                ),
                (
                    "Fax No.: 020 7946 0959",
                    "020 7946 0959",
                    r#"{"kind":"phone","number":"02079460959"}"#,
                ),
            ],
        );
        let texts = [
            "2125551234",
            "2024-01-05",
            "Case 212-555-1234-7",
            "123-45-6789",
            "Telephone 5",
            "+ 5 and 6",
        ];
        check_nothing("PHONE", &texts);
    }
}
