//! Reads a section and the act that the section belongs to; act_names.rs reads acts by their names alone.
//!
//! `Section 10(b) of the Securities Exchange Act of 1934`, `u/s 482 Cr.P.C.`, `Companies Act 2006, s 172`, `Indian Penal Code, 1860`.
use super::act_names::{self, ACT_TOKENS_MAX, continues, extended, form_of, is_act_word, year_after};
use super::finding::{Citation, Statute, StatuteForm};
use super::sections::{self, List};
use super::tables::CODES;
use super::tokens::Tokens;
use super::words::NO_NAMES;
use super::{Draft, Scan, europe, statutes};

/// The name of an act, in tokens.
pub(super) struct Act {
    end: usize,
    name: String,
    form: StatuteForm,
    year: Option<String>,
    key: bool,
}

/// Reads a section, article or rule and the act that the section belongs to.
pub(super) fn section_first(scan: &Scan<'_>, at: usize) -> Vec<Draft> {
    let tokens = &scan.tokens;
    let Some(list) = list_at(tokens, at) else {
        return Vec::new();
    };
    let Some(act) = act_after(tokens, list.end) else {
        return Vec::new();
    };
    let mut statute = Statute::of_act(act.form, act.name);
    if act.key {
        statutes::fill(tokens, &mut statute, &list);
    } else {
        statute.section = Some(tokens.plain(list.first, list.end));
    }
    statute.year = act.year;
    vec![Draft {
        first: at,
        end: act.end,
        citation: Citation::Statute(statute),
    }]
}

/// Reads `Section 302`, `u/s 302` and `Order 39 Rule 1`.
fn list_at(tokens: &Tokens<'_>, at: usize) -> Option<List> {
    match tokens.word(at) {
        "u" | "U" => {
            let section = matches!(tokens.word(at + 2), "s" | "S" | "ss" | "sec" | "Section" | "section");
            if tokens.is(at + 1, '/') && section {
                sections::list(tokens, tokens.skip(at + 3, '.'))
            } else {
                None
            }
        }
        "Order" | "order" | "O" => {
            let number = tokens.skip(at + 1, '.');
            let numeral = !tokens.text(number).is_empty()
                && tokens
                    .text(number)
                    .bytes()
                    .all(|b| b.is_ascii_digit() || b"IVXL".contains(&b));
            let rule = tokens.skip(number + 1, ',');
            let ruled = numeral && matches!(tokens.word(rule), "Rule" | "Rules" | "rule" | "r" | "R");
            let list = ruled
                .then(|| sections::list(tokens, tokens.skip(rule + 1, '.')))
                .flatten()?;
            Some(List {
                first: at,
                end: list.end,
            })
        }
        "S" | "s" | "r"
            if !tokens.is(at + 1, '.')
                && tokens.number(at + 1).is_none()
                && !tokens.text(at + 1).starts_with(|c: char| c.is_ascii_digit()) =>
        {
            None
        }
        _ => sections::marked(tokens, at),
    }
}

/// Reads the act after sections: `of the …`, or the name at once.
pub(super) fn act_after(tokens: &Tokens<'_>, end: usize) -> Option<Act> {
    let mut at = tokens.skip(end, ',');
    let linked = matches!(tokens.word(at), "of" | "under" | "in") && tokens.near(at);
    if linked {
        at += 1;
        if matches!(tokens.word(at), "the" | "The") {
            at += 1;
        }
    }
    if !tokens.near(at) {
        return None;
    }
    european(tokens, at)
        .or_else(|| coded(tokens, at))
        .or_else(|| named(tokens, at, linked))
}

fn european(tokens: &Tokens<'_>, at: usize) -> Option<Act> {
    let (end, statute) = europe::act_at(tokens, at)?;
    Some(Act {
        end,
        name: statute.act,
        form: statute.form,
        year: statute.year,
        key: true,
    })
}

/// Reads a code of the table: `GDPR`, `Cr.P.C.`, `Internal Revenue Code`.
fn coded(tokens: &Tokens<'_>, at: usize) -> Option<Act> {
    let found = CODES
        .starting_at(tokens, at)
        .into_iter()
        .find(|found| !found.values[0].after_title)?;
    let code = found.values[0];
    let (end, year) = year_after(tokens, statutes::name_end(tokens, at, found.end));
    Some(Act {
        end,
        name: code.name.to_owned(),
        form: code.form,
        year,
        key: true,
    })
}

/// Reads a name in capitals that ends in `Act`, `Code` and the like.
fn named(tokens: &Tokens<'_>, first: usize, linked: bool) -> Option<Act> {
    let word = (first..first + ACT_TOKENS_MAX)
        .take_while(|&at| at == first || tokens.near(at))
        .take_while(|&at| continues(tokens, at))
        .find(|&at| is_act_word(tokens, at))?;
    let alone = word == first;
    if !tokens.capital(first)
        || (alone && !matches!(tokens.word(word), "Constitution" | "Code"))
        || NO_NAMES.contains(tokens.word(first))
    {
        return None;
    }
    let end = extended(tokens, word);
    if alone && (tokens.word(word) == "Code") && end == word + 1 || (!linked && end - first < 2) {
        return None;
    }
    let form = form_of(tokens, word);
    let (after, year) = year_after(tokens, end);
    Some(Act {
        end: after,
        name: tokens.plain(first, end),
        form,
        year,
        key: false,
    })
}

/// Reads an act by its name alone, back from the word `Act` and on to the year and the section after.
pub(super) fn standalone(scan: &Scan<'_>, word: usize) -> Vec<Draft> {
    let tokens = &scan.tokens;
    if let Some(draft) = act_names::numbered(scan, word) {
        return vec![draft];
    }
    let Some(first) = act_names::name_start(tokens, word, scan.floor) else {
        return Vec::new();
    };
    let end = extended(tokens, word);
    let (after, year) = year_after(tokens, end);
    if !act_names::is_named(tokens, first, word, (end, year.is_some())) {
        return Vec::new();
    }
    let mut statute = Statute::of_act(form_of(tokens, word), tokens.plain(first, end));
    let british = year.is_some() && after == end + 1;
    if british && statute.form == StatuteForm::Act {
        statute.form = StatuteForm::UkAct;
    }
    let comma = tokens.skip(after, ',');
    let list = year
        .as_ref()
        .and_then(|_| sections::marked(tokens, comma))
        .filter(|list| act_after(tokens, list.end).is_none());
    statute.section = list.as_ref().map(|list| tokens.plain(list.first, list.end));
    statute.year = year;
    vec![Draft {
        first,
        end: list.map_or(after, |list| list.end),
        citation: Citation::Statute(statute),
    }]
}
