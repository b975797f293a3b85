//! Numbers that authorities, courts and exchanges give: companies, people, securities, cases, patents.
//!
//! The finding of a code is the code alone (`12-3456789`), and a word beside the code tells what the code is. The finding
//! of a case number has its words (`Civil Appeal No. 1234 of 2010`), since the number means nothing without them. A code
//! without such a word counts only where its form or its check digits leave no doubt.

mod cases;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::pattern::{Matched, Pattern, Reading, Start};
use super::{Unresolved, Value, checksums};

/// A number that names one thing in a register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identifier {
    /// The register.
    pub scheme: Scheme,
    /// The number, without blanks and without words that mean nothing. A masked number keeps its mask.
    pub value: String,
    /// Why the number is in doubt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unresolved: Option<Unresolved>,
}

/// A register of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// Employer identification number of the United States.
    Ein,
    /// Social security number of the United States, masked or not.
    Ssn,
    /// Security of North America.
    Cusip,
    /// Security, worldwide (ISO 6166).
    Isin,
    /// Legal entity (ISO 17442).
    Lei,
    /// Company in a register such as Companies House.
    CompanyNumber,
    /// File at the Securities and Exchange Commission.
    CommissionFileNumber,
    /// Payer of value added tax.
    Vat,
    /// Case, appeal, petition or docket of a court.
    CaseNumber,
    /// European case law identifier.
    Ecli,
    /// Case of the Court of Justice of the European Union.
    EuCase,
    /// Patent.
    Patent,
}

impl Scheme {
    /// Returns the stable name of the register, as JSON has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ein => "ein",
            Self::Ssn => "ssn",
            Self::Cusip => "cusip",
            Self::Isin => "isin",
            Self::Lei => "lei",
            Self::CompanyNumber => "company_number",
            Self::CommissionFileNumber => "commission_file_number",
            Self::Vat => "vat",
            Self::CaseNumber => "case_number",
            Self::Ecli => "ecli",
            Self::EuCase => "eu_case",
            Self::Patent => "patent",
        }
    }
}

/// The table of identifiers.
pub(super) const PATTERNS: &[Pattern] = &[
    Pattern {
        name: "ein",
        starts: &[Start::Words(&[
            "ein", "fein", "employer", "i", "irs", "federal", "taxpayer", "tax",
        ])],
        regex: r"(?:F?EIN|(?:I\.?R\.?S\.?{gap})?(?i:(?:federal{gap})?(?:employer|tax(?:payer)?){opt}(?:(?u:['’])s{gap})?(?:tax{gap})?(?:identification|i\.?d\.?|ident\.?))){label}(?P<v>[0-9]{2}{hyphen}[0-9]{7}){end}",
        read: |matched| found(Scheme::Ein, hyphenated(matched)),
    },
    Pattern {
        name: "ssn",
        starts: &[Start::Digit, Start::Words(&["xxx"]), Start::Symbols(&['*', '#'])],
        regex: r"(?:[0-9]{3}|[Xx]{3}|\*{3}|#{3}){hyphen}(?:[0-9]{2}|[Xx]{2}|\*{2}|##){hyphen}[0-9]{4}{end}",
        read: read_social_security,
    },
    Pattern {
        name: "cusip",
        starts: &[Start::Words(&["cusip"])],
        regex: r"(?i:cusip){label}(?P<v>[0-9A-Z]{3}{opt}[0-9A-Z]{3}{opt}[0-9A-Z]{2}{opt}[0-9]){end}",
        read: |matched| checked(Scheme::Cusip, compact(matched), checksums::cusip),
    },
    Pattern {
        name: "isin",
        starts: &[Start::Words(&["isin"])],
        regex: r"ISIN{label}(?P<v>[A-Z]{2}{opt}[0-9A-Z]{9}{opt}[0-9]){end}",
        read: |matched| checked(Scheme::Isin, compact(matched), checksums::isin),
    },
    Pattern {
        name: "isin_alone",
        starts: &[Start::Code],
        regex: r"[A-Z]{2}[0-9A-Z]{9}[0-9]{end}",
        read: |matched| valid(Scheme::Isin, matched, checksums::isin),
    },
    Pattern {
        name: "lei",
        starts: &[Start::Words(&["lei", "legal"])],
        regex: r"(?:LEI|(?i:legal{gap}entity{gap}identifier)){label}(?P<v>[0-9A-Z]{18}[0-9]{2}){end}",
        read: |matched| checked(Scheme::Lei, compact(matched), checksums::lei),
    },
    Pattern {
        name: "lei_alone",
        starts: &[Start::Digit],
        regex: r"[0-9A-Z]{18}[0-9]{2}{end}",
        read: read_lei_alone,
    },
    Pattern {
        name: "company_number",
        starts: &[Start::Words(&[
            "company",
            "registered",
            "registration",
            "number",
            "crn",
            "co",
        ])],
        regex: r"(?i:company(?:{gap}registration)?|registered(?:{gap}company)?|registered{gap}under(?:{gap}company)?|registration|crn|co\.){gap}?(?i:number|no\.?|nr\.?)?{gap}?:?{opt}(?P<v>(?:[A-Z]{2}[0-9]{6}|[0-9]{8}|0[0-9]{6,7})){end}",
        read: |matched| found(Scheme::CompanyNumber, compact(matched)),
    },
    Pattern {
        name: "company_number_in_register",
        starts: &[Start::Words(&["registered", "incorporated"])],
        regex: r"(?i:registered|incorporated)(?:{gap}[A-Za-z]+)*{opt},?{opt}\(?{opt}(?i:(?:with|under){gap})?(?i:(?:company|registered|registration){gap})?(?i:number|no\.?){opt}:?{opt}(?P<v>(?:[A-Z]{2}[0-9]{6}|[0-9]{7,8})){end}",
        read: |matched| found(Scheme::CompanyNumber, compact(matched)),
    },
    Pattern {
        name: "commission_file_number",
        starts: &[Start::Words(&["commission", "sec", "file", "registration"])],
        regex: r"(?:(?i:commission{gap}|sec{gap})?(?i:file)|(?i:registration{gap}statement)|(?i:registration)){label}(?P<v>(?:0{0,2}[0-9]{1,2}|33|333|811){hyphen}[0-9]{4,6}(?:{hyphen}[0-9]{1,2})?){end}",
        read: |matched| found(Scheme::CommissionFileNumber, hyphenated(matched)),
    },
    Pattern {
        name: "vat",
        starts: &[Start::Words(&["vat"])],
        regex: r"VAT(?:{gap}(?i:registration|reg\.?|identification|id|i\.d\.))?{label}(?P<v>(?:[A-Z]{2}{opt})?[0-9][0-9A-Z]*(?:[ .\x{A0}-]?[0-9]{2,})*){end}",
        read: read_vat,
    },
    Pattern {
        name: "patent",
        starts: &[Start::Words(&["u", "us", "united", "patent", "european", "ep"])],
        regex: r"(?P<office>U\.{opt}S\.|US|United{gap}States|European|EP)?{opt}(?i:(?:letters{gap})?patents?)(?:{gap}(?i:no|nos|number|publication{gap}no)\.?)?:?{opt}#?{opt}(?P<number>(?:(?:RE|D|EP)[ ]?)?[0-9]{1,2}[, ][0-9]{3},[0-9]{3}|(?:RE|D|EP)[ ]?[0-9]{5,7}|[0-9]{7,8}){end}",
        read: read_patent,
    },
    Pattern {
        name: "ecli",
        starts: &[Start::Words(&["ecli"])],
        regex: r"ECLI:[A-Z]{2}:[A-Z0-9]{1,7}:[0-9]{4}:[A-Z0-9.]*[A-Z0-9]{end}",
        read: |matched| found(Scheme::Ecli, compact(matched)),
    },
    Pattern {
        name: "eu_case",
        starts: &[Start::Words(&["c", "t", "f"])],
        regex: r"[CTF]{hyphen}[0-9]{1,4}/[0-9]{2}(?:{gap}(?:P|R|PPU){end})*",
        read: cases::read_eu,
    },
    cases::US_DOCKET,
    cases::LABELLED_DOCKET,
    cases::NUMBER_AND_YEAR,
    cases::BARE_DOCKET,
];

fn found(scheme: Scheme, value: String) -> Option<Reading> {
    Some(Reading::Value(Value::Identifier(Identifier {
        scheme,
        value,
        unresolved: None,
    })))
}

/// Makes an identifier that a word announces; a wrong check digit is reported and does not hide the finding.
fn checked(scheme: Scheme, value: String, check: fn(&str) -> bool) -> Option<Reading> {
    let unresolved = (!check(&value)).then_some(Unresolved::CheckDigit);
    Some(Reading::Value(Value::Identifier(Identifier {
        scheme,
        value,
        unresolved,
    })))
}

/// Makes an identifier that nothing announces, if its check digits are right.
fn valid(scheme: Scheme, matched: &Matched<'_>, check: fn(&str) -> bool) -> Option<Reading> {
    if check(matched.surface()) {
        found(scheme, matched.surface().to_owned())
    } else {
        None
    }
}

/// Returns the text of the finding without blanks.
fn compact(matched: &Matched<'_>) -> String {
    matched.surface().chars().filter(|sign| !sign.is_whitespace()).collect()
}

/// Returns the text of the finding without blanks and with plain hyphens.
fn hyphenated(matched: &Matched<'_>) -> String {
    compact(matched).replace(['\u{2010}', '\u{2011}'], "-")
}

/// Returns a text with one blank for each run of blanks.
fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Reads a social security number. Numbers that the authority never gives (area 000, 666 and from 900) are refused.
fn read_social_security(matched: &Matched<'_>) -> Option<Reading> {
    let value = hyphenated(matched);
    let area = value.get(..3)?;
    let never_given = area == "000" || area == "666" || area.starts_with('9') || value.get(4..6) == Some("00");
    let goes_on = matched.after().starts_with(['-', '/']);
    if never_given || goes_on {
        None
    } else {
        found(Scheme::Ssn, value)
    }
}

/// Reads a legal entity identifier that nothing announces. Digits alone could be any number.
fn read_lei_alone(matched: &Matched<'_>) -> Option<Reading> {
    if matched.surface().bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    valid(Scheme::Lei, matched, checksums::lei)
}

fn read_vat(matched: &Matched<'_>) -> Option<Reading> {
    let value: String = compact(matched).chars().filter(char::is_ascii_alphanumeric).collect();
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    // The shortest numbers of member states have 8 digits, the longest 12.
    if (8..=12).contains(&digits) {
        found(Scheme::Vat, value)
    } else {
        None
    }
}

fn read_patent(matched: &Matched<'_>) -> Option<Reading> {
    let office = match matched.group("office") {
        Some("European" | "EP") => "EP",
        Some(_) => "US",
        None => "",
    };
    let number: String = matched
        .group("number")?
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let office = if number.starts_with("EP") { "" } else { office };
    found(Scheme::Patent, format!("{office}{number}"))
}
