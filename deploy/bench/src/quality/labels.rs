//! What the labels of other people's tools are in the data's words, and how such a tool is judged by what it can know.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::f1::{Found, LabelledText};

/// Labels of spaCy's model, and the data's labels for them. The README beside the data says why.
const SPACY: [(&str, &str); 6] = [
    ("PERSON", "PERSON"),
    ("ORG", "ORG"),
    ("GPE", "LOCATION"),
    ("LOC", "LOCATION"),
    ("LAW", "LEGISLATION"),
    ("DATE", "DATE"),
];
/// Labels of Presidio's default recognisers, and the data's labels for them.
const PRESIDIO: [(&str, &str); 4] = [
    ("PERSON", "PERSON"),
    ("ORGANIZATION", "ORG"),
    ("LOCATION", "LOCATION"),
    ("DATE_TIME", "DATE"),
];
/// Labels of the data that are organisations to a tool without a label of their own for them.
const ORGANISATIONS: [&str; 2] = ["COURT", "GOVERNMENT"];

/// A tool of other people that finds entities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Peer {
    /// spaCy with its small English model.
    Spacy,
    /// Presidio's analyzer, on the same model.
    Presidio,
}

/// All of them.
pub const PEERS: [Peer; 2] = [Peer::Spacy, Peer::Presidio];

impl Peer {
    /// The tool's name in figures, and in the script that runs it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Spacy => "spacy",
            Self::Presidio => "presidio",
        }
    }

    fn labels(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Spacy => &SPACY,
            Self::Presidio => &PRESIDIO,
        }
    }

    /// An answer of the tool in the data's words; `None` for a label without equivalent.
    pub fn translated(self, answer: &Found) -> Option<Found> {
        let (_, label) = self.labels().iter().find(|(own, _)| *own == answer.label)?;
        Some(Found {
            label: (*label).to_owned(),
            ..answer.clone()
        })
    }

    /// What a label of the data is to the tool: itself, `ORG` for a court or an authority, or `None` if the tool has no notion of
    /// it.
    pub fn view(self, label: &str) -> Option<&str> {
        let label = if ORGANISATIONS.contains(&label) { "ORG" } else { label };
        let known = self.labels().iter().any(|(_, known)| *known == label);
        known.then_some(label)
    }
}

/// A range of tokens without what the tools' own guidelines take in and those of the data leave out: an article in front, and the
/// `'s` of a possessive behind.
pub fn trimmed(mut found: Found, words: &[String]) -> Found {
    let is_article = |word: &str| ["the", "a", "an"].contains(&word.to_lowercase().as_str());
    if found.end - found.start > 1 && is_article(&words[found.start]) {
        found.start += 1;
    }
    if found.end - found.start > 2 && words[found.end - 1] == "s" && ["'", "’"].contains(&&*words[found.end - 2]) {
        found.end -= 2;
    }
    found
}

/// The labels that the data has.
pub fn of_data(texts: &[LabelledText]) -> BTreeSet<&str> {
    let gold = texts.iter().flat_map(|text| &text.gold);
    gold.map(|found| &*found.label).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::f1::tests::found;

    #[test]
    fn the_readme_says_which_label_is_which() {
        let readme = include_str!("../../quality/README.md");
        for peer in PEERS {
            for (own, label) in peer.labels() {
                let row = format!("| {} | `{own}` | {label} |", peer.name());
                assert!(readme.contains(&row), "the README lacks {row}");
            }
        }
    }

    #[test]
    fn a_court_is_an_organisation_to_a_tool_that_knows_no_courts() {
        assert_eq!(Peer::Spacy.view("COURT"), Some("ORG"));
        assert_eq!(Peer::Spacy.view("LEGISLATION"), Some("LEGISLATION"));
        assert_eq!(Peer::Presidio.view("LEGISLATION"), None);
        assert_eq!(
            Peer::Spacy.translated(&found("GPE", 1, 2)),
            Some(found("LOCATION", 1, 2))
        );
        assert_eq!(Peer::Spacy.translated(&found("CARDINAL", 1, 2)), None);
    }

    #[test]
    fn articles_and_possessives_are_left_out_but_never_all_of_a_range() {
        let words: Vec<String> = "The Bank ' s".split(' ').map(str::to_owned).collect();
        assert_eq!(trimmed(found("ORG", 0, 4), &words), found("ORG", 1, 2));
        assert_eq!(trimmed(found("ORG", 0, 1), &words), found("ORG", 0, 1));
    }
}
