//! A thing that a document names, and what its mentions are together.

use serde::{Deserialize, Serialize};

use crate::words;

/// Most other names of a thing that are kept, the most frequent ones.
pub const ALIASES_MAX: usize = 20;
/// Most mentions that a thing lists, the first ones. All mentions of a thing have its number.
pub const MENTIONS_TOLD_MAX: usize = 100;

words!(
    /// What a thing is.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    Kind {
        /// A company, an association, or another body.
        Organisation = "organisation",
        /// A person.
        Person = "person",
        /// An authority.
        Government = "government",
        /// A court.
        Court = "court",
        /// A place.
        Place = "place",
        /// An act, by its name.
        Act = "act",
        /// A decided case, by its citations.
        Case = "case",
        /// A provision, by its citations.
        Statute = "statute",
    }
);

/// A thing that a document names in one place or many.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Thing {
    /// What it is.
    pub kind: Kind,
    /// Its fullest name, with single blanks.
    pub name: String,
    /// Its other names, the most frequent first: at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// What it is to the document, such as `Licensee`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// How many mentions it has.
    pub mention_count: u32,
    /// The ordinals of its first 100 mentions.
    pub mentions: Vec<u32>,
}
