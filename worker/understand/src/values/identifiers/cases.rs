//! Numbers of cases: dockets of the United States, appeals and petitions of India, cases of the European Union.

use super::super::pattern::{Matched, Pattern, Reading, Start, last_bytes};
use super::{Scheme, found, spaced};

/// Bytes before a number of the European Union within which the word `Case` must stand: a list of joined cases is longer
/// than a single number.
const CASE_WORD_BYTES: usize = 160;

/// Words after which `No. 19-1392` is a docket; after any other word the number may belong to a policy or an invoice.
const WORDS_BEFORE_DOCKET: &[&str] = &["in", "see", "and", "under", "at", "by", "also", "of", "cf"];

/// `1:20-cv-01234-ABC`
pub(super) const US_DOCKET: Pattern = Pattern {
    name: "us_docket",
    starts: &[Start::Digit],
    regex: r"(?:[0-9]{1,2}:)?[0-9]{2,4}{hyphen}(?i:cv|cr|mc|md|ml|bk|ap|mj|po|misc|civ|crim){hyphen}[0-9]{1,6}(?:{hyphen}[A-Z]{1,4}[a-z]{0,3}|{hyphen}[0-9]{1,4})*{end}(?:{gap}\([A-Z]{2,4}\))*",
    read: |matched| found(Scheme::CaseNumber, spaced(matched.surface())),
};

/// `Case No. 1:20-cv-01234`, `Docket No. 45`
pub(super) const LABELLED_DOCKET: Pattern = Pattern {
    name: "labelled_docket",
    starts: &[Start::Words(&[
        "case", "docket", "civil", "criminal", "cause", "index", "c", "adv", "appeal", "action",
    ])],
    regex: r"(?:Case|CASE|Docket|DOCKET|(?:(?i:civil|criminal){gap})?(?i:action|case)|Cause|Index|C\.{opt}A\.|Adv\.{gap}(?:Proc|Pro)\.|Appeal){opt}(?:(?:N[oO][sS]?|(?i:numbers?))[.:]*|#){opt}(?P<number>{docket}(?:(?:,{gap}?(?:and{gap})?|{gap}(?:and|&){gap}){docket})*){end}",
    read: read_docket,
};

/// `Civil Appeal No. 1234 of 2010`, `W.P.(C) No. 123/2015`
pub(super) const NUMBER_AND_YEAR: Pattern = Pattern {
    name: "case_number_and_year",
    starts: &[Start::Words(&[
        "civil",
        "criminal",
        "crl",
        "cri",
        "cr",
        "special",
        "writ",
        "petition",
        "appeal",
        "application",
        "suit",
        "first",
        "second",
        "original",
        "regular",
        "misc",
        "miscellaneous",
        "review",
        "contempt",
        "transfer",
        "arbitration",
        "company",
        "revision",
        "sessions",
        "case",
        "complaint",
        "crime",
        "reference",
        "election",
        "execution",
        "o",
        "os",
        "w",
        "wp",
        "s",
        "slp",
        "f",
        "fir",
        "c",
        "cc",
        "i",
        "ia",
        "m",
        "a",
        "r",
        "l",
        "t",
        "oa",
        "cwp",
        "crm",
        "rfa",
        "rsa",
        "sc",
    ])],
    regex: r"(?:{court_word}{opt})+(?:(?i:nos?|number)[.:-]*{opt})(?P<number>[0-9](?:[0-9]|(?:,|{opt}{dash}|{gap}(?:and|to|&)|,{gap}and|,){opt}[0-9])*(?:{opt}/{opt}|{opt}(?i:of){gap}|{gap}(?i:year){opt}-{opt})(?:(?:18|19|20)[0-9]{2}|[0-9]{2})){end}",
    read: |matched| found(Scheme::CaseNumber, spaced(matched.surface())),
};

/// `No. 19-1392`
pub(super) const BARE_DOCKET: Pattern = Pattern {
    name: "bare_docket",
    starts: &[Start::Words(&["no", "nos"])],
    regex: r"Nos?\.{gap}(?P<number>[0-9]{2}{hyphen}[0-9]{1,5}(?:(?:,{gap}?(?:and{gap})?|{gap}(?:and|&){gap})[0-9]{2}{hyphen}[0-9]{1,5})*){end}",
    read: read_bare_docket,
};

/// Reads a docket, which has a digit.
fn read_docket(matched: &Matched<'_>) -> Option<Reading> {
    let number = matched.group("number")?;
    if number.bytes().any(|byte| byte.is_ascii_digit()) {
        found(Scheme::CaseNumber, spaced(number))
    } else {
        None
    }
}

fn read_bare_docket(matched: &Matched<'_>) -> Option<Reading> {
    let word = matched.word_before();
    let announced = word.is_empty() || WORDS_BEFORE_DOCKET.contains(&word.as_str());
    let goes_on = matched.after().starts_with(['-', '/']);
    if announced && !goes_on {
        found(Scheme::CaseNumber, spaced(matched.group("number")?))
    } else {
        None
    }
}

/// Reads a case of the European Union, if the word `Case` or `Cases` stands before.
pub(super) fn read_eu(matched: &Matched<'_>) -> Option<Reading> {
    if !last_bytes(matched.before(), CASE_WORD_BYTES)
        .to_lowercase()
        .contains("case")
    {
        return None;
    }
    found(
        Scheme::EuCase,
        spaced(matched.surface()).replace(['\u{2010}', '\u{2011}'], "-"),
    )
}
