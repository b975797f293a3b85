//! Finds the name of a case before its citation: `Roe v. Wade`, `In re Gault`.
use super::tables::ABBREVIATIONS;
use super::tokens::{Gap, Kind, Tokens};
use super::words::{CONNECTORS, SIGNALS, SUFFIXES};
use std::ops::Range;

/// Longest plaintiff or defendant, in tokens; a dot and a comma count, and longer names end in words of a sentence.
const PARTY_TOKENS_MAX: usize = 28;
/// Farthest a name may stand before its citation, in tokens: the defendant, and a docket number after the defendant.
const NAME_TO_CITATION_TOKENS_MAX: usize = 56;

/// Where a name starts to be read from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Anchor {
    /// First token of the name.
    first: usize,
    /// Tokens of the plaintiff; empty for names such as `In re Gault`.
    plaintiff_end: usize,
    /// First token of the defendant, or of the only party.
    rest: usize,
}

/// The name of a case, in tokens.
pub(super) struct Name {
    pub tokens: Range<usize>,
    pub parties: Vec<Range<usize>>,
}

/// Reads `v.` as the middle of a name; `floor` is the end of the citation before.
pub(super) fn versus(tokens: &Tokens<'_>, at: usize, floor: usize) -> Option<Anchor> {
    // Indian texts write `A-vs.-B`.
    let rest = tokens.skip(tokens.skip(at + 1, '.'), '-');
    let at = if at > 0 && tokens.is(at - 1, '-') { at - 1 } else { at };
    if is_initial(tokens, at) {
        return None;
    }
    let opens = tokens.capital(rest) || tokens.text(rest) == "the" || starts_with_digit(tokens.text(rest));
    let first = before(tokens, at, floor)?;
    (opens && tokens.near(at) && tokens.near(rest)).then_some(Anchor {
        first,
        plaintiff_end: at,
        rest,
    })
}

/// Reads `In re`, `Ex parte`, `Matter of` and `Estate of` as the start of a name.
pub(super) fn single(tokens: &Tokens<'_>, at: usize) -> Option<Anchor> {
    if at > 0 && matches!(tokens.word(at - 1), "re" | "Re" | "RE" | "parte") {
        return None;
    }
    let rest = match (tokens.word(at), tokens.word(at + 1)) {
        ("In" | "in" | "IN", "re" | "Re" | "RE")
        | ("Ex" | "ex", "parte" | "Parte")
        | ("Matter" | "Estate" | "Marriage", "of") => at + 2,
        _ => return None,
    };
    tokens.capital(rest).then_some(Anchor {
        first: at,
        plaintiff_end: at,
        rest,
    })
}

/// Reads the name that ends right before a citation, with a docket number or year between at most.
pub(super) fn ending_at(tokens: &Tokens<'_>, anchor: Option<Anchor>, citation: usize) -> Option<Name> {
    let anchor = anchor?;
    if anchor.rest >= citation || citation - anchor.rest > NAME_TO_CITATION_TOKENS_MAX {
        return None;
    }
    let end = party_end(tokens, anchor.rest, citation)?;
    if !fills(tokens, end, citation) {
        return None;
    }
    let rest = anchor.rest..end;
    let parties = if anchor.plaintiff_end > anchor.first {
        vec![anchor.first..anchor.plaintiff_end, rest]
    } else {
        vec![rest]
    };
    Some(Name {
        tokens: anchor.first..end,
        parties,
    })
}

/// Reads a party forwards, up to a comma that no `Inc.` follows.
fn party_end(tokens: &Tokens<'_>, first: usize, citation: usize) -> Option<usize> {
    let mut end = first;
    for at in first..citation.min(first + PARTY_TOKENS_MAX) {
        let part = match tokens.get(at)?.kind {
            _ if at > first && !tokens.near(at) => return None,
            Kind::Word => {
                is_name_word(tokens, at)
                    || CONNECTORS.contains(tokens.word(at))
                    || is_clipped(tokens, at)
                    || starts_with_digit(tokens.word(at))
            }
            Kind::Number => tokens.year(at).is_none(),
            Kind::Mark(',') => SUFFIXES.contains(tokens.word(at + 1)),
            Kind::Mark('(' | '[') => tokens.year(at + 1).is_none(),
            Kind::Mark(mark) => matches!(mark, '.' | '&' | '\'' | '’' | '-' | '–' | '/' | ')' | ']' | '@'),
            Kind::Blank => false,
        };
        if !part {
            break;
        }
        end = at + 1;
    }
    (end > first).then_some(end)
}

/// Tells whether the tokens between a name and its citation are a docket number, a year or a word such as `reported in`.
fn fills(tokens: &Tokens<'_>, from: usize, citation: usize) -> bool {
    let mut at = tokens.skip(from, ',');
    let docket = matches!(
        tokens.word(at),
        "No" | "Nos" | "Case" | "Docket" | "Civ" | "Crim" | "Civil" | "Criminal" | "CV"
    );
    if docket && tokens.near(at) {
        return (at..citation).all(|at| {
            tokens.near(at) && (tokens.word(at).len() <= 3 || tokens.capital(at) || has_digit(tokens.word(at)))
        });
    }
    while at < citation {
        let bracketed = matches!(tokens.mark(at), Some('(' | '[')) && tokens.year(at + 1).is_some();
        at = match tokens.text(at) {
            "(" | "[" if bracketed && matches!(tokens.mark(at + 2), Some(')' | ']')) => at + 3,
            "reported" | "in" | "at" | "as" | "since" | "," | ":" | "(" if tokens.near(at) => at + 1,
            _ => return false,
        };
    }
    at == citation
}

/// Gives the first token of the name that ends before a token, or nothing where no name stands there.
pub(super) fn before(tokens: &Tokens<'_>, end: usize, floor: usize) -> Option<usize> {
    let (mut first, mut joint) = (None, None);
    let mut depth = 0_usize;
    for at in (floor.max(end.saturating_sub(PARTY_TOKENS_MAX))..end).rev() {
        if tokens.get(at + 1).is_some_and(|next| next.gap == Gap::BlankLine) {
            break;
        }
        match tokens.get(at)?.kind {
            Kind::Word
                if matches!(tokens.word(at), "v" | "vs" | "V" | "VS" | "Vs")
                    && first.is_some()
                    && !is_initial(tokens, at) =>
            {
                return joint;
            }
            Kind::Word if is_name_word(tokens, at) => first = Some(at),
            Kind::Word if CONNECTORS.contains(tokens.word(at)) => {
                if tokens.word(at) == "and" {
                    joint = first;
                }
            }
            Kind::Word if is_clipped(tokens, at) => {}
            Kind::Number if first == Some(at + 1) && depth == 0 && tokens.text(at).len() <= 3 => {}
            Kind::Mark('.') if is_abbreviation(tokens, at) => {}
            Kind::Mark(',') if SUFFIXES.contains(tokens.word(at + 1)) => {}
            Kind::Mark('&' | '\'' | '’' | '-' | '–' | '/' | '@') => {}
            Kind::Mark(')' | ']') => depth += 1,
            Kind::Mark('(' | '[') if depth > 0 => depth -= 1,
            _ => break,
        }
    }
    first
}

/// Tells whether a word in capitals is part of a name and not a signal before the name.
fn is_name_word(tokens: &Tokens<'_>, at: usize) -> bool {
    let word = tokens.word(at);
    tokens.capital(at)
        && !SIGNALS.contains(word)
        && (word != "In" || tokens.word(at + 1) == "re")
        && !(word == "E" && tokens.is(at + 1, '.') && tokens.word(at + 2) == "g")
}

/// Tells whether `V.` is the first name of a person and not `versus`: no party stands before.
fn is_initial(tokens: &Tokens<'_>, at: usize) -> bool {
    let Some(before) = at
        .checked_sub(1)
        .filter(|_| tokens.word(at) == "V" && tokens.is(at + 1, '.'))
    else {
        return false;
    };
    let titled = tokens.is(before, '.')
        && matches!(
            tokens.word(before.wrapping_sub(1)),
            "Mr" | "Mrs" | "Ms" | "Dr" | "Smt" | "Sri" | "Shri" | "Prof"
        );
    let party = tokens.capital(before)
        || matches!(
            tokens.text(before),
            "." | ")" | "ors" | "anr" | "others" | "another" | "al" | "Another" | "Others"
        );
    titled || !party
}

/// Tells whether a dot belongs to an abbreviation and does not end a sentence.
fn is_abbreviation(tokens: &Tokens<'_>, dot: usize) -> bool {
    let Some(at) = dot.checked_sub(1) else { return false };
    let word = tokens.word(at);
    is_clipped(tokens, at)
        || ABBREVIATIONS.contains(word)
        || (word.chars().count() == 1 && word.chars().all(char::is_alphabetic))
}

/// Tells whether letters belong to the word before an apostrophe: `Ass'n`, `Commc'ns`.
fn is_clipped(tokens: &Tokens<'_>, at: usize) -> bool {
    at > 0 && matches!(tokens.mark(at - 1), Some('\'' | '’')) && tokens.joined(at) && tokens.joined(at - 1)
}

fn starts_with_digit(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
}

fn has_digit(word: &str) -> bool {
    word.bytes().any(|b| b.is_ascii_digit())
}
