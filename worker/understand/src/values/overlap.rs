//! The one rule for overlapping findings: the longer stays, then the earlier, then the first in the tables.

use std::cmp::Reverse;
use std::ops::Range;

use super::{Finding, Value};
use crate::apart::apart;

/// A value that may overlap with others.
pub(super) struct Candidate {
    /// Where the value stands in the text.
    pub(super) bytes: Range<usize>,
    /// What the value means.
    pub(super) value: Value,
    /// Position of the pattern in the tables.
    pub(super) order: usize,
}

/// Keeps the candidates that the rule prefers, in reading order.
pub(super) fn resolve(mut candidates: Vec<Candidate>) -> Vec<Finding> {
    candidates.sort_by_key(|candidate| (Reverse(candidate.bytes.len()), candidate.bytes.start, candidate.order));
    let findings = candidates
        .into_iter()
        .map(|Candidate { bytes, value, .. }| Finding { bytes, value });
    apart(findings, |finding| &finding.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(bytes: Range<usize>, order: usize) -> Candidate {
        let value = if order == 0 { Value::Email } else { Value::Url };
        Candidate { bytes, value, order }
    }

    fn kept(candidates: Vec<Candidate>) -> Vec<(Range<usize>, &'static str)> {
        resolve(candidates)
            .into_iter()
            .map(|finding| (finding.bytes, finding.value.label()))
            .collect()
    }

    #[test]
    fn the_longer_stays_then_the_earlier_then_the_first_of_the_tables() {
        assert_eq!(kept(vec![candidate(0..3, 0), candidate(2..8, 1)]), [(2..8, "URL")]);
        assert_eq!(kept(vec![candidate(2..6, 0), candidate(0..4, 1)]), [(0..4, "URL")]);
        assert_eq!(kept(vec![candidate(0..4, 1), candidate(0..4, 0)]), [(0..4, "EMAIL")]);
        assert_eq!(
            kept(vec![candidate(4..6, 1), candidate(0..4, 0)]),
            [(0..4, "EMAIL"), (4..6, "URL")]
        );
    }
}
