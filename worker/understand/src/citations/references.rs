//! Reads references back to a citation: `Id.`, `Ibid.` and `supra`.
use super::finding::{Case, CaseForm, Citation};
use super::tokens::Tokens;
use super::{Draft, Scan, cases, pages};

/// Words before `id.` in small letters that tell the reference from the end of a word such as `user id.`.
const SIGNALS: [&str; 14] = [
    "see", "See", "also", "cf", "Cf", "accord", "Accord", "citing", "quoting", "in", "In", "under", "But", "but",
];

/// Reads `Id.`, `id. at 45`, `Ibid.` and `Id. § 5`.
pub(super) fn id(scan: &Scan<'_>, at: usize) -> Vec<Draft> {
    let tokens = &scan.tokens;
    let dotted = tokens.is(at + 1, '.') && tokens.joined(at + 1);
    let end = if dotted { at + 2 } else { at + 1 };
    let (end, pin) = match pages::pins(tokens, end, cases::opens) {
        (_, None) => provision(tokens, end),
        found => found,
    };
    let long = matches!(tokens.word(at), "Ibid" | "ibid");
    if !(long && (dotted || pin.is_some())
        || (dotted || spaced_dot(tokens, at)) && opens(tokens, at, scan.floor, pin.is_some()))
    {
        return Vec::new();
    }
    let mut case = Case::of_form(CaseForm::Id);
    case.pin = pin;
    vec![Draft {
        first: at,
        end,
        citation: Citation::Case(case),
    }]
}

fn spaced_dot(tokens: &Tokens<'_>, at: usize) -> bool {
    tokens.is(at + 1, '.') && tokens.near(at + 1)
}

/// Reads the section or paragraph after `Id.`.
fn provision(tokens: &Tokens<'_>, end: usize) -> (usize, Option<String>) {
    let end = if tokens.is(end, '.') && tokens.near(end) {
        end + 1
    } else {
        end
    };
    let at = tokens.skip(end, ',');
    let first = at + usize::from(tokens.word(at) == "at");
    let marked = matches!(tokens.mark(first), Some('§' | '¶')) && tokens.near(first);
    let list = marked.then(|| super::sections::marked(tokens, first)).flatten();
    match list {
        Some(list) => (list.end, Some(tokens.plain(first, list.end))),
        None => match pages::pins(tokens, end, cases::opens) {
            (_, None) => (end, None),
            found => found,
        },
    }
}

/// Tells whether `Id.` stands where a citation can start, and is not the abbreviation of identifier.
fn opens(tokens: &Tokens<'_>, at: usize, floor: usize, pinned: bool) -> bool {
    let next = tokens.text(at + 2);
    if matches!(next, "No" | "Nos" | "Number" | "no" | "number" | ":" | "#" | "Card") {
        return false;
    }
    let Some(before) = at.checked_sub(1) else { return true };
    let signal = SIGNALS.contains(&tokens.word(before))
        || (tokens.is(before, '.') && SIGNALS.contains(&tokens.word(before.wrapping_sub(1))));
    let mark = matches!(
        tokens.mark(before),
        Some('(' | ';' | '.' | '"' | '”' | ')' | '—' | '[' | ',' | '’' | '?' | '!' | ':' | ']')
    );
    match tokens.word(at) {
        "Id" => mark || signal || !tokens.near(at) || at == floor || tokens.number(before).is_some(),
        _ => signal || pinned || tokens.is(before, '(') || tokens.is(before, ';'),
    }
}

/// Reads `supra` after a name, or before a page or note.
pub(super) fn supra(scan: &Scan<'_>, at: usize) -> Vec<Draft> {
    let tokens = &scan.tokens;
    let mut case = Case::of_form(CaseForm::Supra);
    let name = cases::antecedent(scan, at).or_else(|| bare_antecedent(scan, at));
    let mut end = at + 1;
    let note = tokens.skip(end, ',');
    if matches!(tokens.word(note), "note" | "n" | "nn" | "notes") {
        let number = tokens.skip(note + 1, '.');
        if let Some(digits) = tokens.number(number) {
            case.note = Some(digits.to_owned());
            end = number + 1;
        }
    }
    let (end, pin) = pages::pins(tokens, end, cases::opens);
    case.pin = pin;
    if name.is_none() && case.note.is_none() && case.pin.is_none() {
        return Vec::new();
    }
    cases::set_name(tokens, &mut case, name.as_ref());
    vec![Draft {
        first: at,
        end,
        citation: Citation::Case(case),
    }]
}

/// Finds the name in `Gandhi supra`, without a comma.
fn bare_antecedent(scan: &Scan<'_>, at: usize) -> Option<super::names::Name> {
    let end = cases::without_case(&scan.tokens, at);
    let first = super::names::before(&scan.tokens, end, scan.floor)?;
    Some(super::names::Name {
        tokens: first..end,
        parties: std::iter::once(first..end).collect(),
    })
}
