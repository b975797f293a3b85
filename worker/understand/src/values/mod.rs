//! Dates, money and other values whose form tells what they are.
//!
//! [`find`] reads a text once. A value's first token (a digit, a currency sign, a word such as `January`) says which
//! patterns to try there, and a pattern sees only the few hundred bytes that follow. Time is therefore linear in the
//! length of the text, whatever the text holds.
//!
//! A file here owns a kind of value: a table of named patterns, and what makes a normal form of a match. Nothing is
//! guessed. A value with two readings lists both; a value with none is found all the same and says why it has none.
//!
//! Absent on purpose: citations of cases and statutes (`crate::citations`), names of people and companies (the
//! model), ages of people, and times of day.

mod checksums;
mod contacts;
mod dates;
mod durations;
mod figures;
mod identifiers;
mod money;
mod numbers;
mod overlap;
mod pattern;
mod percent;
mod references;
mod scan;
mod templates;
#[cfg(test)]
mod tests;

use std::ops::Range;

use serde::{Deserialize, Serialize};

pub use contacts::Phone;
pub use dates::{Date, Precision};
pub use durations::Duration;
pub use identifiers::{Identifier, Scheme};
pub use money::Money;
pub use percent::Percent;
pub use references::{NumberRange, Part, Reference};

/// Finds every value in a text, in reading order and without overlaps.
///
/// Where two findings overlap, the longer stays, then the earlier, then the finding whose pattern stands first in the
/// tables.
#[must_use]
pub fn find(text: &str) -> Vec<Finding> {
    let scan = scan::candidates(text);
    let mut findings = overlap::resolve(scan.candidates);
    money::name_plain_dollars(&mut findings, &scan.dollars_named);
    findings
}

/// Compiles all patterns, so that the first text does not wait for them.
pub fn warm() {
    scan::compile();
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Byte range of the value in the text, on character boundaries.
    pub bytes: Range<usize>,
    /// What the value means.
    pub value: Value,
}

/// The meaning of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Value {
    /// A calendar date, month, quarter or year.
    Date(Date),
    /// An amount of money.
    Money(Money),
    /// A percentage.
    Percent(Percent),
    /// A length of time, such as a notice period.
    Duration(Duration),
    /// An e-mail address. The text of the finding is the address.
    Email,
    /// A web address. The text of the finding is the address.
    Url,
    /// A telephone or fax number.
    Phone(Phone),
    /// A number that an authority or a court gave to a company, a person, a security or a case.
    Identifier(Identifier),
    /// A reference to a part of a document, such as `Section 5.2(a)`.
    Reference(Reference),
}

impl Value {
    /// Returns the label of the entity, such as `DATE`.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Date(_) => "DATE",
            Self::Money(_) => "MONEY",
            Self::Percent(_) => "PERCENT",
            Self::Duration(_) => "DURATION",
            Self::Email => "EMAIL",
            Self::Url => "URL",
            Self::Phone(_) => "PHONE",
            Self::Identifier(_) => "IDENTIFIER",
            Self::Reference(_) => "REFERENCE",
        }
    }

    /// Returns the stable name of what recognised the value, such as `money` or `cusip`.
    #[must_use]
    pub fn recogniser(&self) -> &'static str {
        match self {
            Self::Date(_) => "date",
            Self::Money(_) => "money",
            Self::Percent(_) => "percent",
            Self::Duration(_) => "duration",
            Self::Email => "email",
            Self::Url => "url",
            Self::Phone(_) => "phone",
            Self::Identifier(identifier) => identifier.scheme.name(),
            Self::Reference(_) => "reference",
        }
    }
}

/// Why a value has no normal form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unresolved {
    /// The year has two digits, and the text does not say the century.
    Century,
    /// The text names a day and a month, and no year.
    Year,
    /// The calendar has no such day.
    Impossible,
    /// The text names a lower and an upper limit.
    Range,
    /// The digits or words do not make a number.
    Unreadable,
    /// The check digit does not fit the number.
    CheckDigit,
}
