//! Names that a model divided: at a hyphen, and behind an initial.

use std::ops::Range;

use super::Mark;

/// Labels of names that a hyphen joins. Of places it names the two ends of a road.
const NAMES: [&str; 2] = ["PERSON", "ORG"];
/// Longest part of a name that is taken in, in bytes: a long double name has some 20 letters a part.
const PART_BYTES_MAX: usize = 40;

/// A name with the part behind its last hyphen, if that part begins with a capital letter. A surname, which is a single word, also
/// takes the part before its first hyphen.
pub(super) fn with_parts(text: &str, bytes: Range<usize>, free: &Range<usize>, label: &str) -> Range<usize> {
    if !NAMES.contains(&label) || bytes.is_empty() {
        return bytes;
    }
    let name = &text[bytes.clone()];
    let mut range = bytes;
    let behind = &text[range.end..free.end.max(range.end)];
    if let Some(part) = behind.strip_prefix('-').and_then(part_at_start)
        && is_written_alike(name, &behind[1..=part])
    {
        range.end += 1 + part;
    }
    let before = &text[free.start.min(range.start)..range.start];
    if !name.contains(' ')
        && let Some(part) = before.strip_suffix('-').and_then(part_at_end)
        && is_written_alike(name, &before[before.len() - 1 - part..before.len() - 1])
    {
        range.start -= 1 + part;
    }
    if label == "PERSON" {
        range.end += surname(text, &range, free).unwrap_or(0);
    }
    range
}

/// Whether a part has small letters if the name has some, and none otherwise. So a code such as `PW` is no part.
fn is_written_alike(name: &str, part: &str) -> bool {
    name.contains(char::is_lowercase) == part.contains(char::is_lowercase)
}

/// A range that takes in the next mark, where both are parts of one person's name.
pub(super) fn with_next(text: &str, mark: &Mark<'_>, range: Range<usize>, next: &Mark<'_>) -> Range<usize> {
    if mark.label != "PERSON" || next.label != "PERSON" || range.end > next.bytes.start {
        return range;
    }
    let between = &text[range.end..next.bytes.start];
    let is_one = between == "-" || (ends_with_initial(&text[range.clone()]) && (between == ". " || between == " "));
    let range_end = if is_one { next.bytes.end } else { range.end };
    range.start..range_end
}

/// Bytes of a word at the start of a text that begins with a capital letter and has a second letter.
fn part_at_start(text: &str) -> Option<usize> {
    let end = text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len());
    is_part(&text[..end]).then_some(end)
}

/// Bytes of such a word at the end of a text, with a blank, a bracket or the text's start before it.
fn part_at_end(text: &str) -> Option<usize> {
    let (at, last) = text
        .char_indices()
        .rev()
        .find(|(_, c)| !c.is_alphabetic())
        .map_or((0, ""), |(at, c)| (at + c.len_utf8(), &text[at..at + c.len_utf8()]));
    let stands_free =
        last.is_empty() || last.starts_with(|c: char| c.is_whitespace() || matches!(c, '(' | '"' | '\u{201c}'));
    (stands_free && is_part(&text[at..])).then(|| text.len() - at)
}

fn is_part(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(char::is_uppercase) && chars.next().is_some() && word.len() <= PART_BYTES_MAX
}

/// Bytes of `. Shaffer` behind `Maria V`.
fn surname(text: &str, range: &Range<usize>, free: &Range<usize>) -> Option<usize> {
    if !ends_with_initial(&text[range.clone()]) {
        return None;
    }
    let behind = text[range.end..free.end.max(range.end)].strip_prefix(". ")?;
    let part = part_at_start(behind)?;
    let ends_there = behind[part..]
        .chars()
        .next()
        .is_none_or(|c| matches!(c, ',' | '\n' | '\r' | ')' | ' '));
    let is_word = behind[part..].starts_with(' ') && !behind[part..].starts_with("  ");
    (ends_there && !is_word).then_some(2 + part)
}

/// Whether a name of at least two words ends with a single capital letter.
fn ends_with_initial(name: &str) -> bool {
    let Some((_, last)) = name.trim_end_matches('.').rsplit_once(' ') else {
        return false;
    };
    let mut chars = last.chars();
    chars.next().is_some_and(char::is_uppercase) && chars.next().is_none()
}
