//! Finds names of courts in prose: those of the table, and others whose form tells.
use super::courts::{TABLE, hash, normal};
use super::finding::{Citation, Court};
use super::tokens::{Kind, Tokens};
use super::words::{COURT_KINDS, NO_PLACES};
use super::{Draft, Scan};

/// Farthest a name starts before the word `Court`, in tokens: `United States Bankruptcy Appellate Panel of the Ninth Circuit`.
const BEFORE_TOKENS_MAX: usize = 14;
/// Farthest a name ends after the word `Court`, in tokens: `for the Southern District of New York, White Plains Division`.
const AFTER_TOKENS_MAX: usize = 18;

/// Reads the name of a court around the word `Court`, `Tribunal` or `Circuit`.
pub(super) fn name(scan: &Scan<'_>, anchor: usize) -> Vec<Draft> {
    let tokens = &scan.tokens;
    if anchor > scan.floor && tokens.word(anchor - 1) == tokens.word(anchor) {
        return Vec::new();
    }
    let run = run(tokens, anchor, scan.floor);
    let words = normal_words(tokens, run.clone());
    let known = longest(tokens, &words, anchor);
    let (first, end, court) = match (known, by_form(tokens, &run, anchor)) {
        (Some(known), Some(form)) if form.1 - form.0 > known.1 - known.0 && known.2.is_none() => (form.0, form.1, None),
        (Some(known), _) => known,
        (None, Some((first, end))) => (first, end, None),
        (None, None) => return Vec::new(),
    };
    let court = court.map(str::to_owned);
    let citation = Citation::Court(Court {
        name: tokens.plain(first, end),
        court,
    });
    vec![Draft { first, end, citation }]
}

/// Reads a court that is known by its letters: `NCLAT`.
pub(super) fn letters(scan: &Scan<'_>, at: usize) -> Vec<Draft> {
    let name = scan.tokens.word(at);
    let court = TABLE.abbreviations.get(name).map(|(court, _)| (*court).to_owned());
    vec![Draft {
        first: at,
        end: at + 1,
        citation: Citation::Court(Court {
            name: name.to_owned(),
            court,
        }),
    }]
}

/// Names of courts that captions write letter by letter, and the name itself. Of two that begin alike the longer comes first.
const SPACED: &[(&str, &str)] = &[
    ("SUPREMECOURTOFINDIA", "Supreme Court of India"),
    ("SUPREMECOURTOFTHEUNITEDSTATES", "Supreme Court of the United States"),
    ("SUPREMECOURT", "Supreme Court"),
    ("HIGHCOURT", "High Court"),
    ("DISTRICTCOURT", "District Court"),
];

/// Reads `S U P R E M E  C O U R T` from its first letter on.
pub(super) fn spaced(scan: &Scan<'_>, at: usize) -> Vec<Draft> {
    let tokens = &scan.tokens;
    let found = SPACED.iter().find(|(letters, _)| {
        let mut places = letters.char_indices();
        places.all(|(place, letter)| {
            let word = tokens.text(at + place);
            word.len() == 1 && word.starts_with(letter) && (place == 0 || tokens.near(at + place))
        })
    });
    let drafts = found.map(|(letters, name)| Draft {
        first: at,
        end: at + letters.len(),
        citation: Citation::Court(Court {
            name: (*name).to_owned(),
            court: super::courts::by_name(name).map(str::to_owned),
        }),
    });
    drafts.into_iter().collect()
}

/// Finds the tokens around the anchor that may belong to the name.
fn run(tokens: &Tokens<'_>, anchor: usize, floor: usize) -> std::ops::Range<usize> {
    let mut first = anchor;
    for at in (floor.max(anchor.saturating_sub(BEFORE_TOKENS_MAX))..anchor).rev() {
        if !tokens.near(at + 1) || !belongs(tokens, at) || tokens.is(at, ',') {
            break;
        }
        first = at;
    }
    let mut end = anchor + 1;
    let limit = anchor + AFTER_TOKENS_MAX;
    while end < limit
        && tokens.near(end)
        && belongs(tokens, end)
        && !(tokens.is(end, ',') && next_court(tokens, anchor, end))
        && !another_court(tokens, end)
    {
        end += 1;
    }
    first..end
}

/// Tells whether another court follows a comma; in `Court of Appeals, Ninth Circuit` the same court goes on.
fn next_court(tokens: &Tokens<'_>, anchor: usize, comma: usize) -> bool {
    // A name of a court has its kind within the first words: `United States Court`, `Delaware Court`.
    const NEXT_TOKENS_MAX: usize = 8;
    tokens.word(anchor).eq_ignore_ascii_case("circuit")
        || (comma + 1..comma + NEXT_TOKENS_MAX)
            .take_while(|&at| !tokens.is(at, ','))
            .any(|at| matches!(tokens.word(at), "Court" | "COURT" | "Courts" | "Tribunal" | "TRIBUNAL"))
}

/// Tells whether a word is the `and` of `High Court and Gujarat High Court`, behind which another court begins.
fn another_court(tokens: &Tokens<'_>, at: usize) -> bool {
    // A place and a kind stand before the word `Court`: `Andhra Pradesh High Court`.
    const BETWEEN_TOKENS_MAX: usize = 5;
    let courts = (at + 2..at + BETWEEN_TOKENS_MAX).any(|at| matches!(tokens.word(at), "Court" | "COURT"));
    matches!(tokens.word(at), "and" | "And") && tokens.capital(at + 1) && courts
}

fn belongs(tokens: &Tokens<'_>, at: usize) -> bool {
    match tokens.get(at).map(|token| token.kind) {
        Some(Kind::Word) => {
            let word = tokens.word(at);
            word.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit())
                || matches!(word, "of" | "the" | "for" | "and" | "in" | "at" | "s" | "tier" | "ble")
        }
        Some(Kind::Mark('.')) => tokens.word(at.wrapping_sub(1)).len() <= 4,
        Some(Kind::Mark(mark)) => matches!(mark, ',' | '&' | '\'' | '’' | '-' | '(' | ')' | '–'),
        Some(Kind::Number | Kind::Blank) | None => false,
    }
}

/// Looks all parts of the run that hold the anchor up; gives the longest that names a court.
fn longest(tokens: &Tokens<'_>, words: &[(usize, u64)], anchor: usize) -> Option<(usize, usize, Option<&'static str>)> {
    let middle = words.iter().position(|(at, _)| *at == anchor)?;
    let mut best: Option<(usize, usize, Option<&'static str>)> = None;
    for first in 0..=middle {
        if !starts_name(tokens, words[first].0) {
            continue;
        }
        let mut total = words[first..middle]
            .iter()
            .fold(0_u64, |total, (_, word)| total.wrapping_add(*word));
        for &(at, word) in &words[middle..] {
            total = total.wrapping_add(word);
            let longer = best.is_none_or(|(start, end, _)| at + 1 - words[first].0 > end - start);
            if let Some((court, _)) = TABLE.names.get(&total).filter(|_| longer) {
                let open = (words[first].0..at).filter(|&at| tokens.is(at, '(')).count();
                let closed = (words[first].0..at).filter(|&at| tokens.is(at, ')')).count();
                let dot = tokens.is(at + 1, '.') && tokens.word(at).len() == 1;
                let end = at + 1 + usize::from(dot || (open > closed && tokens.is(at + 1, ')')));
                best = Some((words[first].0, end, (!court.is_empty()).then_some(*court)));
            }
        }
    }
    best
}

fn starts_name(tokens: &Tokens<'_>, at: usize) -> bool {
    let title = matches!(
        tokens.word(at),
        "Justice" | "Justices" | "Judge" | "Judges" | "Registrar" | "Chief"
    );
    !title
        && tokens
            .text(at)
            .starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit())
}

/// Reads a court that the table does not have, by its form: `Sessions Court, Pune`, `High Court of Judicature at Bombay`.
fn by_form(tokens: &Tokens<'_>, run: &std::ops::Range<usize>, anchor: usize) -> Option<(usize, usize)> {
    let kind = anchor.checked_sub(1).filter(|&at| at >= run.start)?;
    let word = tokens.word(kind);
    if !matches!(tokens.word(anchor), "Court" | "COURT") {
        return None;
    }
    if matches!(word, "Apex" | "APEX") {
        return Some((kind, anchor + 1));
    }
    if !COURT_KINDS.contains(word) {
        return None;
    }
    let mut first = kind;
    while first > run.start && is_place(tokens, first - 1) {
        first -= 1;
    }
    if tokens.is(first, '&') {
        first += 1;
    }
    let end = place_after(tokens, anchor + 1, run.end);
    let end = if end == anchor + 1 {
        place_after_comma(tokens, end, run.end)
    } else {
        end
    };
    let placed = end > anchor + 1 || first < kind;
    (placed || matches!(word, "Supreme" | "SUPREME")).then_some((first, end))
}

fn is_place(tokens: &Tokens<'_>, at: usize) -> bool {
    let word = tokens.word(at);
    let place = tokens.capital(at) && word.len() > 2 && !NO_PLACES.contains(word);
    place || (tokens.is(at, '&') && tokens.capital(at.wrapping_sub(1)))
}

/// Reads `of Judicature at Bombay` after the word `Court`.
fn place_after(tokens: &Tokens<'_>, from: usize, limit: usize) -> usize {
    let mut end = from;
    let mut at = from;
    while at < limit {
        let linked = matches!(
            tokens.word(at),
            "of" | "at" | "for" | "Of" | "At" | "For" | "OF" | "AT" | "FOR"
        );
        if !linked {
            break;
        }
        at += 1 + usize::from(tokens.word(at + 1) == "the");
        let start = at;
        while at < limit
            && tokens.capital(at)
            && !matches!(
                tokens.word(at),
                "Competent" | "Law" | "Record" | "At" | "For" | "Of" | "AT" | "FOR" | "OF"
            )
        {
            at += 1;
            at += usize::from(matches!(tokens.text(at), "and" | "&" | "And") && tokens.capital(at + 1));
        }
        if at == start {
            break;
        }
        end = at;
    }
    end
}

/// Reads the place in `District Court, Nagpur`, if the text ends or goes on with a mark after.
fn place_after_comma(tokens: &Tokens<'_>, end: usize, limit: usize) -> usize {
    let place = end + 1;
    let ends = tokens.get(place + 1).is_none() || matches!(tokens.mark(place + 1), Some(',' | '.' | ';' | ')'));
    let title = matches!(
        tokens.word(place),
        "Judge" | "Justice" | "Hon" | "The" | "In" | "However" | "But" | "Section" | "And" | "This"
    );
    if tokens.is(end, ',') && place < limit && tokens.capital(place) && tokens.word(place).len() > 3 && !title && ends {
        place + 1
    } else {
        end
    }
}

/// Gives the words of a run in normal form, each with its token and hash.
fn normal_words(tokens: &Tokens<'_>, run: std::ops::Range<usize>) -> Vec<(usize, u64)> {
    let list: Vec<_> = run.filter(|&at| !tokens.word(at).is_empty()).collect();
    let near = |index: usize| list.get(index).map_or("", |&at| tokens.word(at));
    let hashed = list.iter().enumerate().filter_map(|(index, &at)| {
        let before = if index == 0 { "" } else { near(index - 1) };
        Some((at, hash(&normal(before, tokens.word(at), near(index + 1))?)))
    });
    hashed.collect()
}
