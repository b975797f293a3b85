//! Reads lists of sections, articles and rules: `§§ 1983, 1985(3)`, `Sections 302 and 34`, `12(b)(6)`.
use super::cases;
use super::tokens::{Kind, Tokens};

/// Most sections in one list; longer lists are tables of contents.
const SECTIONS_MAX: usize = 24;
/// Most parts of one section: `240.10b-5(a)(1)(i)(A)` has eight.
const PARTS_MAX: usize = 16;
/// Longest part in parentheses, in characters: `viii`.
const PART_CHARACTERS_MAX: usize = 4;

/// A list of sections, in tokens.
pub(super) struct List {
    pub first: usize,
    pub end: usize,
}

/// Reads `§`, `section`, `art.` and the like; gives the index after.
pub(super) fn marker(tokens: &Tokens<'_>, at: usize) -> Option<usize> {
    if !tokens.near(at) {
        return None;
    }
    if tokens.is(at, '§') {
        return Some(tokens.skip(at + 1, '§'));
    }
    match tokens.word(at) {
        "section" | "sections" | "Section" | "Sections" | "SECTION" | "SECTIONS" | "Article" | "Articles"
        | "article" | "articles" | "ARTICLE" | "Rule" | "Rules" | "rule" | "rules" => Some(at + 1),
        "sec" | "secs" | "Sec" | "Secs" | "s" | "ss" | "S" | "Ss" | "art" | "arts" | "Art" | "Arts" | "r" | "rr"
        | "sect" => Some(tokens.skip(at + 1, '.')),
        _ => None,
    }
}

/// Reads a marker and the list after.
pub(super) fn marked(tokens: &Tokens<'_>, at: usize) -> Option<List> {
    list(tokens, marker(tokens, at)?)
}

/// Reads a list of sections.
pub(super) fn list(tokens: &Tokens<'_>, first: usize) -> Option<List> {
    let mut end = section(tokens, first)?;
    for _ in 1..SECTIONS_MAX {
        let next = separator(tokens, end).and_then(|at| match section(tokens, at) {
            Some(next) => (!is_volume(tokens, at)).then_some(next),
            None => clause(tokens, at).filter(|_| tokens.is(end - 1, ')')),
        });
        let Some(next) = next else { break };
        end = next;
    }
    Some(List {
        first,
        end: et_seq(tokens, end),
    })
}

/// Reads what parts two sections: a comma, `and`, `read with`, and perhaps a marker.
fn separator(tokens: &Tokens<'_>, at: usize) -> Option<usize> {
    if !tokens.near(at) {
        return None;
    }
    let comma = tokens.skip(at, ',');
    let after = match (tokens.text(comma), tokens.text(comma + 1)) {
        ("and" | "or", "/") => comma + 3,
        ("and" | "or" | "&" | "to" | "through" | "/" | "-" | "–", _) => comma + 1,
        ("read", "with") => comma + 2,
        ("r", "/") => comma + 3,
        _ if comma > at => comma,
        _ => return None,
    };
    Some(marker(tokens, after).unwrap_or(after))
}

/// Tells whether a number in a list is the volume or title of the next citation.
fn is_volume(tokens: &Tokens<'_>, at: usize) -> bool {
    tokens.number(at).is_some() && cases::opens(tokens, at)
}

/// Reads one section with the parts in parentheses; gives the index after.
pub(super) fn section(tokens: &Tokens<'_>, at: usize) -> Option<usize> {
    if !tokens.near(at) || !tokens.text(at).starts_with(|c: char| c.is_ascii_digit()) || tokens.text(at).len() > 12 {
        return None;
    }
    let mut end = at + 1;
    for _ in 0..PARTS_MAX {
        let Some(next) = dotted(tokens, end)
            .or_else(|| clause(tokens, end))
            .or_else(|| letter(tokens, end))
        else {
            break;
        };
        end = next;
    }
    Some(end)
}

/// Reads the joined part of `240.10b-5`.
fn dotted(tokens: &Tokens<'_>, at: usize) -> Option<usize> {
    let mark = matches!(tokens.mark(at)?, '.' | '-' | '–' | ':' | '/' | '\u{2011}');
    let digit = tokens.text(at + 1).starts_with(|c: char| c.is_ascii_digit());
    let short =
        tokens.word(at + 1).len() <= 2 && !tokens.word(at + 1).is_empty() && !tokens.is(at, '/') && !tokens.is(at, '.');
    (mark && tokens.joined(at) && tokens.joined(at + 1) && (digit || short)).then_some(at + 2)
}

/// Reads `(b)`; a year in parentheses is no clause.
fn clause(tokens: &Tokens<'_>, at: usize) -> Option<usize> {
    let inside = tokens.text(at + 1);
    let plain = matches!(tokens.get(at + 1)?.kind, Kind::Word | Kind::Number);
    let fits = tokens.is(at, '(') && tokens.is(at + 2, ')') && tokens.near(at) && plain;
    let size = if tokens.joined(at) { PART_CHARACTERS_MAX } else { 3 };
    (fits && inside.len() <= size && tokens.year(at + 1).is_none()).then_some(at + 3)
}

/// Reads the letter of `498 - A` and `498 A`.
fn letter(tokens: &Tokens<'_>, at: usize) -> Option<usize> {
    let dash = usize::from(matches!(tokens.mark(at), Some('-' | '–')));
    let word = tokens.word(at + dash);
    let single = word.len() == 1
        && word
            .bytes()
            .all(|b| b.is_ascii_uppercase() && b != b'I' && (dash == 1 || b != b'A'));
    (single && tokens.near(at + dash) && !tokens.is(at + dash + 1, '.')).then_some(at + dash + 1)
}

fn et_seq(tokens: &Tokens<'_>, at: usize) -> usize {
    let first = tokens.skip(at, ',');
    if tokens.word(first) != "et" || !matches!(tokens.word(first + 1), "seq" | "seqq") {
        return at;
    }
    tokens.skip(first + 2, '.')
}
