//! Finds the notes at the foot of a page: the last blocks of the page, in a smaller font, which begin with a mark.

use docket_contract::place::Region;

use super::page::{Line, PageLines};

/// Notes have a font at most this part of the usual height.
const SIZE_MAX: f32 = 0.92;
/// Notes stand in this lower part of the page.
const TOP_MIN: f32 = 0.4;
/// Most characters of a mark: a number below 1,000.
const MARK_CHARS_MAX: usize = 3;

/// Marks the notes of a page whose text has this usual height of fonts.
pub fn mark(page: &mut PageLines, body_size: f32) {
    let is_small = |line: &Line| {
        line.is_upright
            && line.region == Region::Body
            && line.size <= SIZE_MAX * body_size
            && line.area.top >= TOP_MIN * page.height
    };
    let small = page.lines.iter().rev().take_while(|line| is_small(line)).count();
    let first_small = page.lines.len().saturating_sub(small);
    if first_small == 0 {
        return;
    }
    let lines = page.lines.get(first_small..).unwrap_or_default();
    let Some(first_note) = lines
        .iter()
        .position(|line| line.begins && begins_with_mark(page.text_of(line)))
    else {
        return;
    };
    for line in page.lines.iter_mut().skip(first_small + first_note) {
        line.region = Region::Footnote;
    }
}

/// Whether a line begins with the mark of a note: a number, a star or a dagger, and then a word.
fn begins_with_mark(line: &str) -> bool {
    let is_mark = |c: char| matches!(c, '0'..='9' | '¹' | '²' | '³' | '⁰' | '⁴'..='⁹' | '*' | '†' | '‡' | '§');
    let marks = line.chars().take_while(|&c| is_mark(c)).count();
    let next = line.chars().skip(marks).find(|c| !c.is_whitespace());
    (1..=MARK_CHARS_MAX).contains(&marks) && next.is_some_and(char::is_alphabetic)
}
