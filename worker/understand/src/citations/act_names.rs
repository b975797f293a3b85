//! Reads the names of acts: `Companies Act 2006, s 172`, `Indian Penal Code, 1860`, `Act No. 20 of 2014`.
use super::finding::{Citation, Statute, StatuteForm};
use super::tokens::{Gap, Kind, Tokens};
use super::words::{CODES_OF_LAW, KNOWN_ACTS, NO_NAMES};
use super::{Draft, Scan};

/// Longest name of an act, in tokens; `Right to Fair Compensation … Resettlement Act` has 18.
pub(super) const ACT_TOKENS_MAX: usize = 24;

/// Reads `Act No. 20 of 2014` and `Punjab Act 2 of 1985`.
pub(super) fn numbered(scan: &Scan<'_>, word: usize) -> Option<Draft> {
    let tokens = &scan.tokens;
    let number = if tokens.word(word + 1) == "No" {
        tokens.skip(word + 2, '.')
    } else {
        word + 1
    };
    let year = number + 2;
    let digits = tokens
        .number(number)
        .filter(|digits| digits.len() <= 3 && tokens.word(word) == "Act")?;
    let said = tokens
        .year(year)
        .filter(|_| tokens.word(number + 1) == "of" && tokens.near(number) && tokens.near(year))?;
    let placed = word
        .checked_sub(1)
        .filter(|&at| at >= scan.floor && tokens.capital(at) && !NO_NAMES.contains(tokens.word(at)));
    let first = placed.unwrap_or(word);
    let mut statute = Statute::of_act(StatuteForm::Act, tokens.plain(first, word + 1));
    (statute.number, statute.year) = (Some(digits.to_owned()), Some(said.to_owned()));
    Some(Draft {
        first,
        end: year + 1,
        citation: Citation::Statute(statute),
    })
}

/// Tells whether the words before `Act` or `Code` are the name of an act.
pub(super) fn is_named(tokens: &Tokens<'_>, first: usize, word: usize, (end, dated): (usize, bool)) -> bool {
    let names = (first..word).filter(|&at| tokens.capital(at)).count();
    let before = tokens.word(word.wrapping_sub(1));
    let linked = is_linking(before) && before != "s";
    if linked && tokens.word(word) != "Code" {
        return false;
    }
    match tokens.word(word) {
        "Code" => {
            let procedure = tokens.word(word + 1) == "of" && matches!(tokens.word(word + 2), "Civil" | "Criminal");
            (procedure && end > word + 1)
                || (names > 0 && (CODES_OF_LAW.contains(before) || (dated && tokens.word(word + 1) != "of")))
        }
        "Act" | "ACT" | "Ordinance" | "Bill" => {
            let letters = before.len() >= 2 && before.chars().all(char::is_uppercase) && tokens.word(word) == "Act";
            names > 0
                && (dated || (tokens.word(word) == "Act" && (names > 1 || KNOWN_ACTS.contains(before) || letters)))
        }
        "Constitution" => end > word + 1 || names > 0,
        _ => names > 0 && dated,
    }
}

/// Walks back over the words in capitals before `Act`.
pub(super) fn name_start(tokens: &Tokens<'_>, word: usize, floor: usize) -> Option<usize> {
    let mut first = word;
    let mut depth = 0_usize;
    for at in (floor.max(word.saturating_sub(ACT_TOKENS_MAX))..word).rev() {
        if tokens.get(at + 1)?.gap == Gap::BlankLine {
            break;
        }
        match tokens.get(at)?.kind {
            Kind::Word if tokens.capital(at) && !NO_NAMES.contains(tokens.word(at)) => first = at,
            Kind::Word if tokens.capital(at) => break,
            Kind::Word if is_linking(tokens.word(at)) || is_hyphened(tokens, at) => {}
            Kind::Mark('&' | '-' | '’' | '\'' | '–') => {}
            Kind::Mark(',') if tokens.capital(at + 1) && follows_list(tokens, at) => {}
            Kind::Mark(')') => depth += 1,
            Kind::Mark('(') if depth > 0 => depth -= 1,
            Kind::Mark('.') if tokens.word(at.wrapping_sub(1)).len() == 1 => {}
            _ => break,
        }
    }
    // The name must not start inside parentheses that close before `Act`.
    let balance = |mark| (first..word).filter(|&at| tokens.is(at, mark)).count();
    if depth > 0 || balance('(') != balance(')') {
        return None;
    }
    Some(if first < word {
        trimmed_start(tokens, first, word)
    } else {
        first
    })
}

/// Tells whether a comma parts words of a title: a list with `and` follows.
fn follows_list(tokens: &Tokens<'_>, comma: usize) -> bool {
    (comma + 2..comma + 6).any(|at| matches!(tokens.word(at), "and") || tokens.is(at, ','))
        && (comma + 1..comma + 8).any(|at| is_act_word(tokens, at))
}

/// Drops what is in front of a name: the words up to `of the`, as in `Section of the`, and `Court in the`.
fn trimmed_start(tokens: &Tokens<'_>, first: usize, word: usize) -> usize {
    let the = (first..word).rev().find(|&at| {
        tokens.word(at) == "the"
            && matches!(
                tokens.word(at.wrapping_sub(1)),
                "of" | "under" | "in" | "to" | "by" | "with" | "from" | "and"
            )
    });
    match the {
        Some(at) if at > first && at + 1 < word => at + 1,
        Some(_) | None => first,
    }
}

/// Reads the words after `Code` and `Constitution` that belong to the name: `Code of Criminal Procedure`.
pub(super) fn extended(tokens: &Tokens<'_>, word: usize) -> usize {
    let extends = matches!(
        tokens.word(word),
        "Code" | "Constitution" | "Treaty" | "Convention" | "Charter" | "Statute"
    );
    let mut at = word + 1;
    if !extends || !matches!(tokens.word(at), "of" | "on" | "for") || !tokens.near(at) {
        return word + 1;
    }
    at += 1;
    if tokens.word(at) == "the" {
        at += 1;
    }
    let start = at;
    while at < start + ACT_TOKENS_MAX && tokens.capital(at) && tokens.near(at) {
        at += 1;
    }
    if at > start { at } else { word + 1 }
}

/// Tells whether a word in small letters can stand inside the name of an act.
fn is_linking(word: &str) -> bool {
    matches!(
        word,
        "of" | "and" | "the" | "for" | "from" | "to" | "on" | "in" | "against" | "with" | "by" | "s"
    )
}

/// Tells whether a word is the second half of `Income-tax`.
fn is_hyphened(tokens: &Tokens<'_>, at: usize) -> bool {
    at > 0 && tokens.is(at - 1, '-') && tokens.joined(at) && tokens.joined(at - 1)
}

/// Tells whether the name of an act can go on with a token.
pub(super) fn continues(tokens: &Tokens<'_>, at: usize) -> bool {
    match tokens.get(at).map(|token| token.kind) {
        Some(Kind::Word) => tokens.capital(at) || is_linking(tokens.word(at)) || is_hyphened(tokens, at),
        Some(Kind::Mark(',')) => tokens.capital(at + 1),
        Some(Kind::Mark('.')) => tokens.word(at.wrapping_sub(1)).len() == 1,
        Some(Kind::Mark(mark)) => matches!(mark, '&' | '-' | '’' | '\'' | '(' | ')' | '–'),
        Some(Kind::Number | Kind::Blank) | None => false,
    }
}

pub(super) fn is_act_word(tokens: &Tokens<'_>, at: usize) -> bool {
    let law = tokens.word(at) == "Law" && !tokens.capital(at + 1);
    law || matches!(
        tokens.word(at),
        "Act"
            | "ACT"
            | "Code"
            | "Constitution"
            | "Ordinance"
            | "Regulations"
            | "Rules"
            | "Treaty"
            | "Convention"
            | "Charter"
            | "Statute"
            | "Bill"
    )
}

pub(super) fn form_of(tokens: &Tokens<'_>, word: usize) -> StatuteForm {
    match tokens.word(word) {
        "Constitution" => StatuteForm::Constitution,
        "Rules" => StatuteForm::Rule,
        _ => StatuteForm::Act,
    }
}

/// Reads the year after the name of an act: `of 1934`, `, 1860`, `2006`.
pub(super) fn year_after(tokens: &Tokens<'_>, end: usize) -> (usize, Option<String>) {
    let mut at = tokens.skip(end, ',');
    if tokens.word(at) == "of" && tokens.near(at) {
        at += 1;
    }
    match tokens.year(at).filter(|_| tokens.near(at)) {
        Some(year) => (at + 1, Some(year.to_owned())),
        None => (end, None),
    }
}
