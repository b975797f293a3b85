//! The names of a text: which of them name one thing, and where else they stand.
//!
//! A model reads some 150 words at a time. It finds a party on one page and misses the same party on the next, and it cannot know
//! that `the Company` is Acme. Here the whole text is one:
//!
//! 1. `definitions` finds the short names that a text gives to what it just named: `Acme Corporation (the "Company")`.
//! 2. `groups` puts mentions of one name together, and names of one thing.
//! 3. `carry` finds each sure name, its short form and its defined term everywhere else.
//! 4. `things` says what the mentions of one thing are together: its name, its aliases, its roles.

mod carry;
mod definitions;
mod fold;
mod groups;
mod guards;
mod normal;
mod roles;
mod things;
mod words;

use std::ops::Range;

pub use carry::{Carried, Carrying};
pub use things::{OneThing, things};

/// Something that a model or a recogniser found.
#[derive(Debug, Clone, PartialEq)]
pub struct Mention<'a> {
    /// The kind of thing, for instance `ORG`.
    pub label: &'a str,
    /// Where it stands in the text, in bytes.
    pub bytes: Range<usize>,
    /// How sure it is, 0 to 1.
    pub score: f32,
    /// What it means, as its recogniser says: JSON.
    pub value: Option<&'a str>,
}

/// Names that can be one: two names of different spaces never mean one thing, unless the text defines one as the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Space {
    /// Companies, authorities and courts: models mix them up.
    Body,
    Person,
    Place,
    Act,
    Case,
    Statute,
}

impl Space {
    /// The space of a label; `None` for what is no name of a thing, such as a date.
    fn of(label: &str) -> Option<Self> {
        match label {
            "ORG" | "GOVERNMENT" | "COURT" => Some(Self::Body),
            "PERSON" => Some(Self::Person),
            "LOCATION" => Some(Self::Place),
            "LEGISLATION" => Some(Self::Act),
            "CASE_CITATION" => Some(Self::Case),
            "STATUTE_CITATION" => Some(Self::Statute),
            _ => None,
        }
    }
}

/// Compiles all patterns.
pub(crate) fn warm() {
    definitions::warm();
}

#[cfg(test)]
mod tests;
