//! What all recognisers find in a text, as one list without overlap.

use std::cmp::Reverse;
use std::ops::Range;

use crate::apart::apart;
use crate::citations::{self, Citation};
use crate::names;
use crate::values;

/// What a recogniser found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    /// The kind of thing, for instance `MONEY`.
    pub label: &'static str,
    /// The recogniser, for instance `money`.
    pub recogniser: &'static str,
    /// Where the thing stands in the text, in bytes.
    pub bytes: Range<usize>,
    /// What the thing means: JSON, an object with a `kind`.
    pub value: Box<str>,
}

/// What was found in the pieces of a text that were read so far.
#[derive(Debug, Default)]
pub struct Recognition(Vec<Recognised>);

impl Recognition {
    /// Reads the next piece of a text.
    pub fn read(&mut self, text: &str, piece: Range<usize>) {
        let start = piece.start;
        let text = &text[piece];
        let mut found: Vec<Recognised> = named(citations::find(text)).into_iter().map(of_citation).collect();
        found.extend(values::find(text).into_iter().map(of_value));
        // Of two that overlap the longer stands, then the citation.
        found.sort_by_key(|one| Reverse(one.bytes.len()));
        self.0
            .extend(apart(found, |one| &one.bytes).into_iter().map(|one| Recognised {
                bytes: one.bytes.start + start..one.bytes.end + start,
                ..one
            }));
    }

    /// Number of things found so far.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was found so far.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Everything that was found, in the order of the text and without overlap.
    pub fn finish(self) -> Vec<Recognised> {
        self.0
    }
}

/// Compiles all patterns and reads all tables, some 70 ms of work, so that the first text does not wait for them.
pub fn warm() {
    values::warm();
    citations::warm();
    names::warm();
}

/// Gives every reference back the key of what it means, in place of a number in the list of findings, which nobody else sees.
fn named(mut findings: Vec<citations::Finding>) -> Vec<citations::Finding> {
    for at in 0..findings.len() {
        let of = match &findings[at].citation {
            Citation::Case(case) => case.of,
            Citation::Statute(_) | Citation::Journal(_) | Citation::Court(_) => continue,
        };
        let meant = of
            .and_then(|of| findings.get(of))
            .and_then(|meant| key(&meant.citation));
        if let Citation::Case(case) = &mut findings[at].citation {
            case.key = case.key.take().or(meant);
            (case.of, case.parallel_to, case.name_bytes) = (None, None, None);
        }
    }
    findings
}

fn key(citation: &Citation) -> Option<String> {
    match citation {
        Citation::Case(case) => case.key.clone(),
        Citation::Statute(statute) => statute.key.clone(),
        Citation::Journal(journal) => Some(journal.key.clone()),
        Citation::Court(_) => None,
    }
}

fn of_value(finding: values::Finding) -> Recognised {
    Recognised {
        label: finding.value.label(),
        recogniser: finding.value.recogniser(),
        value: json(&finding.value),
        bytes: finding.bytes,
    }
}

fn of_citation(finding: citations::Finding) -> Recognised {
    Recognised {
        label: finding.citation.label(),
        recogniser: finding.citation.recogniser(),
        value: json(&finding.citation),
        bytes: finding.bytes,
    }
}

fn json(value: &impl serde::Serialize) -> Box<str> {
    let json = serde_json::to_string(value);
    json.expect("keys are strings").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, &'static str, serde_json::Value)> {
        let mut recognition = Recognition::default();
        recognition.read(text, 0..text.len());
        let found = recognition.finish().into_iter();
        found
            .map(|one| {
                let value = serde_json::from_str(&one.value).expect("a value is JSON");
                (&text[one.bytes], one.label, value)
            })
            .collect()
    }

    #[test]
    fn a_reference_back_has_the_key_of_what_it_means() {
        let text = "Roe v. Wade, 410 U.S. 113, 153 (1973). Id. at 160. See 42 U.S.C. § 1983. Id.";
        let keys: Vec<_> = found(text)
            .into_iter()
            .map(|(words, _, value)| (words, value["key"].clone()))
            .collect();
        let expected = [
            ("410 U.S. 113, 153 (1973)", "410 U.S. 113"),
            ("Id. at 160", "410 U.S. 113"),
            ("42 U.S.C. § 1983", "42 U.S.C. § 1983"),
            ("Id.", "42 U.S.C. § 1983"),
        ];
        assert_eq!(keys, expected.map(|(words, key)| (words, key.into())));
    }

    #[test]
    fn what_lies_within_a_citation_is_no_finding_of_its_own() {
        let text = "Under 42 U.S.C. § 1983, which Section 5.2 names, by March 3, 2011.";
        let labels: Vec<_> = found(text)
            .into_iter()
            .map(|(words, label, _)| (words, label))
            .collect();
        let expected = [
            ("42 U.S.C. § 1983", "STATUTE_CITATION"),
            ("Section 5.2", "REFERENCE"),
            ("March 3, 2011", "DATE"),
        ];
        assert_eq!(labels, expected);
    }

    #[test]
    fn a_piece_is_read_where_it_stands() {
        let text = "Pay $ 5.\n\nBy June 1, 2020.";
        let mut recognition = Recognition::default();
        recognition.read(text, 0..10);
        assert_eq!(recognition.len(), 1);
        recognition.read(text, 10..text.len());
        let found: Vec<&str> = recognition.finish().into_iter().map(|one| &text[one.bytes]).collect();
        assert_eq!(found, ["$ 5", "June 1, 2020"]);
    }
}
