//! Reads statutes and regulations that are cited by letters: `42 U.S.C. § 1983`, `8 Del. C. § 102(b)(7)`, `Pub. L. 111-203`.
use super::finding::{Citation, Statute, StatuteForm};
use super::sections::{self, List};
use super::tables::{CODES, LAWS, STATES};
use super::tokens::{Kind, Tokens};
use super::{Draft, Scan, parenthesis, titles};

/// Longest name of a state's code after the state, in tokens: `Code Ann., Crim. Proc.` has eight.
const CODE_NAME_TOKENS_MAX: usize = 14;

/// Reads `42 U.S.C. § 1983`, `17 C.F.R. Part 240` and codes of states with a title before.
pub(super) fn titled(scan: &Scan<'_>, at: usize) -> Vec<Draft> {
    let tokens = &scan.tokens;
    let Some(digits) = tokens
        .number(at)
        .filter(|digits| digits.len() <= 3 && !digits.starts_with('0'))
    else {
        return Vec::new();
    };
    let Some(found) = titles::titled_code(tokens, at) else {
        return state_code(scan, at + 1, Some(at)).into_iter().collect();
    };
    let code = found.values[0];
    let comma = tokens.skip(found.end, ',');
    let part = matches!(tokens.word(comma), "Part" | "part" | "Parts" | "pt" | "ch" | "chapter");
    let start = if part {
        Some(tokens.skip(comma + 1, '.'))
    } else {
        sections::marker(tokens, comma)
    };
    let Some(list) = sections::list(tokens, start.unwrap_or(comma)) else {
        return Vec::new();
    };
    let mut statute = Statute::of_act(code.form, code.name);
    statute.title = Some(digits.to_owned());
    let sign = if part { "pt." } else { "§" };
    let (end, year) = edition_year(tokens, list.end);
    let section = tokens.plain(list.first, list.end);
    statute.key = Some(format!("{digits} {} {sign} {section}", code.name));
    (statute.section, statute.year) = (Some(section), year);
    vec![Draft {
        first: at,
        end,
        citation: Citation::Statute(statute),
    }]
}

/// Reads a code before its sections, or a code alone: `I.R.C. § 501(c)(3)`, `Fed. R. Civ. P. 12(b)(6)`, `GDPR`.
pub(super) fn code(scan: &Scan<'_>, at: usize) -> Vec<Draft> {
    let tokens = &scan.tokens;
    for found in CODES.starting_at(tokens, at) {
        let code = found.values[0];
        let mut statute = Statute::of_act(code.form, code.name);
        let comma = tokens.skip(found.end, ',');
        let marked = sections::marked(tokens, comma);
        let list = marked.or_else(|| code.bare.then(|| sections::list(tokens, found.end)).flatten());
        if let Some(list) = list.filter(|_| code.before_section || code.alone) {
            let (end, year) = edition_year(tokens, list.end);
            fill(tokens, &mut statute, &list);
            statute.year = year;
            return vec![Draft {
                first: at,
                end,
                citation: Citation::Statute(statute),
            }];
        }
        if code.alone {
            let (end, year) = super::act_names::year_after(tokens, name_end(tokens, at, found.end));
            statute.year = year;
            return vec![Draft {
                first: at,
                end,
                citation: Citation::Statute(statute),
            }];
        }
    }
    Vec::new()
}

/// Leaves out the dot that ends a sentence after a code without other dots: `the IPC.`
pub(super) fn name_end(tokens: &Tokens<'_>, first: usize, end: usize) -> usize {
    let inner = (first..end - 1).any(|at| tokens.is(at, '.'));
    if tokens.is(end - 1, '.') && !inner {
        end - 1
    } else {
        end
    }
}

/// Puts sections and a key into a statute.
pub(super) fn fill(tokens: &Tokens<'_>, statute: &mut Statute, list: &List) {
    let section = tokens.plain(list.first, list.end);
    let sign = if statute.form == StatuteForm::Rule { "" } else { "§ " };
    statute.key = Some(format!("{} {sign}{section}", statute.act));
    statute.section = Some(section);
}

/// Reads `(2000)`, `(West 2011)` and `(Supp. II 1996)` after sections.
fn edition_year(tokens: &Tokens<'_>, at: usize) -> (usize, Option<String>) {
    match parenthesis::court_and_year(tokens, at) {
        Some(closing) => (closing.end, Some(closing.year)),
        None => (at, None),
    }
}

/// Reads a code that starts with the name of a state, or `U.S. Const.`
pub(super) fn state(scan: &Scan<'_>, at: usize) -> Vec<Draft> {
    state_code(scan, at, None).into_iter().collect()
}

fn state_code(scan: &Scan<'_>, at: usize, title: Option<usize>) -> Option<Draft> {
    let tokens = &scan.tokens;
    if title.is_some() && !tokens.near(at) {
        return None;
    }
    let state = STATES.starting_at(tokens, at).into_iter().next()?;
    if tokens.word(state.end) == "Const" || (tokens.word(state.end) == "Constitution" && tokens.near(state.end)) {
        return constitution(tokens, at, state.end);
    }
    let name = code_name(tokens, at, state.end, title.is_some())?;
    let list = sections::list(tokens, name.sections)?;
    let title = title.filter(|_| has_titles(tokens, at, name.end));
    let (end, year) = edition_year(tokens, list.end);
    let act = match LAWS.get(&tokens.plain(at, name.end)) {
        Some(names) => names[0].to_owned(),
        None => tokens.plain(at, name.end),
    };
    let mut statute = Statute::of_act(StatuteForm::StateCode, act);
    statute.title = title.map(|title| tokens.text(title).to_owned()).or(name.title);
    fill(tokens, &mut statute, &list);
    if let (Some(title), Some(key)) = (&statute.title, &statute.key) {
        statute.key = Some(format!("{title} {key}"));
    }
    statute.year = year;
    Some(Draft {
        first: title.unwrap_or(at),
        end,
        citation: Citation::Statute(statute),
    })
}

/// Tells whether a number before a code is a title; before other codes the number belongs to a list.
fn has_titles(tokens: &Tokens<'_>, first: usize, end: usize) -> bool {
    let last = tokens.word(end - 1).len() + tokens.word(end.saturating_sub(2)).len();
    let words = [
        "Cons", "Comp", "Admin", "Adm", "ILCS", "Guam", "Laws", "Regs", "CSR", "Delaware", "Del",
    ];
    last <= 1 || (first..end).any(|at| words.contains(&tokens.word(at)))
}

/// The name of a state's code, and where the sections after start.
struct CodeName {
    end: usize,
    title: Option<String>,
    sections: usize,
}

/// Reads the words of a code up to the sign of a section.
fn code_name(tokens: &Tokens<'_>, first: usize, state_end: usize, titled: bool) -> Option<CodeName> {
    let (mut is_code, mut title) = (false, None);
    let mut end = None;
    let mut at = state_end;
    while at < state_end + CODE_NAME_TOKENS_MAX && tokens.near(at) {
        let named = (end.is_none()).then_some(at);
        if let Some(start) = sections::marker(tokens, at).filter(|_| is_code && tokens.text(at) != "S") {
            return Some(CodeName {
                end: end.unwrap_or_else(|| trimmed(tokens, at)),
                title,
                sections: start,
            });
        }
        match tokens.get(at)?.kind {
            Kind::Word if matches!(tokens.word(at), "tit" | "ch" | "pt" | "Tit" | "title") && is_code => {
                end = end.or(named.map(|at| trimmed(tokens, at)));
                let number = tokens.skip(at + 1, '.');
                title = Some(tokens.text(number).to_owned());
                at = number;
            }
            Kind::Word
                if tokens.capital(at) || matches!(tokens.word(at), "of" | "and" | "to" | "for" | "the" | "l") =>
            {
                is_code |= is_code_word(tokens, at, titled);
            }
            Kind::Number if is_code && is_bare(tokens, first, at) => {
                return Some(CodeName {
                    end: trimmed(tokens, at),
                    title,
                    sections: at,
                });
            }
            Kind::Mark('.' | '&' | ',' | '\'' | '’' | '-') => {}
            _ => return None,
        }
        at += 1;
    }
    None
}

/// Tells whether a word makes the words after a state the name of a code.
fn is_code_word(tokens: &Tokens<'_>, at: usize, titled: bool) -> bool {
    match tokens.word(at) {
        "Code" | "Codes" | "Codified" | "Stat" | "Stats" | "Statutes" | "Law" | "Laws" | "Act" | "Regs" | "CPLR"
        | "ILCS" | "Compiled" => true,
        "R" => tokens.is(at.wrapping_sub(1), '.') && tokens.word(at.wrapping_sub(2)) == "L",
        "C" | "S" => titled || (tokens.is(at + 1, '.') && tokens.word(at + 2) == "A"),
        _ => false,
    }
}

/// Tells whether a code is cited without a sign of a section: `N.Y. C.P.L.R. 3211`, `735 Ill. Comp. Stat. 5/2-615`.
fn is_bare(tokens: &Tokens<'_>, first: usize, at: usize) -> bool {
    let letters: String = (first..at).map(|at| tokens.word(at)).collect();
    ["CPLR", "ILCS", "CompStat", "RCW", "CompStatAnn", "RevStat", "FlaStat"]
        .iter()
        .any(|end| letters.ends_with(end))
}

/// Drops the comma after the name of a code.
fn trimmed(tokens: &Tokens<'_>, end: usize) -> usize {
    if tokens.is(end - 1, ',') { end - 1 } else { end }
}

/// Reads `U.S. Const. art. I, § 8, cl. 3` and `U.S. Const. amend. XIV, § 1`.
fn constitution(tokens: &Tokens<'_>, first: usize, word: usize) -> Option<Draft> {
    let name_end = tokens.skip(word + 1, '.');
    let mut at = tokens.skip(name_end, ',');
    if !matches!(tokens.word(at), "art" | "amend" | "Art" | "Amend" | "amends" | "pmbl") {
        return None;
    }
    let (start, mut end) = (at, at);
    // Article, section and clause: three parts, each after a comma.
    for _ in 0..3 {
        let part = matches!(
            tokens.word(at),
            "art" | "amend" | "Art" | "Amend" | "amends" | "cl" | "cls" | "pmbl" | "para"
        ) || tokens.is(at, '§');
        let value = if tokens.is(at, '§') {
            tokens.skip(at + 1, '§')
        } else {
            tokens.skip(at + 1, '.')
        };
        if !part || !tokens.near(value) || !is_numeral(tokens.text(value)) {
            break;
        }
        end = sections::section(tokens, value).unwrap_or(value + 1);
        at = tokens.skip(end, ',');
    }
    if end == start {
        return None;
    }
    let mut statute = Statute::of_act(StatuteForm::Constitution, tokens.plain(first, name_end));
    statute.section = Some(tokens.plain(start, end));
    statute.key = Some(tokens.plain(first, end));
    Some(Draft {
        first,
        end,
        citation: Citation::Statute(statute),
    })
}

fn is_numeral(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'I' | b'V' | b'X' | b'L' | b'C'))
}

/// Reads `Pub. L. No. 111-203` and `Public Law 111-203`.
pub(super) fn public_law(scan: &Scan<'_>, at: usize) -> Vec<Draft> {
    let tokens = &scan.tokens;
    let law = tokens.skip(at + 1, '.');
    if !matches!(tokens.word(law), "L" | "Law") || !tokens.near(law) {
        return Vec::new();
    }
    let mut number = tokens.skip(law + 1, '.');
    if tokens.word(number) == "No" {
        number = tokens.skip(number + 1, '.');
    }
    let dash = matches!(tokens.mark(number + 1), Some('-' | '–' | '\u{2011}' | '—'));
    let (Some(congress), true, Some(law)) = (tokens.number(number), dash, tokens.number(number + 2)) else {
        return Vec::new();
    };
    if congress.len() > 3 || !tokens.near(number) {
        return Vec::new();
    }
    let private = matches!(tokens.word(at), "Pvt" | "Private");
    let mut statute = Statute::of_act(StatuteForm::PublicLaw, if private { "Pvt. L." } else { "Pub. L." });
    statute.number = Some(format!("{congress}-{law}"));
    statute.key = Some(format!("{} {congress}-{law}", statute.act));
    let comma = tokens.skip(number + 3, ',');
    let list = sections::marked(tokens, comma);
    statute.section = list.as_ref().map(|list| tokens.plain(list.first, list.end));
    let end = list.map_or(number + 3, |list| list.end);
    vec![Draft {
        first: at,
        end,
        citation: Citation::Statute(statute),
    }]
}

/// Reads `Exec. Order No. 13,769`.
pub(super) fn executive_order(scan: &Scan<'_>, at: usize) -> Vec<Draft> {
    let tokens = &scan.tokens;
    let order = tokens.skip(at + 1, '.');
    if tokens.word(order) != "Order" || !tokens.near(order) {
        return Vec::new();
    }
    let number = if tokens.word(order + 1) == "No" {
        tokens.skip(order + 2, '.')
    } else {
        order + 1
    };
    let Some((end, digits)) = super::pages::page(tokens, number)
        .filter(|(_, digits)| digits.len() >= 4 && digits.bytes().all(|b| b.is_ascii_digit()))
    else {
        return Vec::new();
    };
    let mut statute = Statute::of_act(StatuteForm::ExecutiveOrder, "Exec. Order");
    statute.key = Some(format!("Exec. Order {digits}"));
    statute.number = Some(digits);
    vec![Draft {
        first: at,
        end,
        citation: Citation::Statute(statute),
    }]
}
