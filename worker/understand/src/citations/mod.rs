//! Citations of cases, statutes and regulations, and names of courts.
//!
//! The text is split into tokens once and read from left to right. A token that can open a citation wakes the recognisers
//! of that token; each looks a bounded number of tokens ahead and back, so the time is linear in the text. What one
//! finding covers is not read again, which is the rule against overlaps: the citation that is complete first wins.
//! Dates, money and other values are not read here.
mod act_names;
mod acts;
mod cases;
mod court_names;
mod courts;
mod europe;
mod european_cases;
mod finding;
mod names;
mod neutral;
mod pages;
mod parenthesis;
mod phrases;
mod references;
mod resolve;
mod sections;
mod statutes;
mod tables;
mod titles;
mod tokens;
mod words;

#[cfg(test)]
mod tests;

pub use finding::{Case, CaseForm, Citation, Court, Finding, Journal, Statute, StatuteForm};

use std::collections::HashMap;
use std::sync::LazyLock;
use tokens::{Kind, Tokens};

/// Finds the citations of a text, in reading order and without overlaps.
pub fn find(text: &str) -> Vec<Finding> {
    let mut scan = Scan {
        tokens: Tokens::read(text),
        floor: 0,
        name: None,
    };
    let mut findings = Vec::new();
    let mut at = 0;
    while at < scan.tokens.len() {
        note_name(&mut scan, at);
        let drafts = recognise(&scan, at);
        at += 1;
        if let Some(last) = drafts.last() {
            scan.floor = last.end;
            at = at.max(last.end);
            push(&mut findings, &scan.tokens, drafts);
        }
    }
    resolve::resolve(&mut findings);
    findings
}

/// Reads all tables, so that the first text does not wait for them.
pub fn warm() {
    LazyLock::force(&RECOGNISERS);
    find("See Roe v. Wade, 410 U.S. 113 (1973); 42 U.S.C. § 1983; [2019] UKSC 41 (Supreme Court of India).");
}

/// A text in reading.
struct Scan<'t> {
    tokens: Tokens<'t>,
    /// Index after the last finding: no recogniser reads back beyond.
    floor: usize,
    /// The latest name of a case.
    name: Option<names::Anchor>,
}

/// A finding in tokens.
struct Draft {
    first: usize,
    end: usize,
    citation: Citation,
}

type Recogniser = fn(&Scan<'_>, usize) -> Vec<Draft>;

/// The recognisers that a word wakes, in the order in which they are asked.
static RECOGNISERS: LazyLock<HashMap<String, Vec<Recogniser>>> = LazyLock::new(|| {
    let mut map: HashMap<String, Vec<Recogniser>> = HashMap::new();
    let mut wake = |words: &[&str], recogniser: Recogniser| {
        for word in words {
            map.entry((*word).to_owned()).or_default().push(recogniser);
        }
    };
    wake(&["Id", "id", "Ibid", "ibid"], references::id);
    wake(&["supra", "Supra", "SUPRA"], references::supra);
    wake(&["AIR", "Air", "A", "JT", "ILR"], neutral::series_first);
    wake(&["ECLI", "EU"], european_cases::ecli);
    wake(&["C", "T"], european_cases::bare_case);
    wake(&["Case", "Cases", "Joined"], european_cases::named_case);
    wake(&["Pub", "Public", "Pvt", "Private"], statutes::public_law);
    wake(&["Exec", "Executive"], statutes::executive_order);
    wake(&["SI", "S"], europe::instrument);
    wake(
        &[
            "Regulation",
            "Directive",
            "Decision",
            "Council",
            "Commission",
            "European",
            "Framework",
            "Regulations",
        ],
        europe::act,
    );
    wake(
        &[
            "Section", "Sections", "section", "sections", "SECTION", "SECTIONS", "Sec", "sec", "Secs", "secs", "S",
            "s", "Ss", "ss",
        ],
        acts::section_first,
    );
    wake(
        &[
            "Article", "Articles", "article", "articles", "Art", "art", "Arts", "arts", "u", "U", "Rule", "Rules",
            "rule", "rules", "Order", "O",
        ],
        acts::section_first,
    );
    wake(
        &[
            "Court", "COURT", "Courts", "Tribunal", "TRIBUNAL", "Circuit", "CIRCUIT", "Chancery", "Panel",
        ],
        court_names::name,
    );
    wake(&["S", "H", "D"], court_names::spaced);
    wake(&courts::known_letters().collect::<Vec<_>>(), court_names::letters);
    let codes: Vec<_> = tables::code_words().collect();
    wake(&distinct(&codes), statutes::code);
    let states: Vec<_> = tables::state_words().collect();
    wake(&distinct(&states), statutes::state);
    wake(
        &[
            "Act",
            "ACT",
            "Code",
            "Ordinance",
            "Constitution",
            "Regulations",
            "Rules",
            "Bill",
        ],
        acts::standalone,
    );
    map
});

fn distinct(words: &[String]) -> Vec<&str> {
    let mut distinct: Vec<_> = words.iter().map(String::as_str).collect();
    distinct.sort_unstable();
    distinct.dedup();
    distinct
}

/// Remembers the name of a case that starts or has its `v.` at a token.
fn note_name(scan: &mut Scan<'_>, at: usize) {
    let anchor = match scan.tokens.word(at) {
        "v" | "vs" | "V" | "VS" | "Vs" | "versus" | "Versus" => names::versus(&scan.tokens, at, scan.floor),
        "In" | "in" | "IN" | "Ex" | "ex" | "Matter" | "Estate" | "Marriage" => names::single(&scan.tokens, at),
        _ => None,
    };
    scan.name = anchor.or(scan.name);
}

/// Asks the recognisers that a token wakes, until one finds a citation.
fn recognise(scan: &Scan<'_>, at: usize) -> Vec<Draft> {
    let Some(token) = scan.tokens.get(at) else {
        return Vec::new();
    };
    match token.kind {
        Kind::Number => number(scan, at),
        Kind::Word => {
            let woken = RECOGNISERS.get(scan.tokens.word(at)).map_or(&[][..], Vec::as_slice);
            first_of(scan, at, woken)
        }
        Kind::Mark('[') => neutral::bracketed(scan, at),
        Kind::Mark('(') if scan.tokens.number(at + 1).is_some() => neutral::bracketed(scan, at),
        Kind::Mark('§') => acts::section_first(scan, at),
        Kind::Mark(_) | Kind::Blank => Vec::new(),
    }
}

/// Reads what starts with a number: a volume, a title or a year.
fn number(scan: &Scan<'_>, at: usize) -> Vec<Draft> {
    let next = scan.tokens.skip(at + 1, ',');
    let opens = scan.tokens.capital(next)
        || matches!(scan.tokens.mark(next), Some('(' | '-'))
        || scan.tokens.word(next) == "wl";
    if opens {
        first_of(scan, at, &[cases::read, neutral::year_first, statutes::titled])
    } else {
        Vec::new()
    }
}

fn first_of(scan: &Scan<'_>, at: usize, recognisers: &[Recogniser]) -> Vec<Draft> {
    recognisers
        .iter()
        .map(|recogniser| recogniser(scan, at))
        .find(|drafts| !drafts.is_empty())
        .unwrap_or_default()
}

/// Adds drafts to the findings; the second and later citations of one draft list are parallel to the first.
fn push(findings: &mut Vec<Finding>, tokens: &Tokens<'_>, drafts: Vec<Draft>) {
    let first = findings.len();
    for draft in drafts {
        let mut citation = draft.citation;
        if let Citation::Case(case) = &mut citation {
            case.parallel_to = (findings.len() > first).then_some(first);
        }
        findings.push(Finding {
            bytes: tokens.bytes(draft.first, draft.end),
            citation,
        });
    }
}
