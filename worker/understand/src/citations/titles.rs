//! Reads the title of a code: `42 U.S.C.`.
use super::phrases::Match;
use super::tables::{CODES, Code};
use super::tokens::Tokens;

/// Finds the code after a title number: `42 U.S.C.`.
pub(super) fn titled_code(tokens: &Tokens<'_>, title: usize) -> Option<Match<'static, Code>> {
    let digits = tokens.number(title)?;
    let name = tokens.skip(title + 1, ',');
    if digits.len() > 3 || digits.starts_with('0') || !tokens.near(name) {
        return None;
    }
    CODES
        .starting_at(tokens, name)
        .into_iter()
        .find(|found| found.values[0].after_title)
}
