//! Reads the parenthesis of court and year that closes a citation: `(9th Cir. 2005)`, `(S.D.N.Y. Mar. 3, 2011)`.
use super::courts;
use super::tokens::{Kind, Tokens};

/// Longest parenthesis of court and year, in tokens: `(Tex. App.—Houston [14th Dist.] Mar. 3, 2011, pet. denied)` has 23.
const PARENTHESIS_TOKENS_MAX: usize = 32;
/// Names of months and their abbreviations start with these letters.
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// What the parenthesis says.
pub(super) struct Closing {
    pub end: usize,
    pub year: String,
    pub court: Option<&'static str>,
}

/// Reads a parenthesis that holds a year, perhaps after a court and a date.
pub(super) fn court_and_year(tokens: &Tokens<'_>, open: usize) -> Option<Closing> {
    if !tokens.is(open, '(') || !tokens.near(open) {
        return None;
    }
    let close = close_of(tokens, open)?;
    let year = (open + 1..close)
        .rev()
        .find(|&at| tokens.year(at).is_some() && (at + 1 == close || tokens.is(at + 1, ',')))?;
    let court_end = before_date(tokens, open + 1, year);
    if !reads_as_court(tokens, open + 1, court_end) {
        return None;
    }
    let court = courts::by_abbreviation(tokens, open + 1, court_end);
    Some(Closing {
        end: close + 1,
        year: tokens.text(year).to_owned(),
        court,
    })
}

/// Finds the parenthesis that closes, if nothing but one line of text lies between.
pub(super) fn close_of(tokens: &Tokens<'_>, open: usize) -> Option<usize> {
    let mut depth = 1_usize;
    for at in open + 1..open + PARENTHESIS_TOKENS_MAX {
        if !tokens.near(at) {
            return None;
        }
        depth += usize::from(tokens.is(at, '('));
        depth -= usize::from(tokens.is(at, ')'));
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Drops the month and day before a year.
fn before_date(tokens: &Tokens<'_>, first: usize, year: usize) -> usize {
    let mut end = year;
    let back = |end: usize, fits: &dyn Fn(usize) -> bool| if end > first && fits(end - 1) { end - 1 } else { end };
    end = back(end, &|at| tokens.is(at, ','));
    end = back(end, &|at| tokens.number(at).is_some_and(|digits| digits.len() <= 2));
    let dotted = back(end, &|at| tokens.is(at, '.'));
    let month = back(dotted, &|at| is_month(tokens.word(at)));
    if month < dotted {
        end = back(month, &|at| tokens.number(at).is_some_and(|digits| digits.len() <= 2));
    }
    back(end, &|at| tokens.is(at, ','))
}

/// Tells whether a word names a month, in full or abbreviated.
pub(super) fn is_month(word: &str) -> bool {
    word.get(..3).is_some_and(|start| MONTHS.contains(&start)) && word.len() <= 9
}

/// Tells whether tokens may be the abbreviation of a court: nothing, or capitals and ordinals.
fn reads_as_court(tokens: &Tokens<'_>, first: usize, end: usize) -> bool {
    (first..end).all(|at| match tokens.get(at).map(|token| token.kind) {
        Some(Kind::Word) => {
            let word = tokens.word(at);
            word.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit())
                || matches!(word, "of" | "en" | "banc" | "ex" | "for")
        }
        Some(Kind::Number) => true,
        Some(Kind::Mark(mark)) => matches!(
            mark,
            '.' | ',' | '-' | '—' | '–' | '[' | ']' | '\'' | '’' | '&' | '(' | ')'
        ),
        Some(Kind::Blank) | None => false,
    })
}
