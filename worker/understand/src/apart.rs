//! Findings that overlap, and which of them stand.

use std::collections::BTreeMap;
use std::ops::Range;

/// Keeps of a list each thing that overlaps with none kept before, and gives the kept things in the order of the text. So the
/// list's order says which of two stands.
pub(crate) fn apart<T>(preferred: impl IntoIterator<Item = T>, bytes: impl Fn(&T) -> &Range<usize>) -> Vec<T> {
    let mut kept: BTreeMap<usize, T> = BTreeMap::new();
    for one in preferred {
        let Range { start, end } = *bytes(&one);
        let before = kept.range(..end).next_back();
        if before.is_none_or(|(_, before)| bytes(before).end <= start) {
            kept.insert(start, one);
        }
    }
    kept.into_values().collect()
}
