//! Texts with marks, for tests: `«LABEL|words»`.

use std::ops::Range;

/// A text without its marks, and each mark's label and range in bytes.
pub(crate) fn read(marked: &str) -> (String, Vec<(&str, Range<usize>)>) {
    let (mut text, mut marks) = (String::new(), Vec::new());
    let mut rest = marked;
    while let Some((before, after)) = rest.split_once('\u{ab}') {
        text.push_str(before);
        let (inside, behind) = after.split_once('\u{bb}').expect("the mark ends");
        let (label, words) = inside.split_once('|').expect("the mark has a label");
        let start = text.len();
        text.push_str(words);
        marks.push((label, start..text.len()));
        rest = behind;
    }
    text.push_str(rest);
    (text, marks)
}
