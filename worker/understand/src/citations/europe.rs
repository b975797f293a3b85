//! Reads acts of the European Union and instruments of the United Kingdom that are cited by number.
use super::finding::{Citation, Statute, StatuteForm};
use super::tokens::Tokens;
use super::{Draft, Scan};

/// Bodies whose acts these are, in text before the kind of act.
const BODIES: [&str; 9] = [
    "Council",
    "Commission",
    "Parliament",
    "European",
    "Framework",
    "Implementing",
    "Delegated",
    "Joint",
    "Union",
];
/// Ends of the numbers of older acts.
const COMMUNITIES: [&str; 8] = ["EC", "EEC", "EU", "ECSC", "Euratom", "JHA", "CFSP", "ECB"];

/// Reads `Regulation (EU) 2016/679` or `Directive 95/46/EC`, and the bodies before.
pub(super) fn act(scan: &Scan<'_>, at: usize) -> Vec<Draft> {
    let Some((end, statute)) = act_at(&scan.tokens, at) else {
        return Vec::new();
    };
    vec![Draft {
        first: at,
        end,
        citation: Citation::Statute(statute),
    }]
}

/// Reads an act that starts at a token: the bodies, the kind of act and the number.
pub(super) fn act_at(tokens: &Tokens<'_>, first: usize) -> Option<(usize, Statute)> {
    let mut at = first;
    while BODIES.contains(&tokens.word(at)) && at < first + 3 {
        at += 1;
    }
    let kind = tokens.word(at);
    if !matches!(
        kind,
        "Regulation" | "Directive" | "Decision" | "Regulations" | "Directives"
    ) || !tokens.near(at + 1)
    {
        return None;
    }
    let mut number = at + 1;
    let union = tokens.is(number, '(') && COMMUNITIES.contains(&tokens.word(number + 1));
    if union {
        number = (number + 2..number + 5).find(|&at| tokens.is(at, ')'))? + 1;
    }
    if tokens.word(number) == "No" {
        number = tokens.skip(number + 1, '.');
    }
    let (end, digits) = number_at(tokens, number)?;
    let community = tokens.is(end, '/') && COMMUNITIES.contains(&tokens.word(end + 1));
    if !union && !community {
        return None;
    }
    let end = if community { end + 2 } else { end };
    let kind = kind.trim_end_matches('s');
    let mut statute = Statute::of_act(StatuteForm::EuAct, format!("{kind} {}", tokens.plain(at + 1, end)));
    statute.year = year_of(
        &digits,
        union && tokens.word(number - 1) != "No" && !tokens.is(number - 1, '.'),
    );
    statute.key = Some(format!("{kind} {digits}"));
    statute.number = Some(digits);
    Some((end, statute))
}

/// Reads `2016/679`.
fn number_at(tokens: &Tokens<'_>, at: usize) -> Option<(usize, String)> {
    let (first, second) = (tokens.number(at)?, tokens.number(at + 2)?);
    let fits =
        tokens.is(at + 1, '/') && tokens.near(at) && tokens.near(at + 2) && first.len() <= 4 && second.len() <= 4;
    fits.then(|| (at + 3, format!("{first}/{second}")))
}

/// Gives the year of an act: before the number in acts since 2015 and in directives, after the number in older regulations.
fn year_of(number: &str, year_first: bool) -> Option<String> {
    let (first, second) = number.split_once('/')?;
    let year = if year_first || first.len() == 4 || second.len() == 3 {
        first
    } else {
        second
    };
    match (year.len(), year.parse::<u16>().ok()?) {
        (4, 1952..=2099) => Some(year.to_owned()),
        (2, 52..) => Some(format!("19{year}")),
        _ => Some(first)
            .filter(|first| first.len() == 2)
            .map(|first| format!("19{first}")),
    }
}

/// Reads `SI 2019/419` and `S.I. 2019 No. 419`.
pub(super) fn instrument(scan: &Scan<'_>, at: usize) -> Vec<Draft> {
    let tokens = &scan.tokens;
    let number = match tokens.word(at) {
        "SI" => at + 1,
        "S" if tokens.is(at + 1, '.') && tokens.word(at + 2) == "I" && tokens.is(at + 3, '.') => at + 4,
        _ => return Vec::new(),
    };
    let Some(year) = tokens.year(number).filter(|_| tokens.near(number)) else {
        return Vec::new();
    };
    let digits = match (tokens.text(number + 1), tokens.word(number + 1)) {
        ("/", _) => number + 2,
        (_, "No") => tokens.skip(number + 2, '.'),
        _ => return Vec::new(),
    };
    let Some(value) = tokens
        .number(digits)
        .filter(|value| value.len() <= 4 && tokens.near(digits))
    else {
        return Vec::new();
    };
    let mut statute = Statute::of_act(StatuteForm::UkInstrument, "SI");
    statute.year = Some(year.to_owned());
    statute.key = Some(format!("SI {year}/{value}"));
    statute.number = Some(value.to_owned());
    vec![Draft {
        first: at,
        end: digits + 1,
        citation: Citation::Statute(statute),
    }]
}
