//! Reads numbers of European cases: `ECLI:EU:C:2020:559`, `Case C-311/18`, `Joined Cases C-92/09 and C-93/09`.
use super::finding::{Case, CaseForm, Citation};
use super::tokens::{Kind, Tokens};
use super::{Draft, Scan, cases, names, pages};

/// Reads `ECLI:EU:C:2020:559`, and `EU:C:2020:559` as the court itself writes.
pub(super) fn ecli(scan: &Scan<'_>, at: usize) -> Vec<Draft> {
    let tokens = &scan.tokens;
    let country = if tokens.word(at) == "ECLI" { at + 2 } else { at };
    let prefixed = country == at || (tokens.is(at + 1, ':') && tokens.joined(country));
    // Court, year and number come after the country; numbers of German decisions have dots.
    let court = part_after(tokens, country, ':').filter(|_| prefixed && !tokens.text(country).is_empty());
    let year = court
        .and_then(|court| part_after(tokens, court, ':'))
        .filter(|&year| tokens.year(year).is_some());
    let (Some(court), Some(year)) = (court, year) else {
        return Vec::new();
    };
    let Some(mut last) = part_after(tokens, year, ':') else {
        return Vec::new();
    };
    for _ in 0..4 {
        last = part_after(tokens, last, '.').unwrap_or(last);
    }
    let number = tokens.plain(country, last + 1);
    let mut case = Case::of_form(CaseForm::Neutral);
    case.year = tokens.year(year).map(str::to_owned);
    case.court = match (tokens.text(country), tokens.text(court)) {
        ("EU", "C") => Some("cjeu".into()),
        ("EU", "T") => Some("eugc".into()),
        ("CE", "ECHR") => Some("echr".into()),
        _ => None,
    };
    case.key = Some(format!("ECLI:{number}"));
    (case.reporter, case.page) = (Some("ECLI".into()), Some(number));
    let name = names::ending_at(tokens, scan.name, at);
    cases::set_name(tokens, &mut case, name.as_ref());
    let (end, pin) = pages::pins(tokens, last + 1, cases::opens);
    case.pin = pin;
    vec![Draft {
        first: at,
        end,
        citation: Citation::Case(case),
    }]
}

/// Gives the token after a mark, if no space stands between.
fn part_after(tokens: &Tokens<'_>, at: usize, mark: char) -> Option<usize> {
    let plain = matches!(
        tokens.get(at + 2).map(|token| token.kind),
        Some(Kind::Word | Kind::Number)
    );
    (tokens.is(at + 1, mark) && tokens.joined(at + 1) && tokens.joined(at + 2) && plain).then_some(at + 2)
}

/// Reads `C-311/18` after the names of the parties, without the word `Case`.
pub(super) fn bare_case(scan: &Scan<'_>, at: usize) -> Vec<Draft> {
    let tokens = &scan.tokens;
    let opens = at > 0 && matches!(tokens.text(at - 1), "," | "(" | "in");
    let Some((end, letter)) = case_number(tokens, at).filter(|_| opens && tokens.joined(at + 2)) else {
        return Vec::new();
    };
    let name = names::ending_at(tokens, scan.name, at);
    vec![Draft {
        first: at,
        end,
        citation: Citation::Case(european(tokens, at..end, letter, name)),
    }]
}

/// Makes the citation of one or more numbers of cases.
fn european(tokens: &Tokens<'_>, numbers: std::ops::Range<usize>, letter: &str, name: Option<names::Name>) -> Case {
    let mut case = Case::of_form(CaseForm::Neutral);
    let numbers = tokens.plain(numbers.start, numbers.end);
    case.court = Some(if letter == "T" { "eugc" } else { "cjeu" }.to_owned());
    case.key = Some(numbers.clone());
    case.page = Some(numbers);
    cases::set_name(tokens, &mut case, name.as_ref());
    case
}

/// Reads `Case C-311/18`, `Joined Cases C-92/09 and C-93/09` and `Case 26/62`.
pub(super) fn named_case(scan: &Scan<'_>, at: usize) -> Vec<Draft> {
    let tokens = &scan.tokens;
    let joined = matches!(tokens.word(at), "Joined" | "Joint");
    let word = at + usize::from(joined);
    if !matches!(tokens.word(word), "Case" | "Cases")
        || (at > 0 && !tokens.word(at - 1).is_empty() && tokens.capital(at - 1))
    {
        return Vec::new();
    }
    let Some((mut end, letter)) = case_number(tokens, word + 1) else {
        return Vec::new();
    };
    // The joined cases of one judgment are few; ten is the length of a line.
    for _ in 0..10 {
        let next = end + usize::from(matches!(tokens.text(end), "," | "and" | "to" | "&"));
        let Some((after, _)) = (next > end).then(|| case_number(tokens, next)).flatten() else {
            break;
        };
        end = after;
    }
    let name = names::ending_at(tokens, scan.name, at);
    vec![Draft {
        first: at,
        end,
        citation: Citation::Case(european(tokens, word + 1..end, letter, name)),
    }]
}

/// Reads `C-311/18`; cases before 1989 have no letter.
fn case_number<'t>(tokens: &Tokens<'t>, at: usize) -> Option<(usize, &'t str)> {
    let letter = tokens.word(at);
    let dashed = matches!(tokens.mark(at + 1), Some('-' | '–' | '\u{2011}'));
    let number = if matches!(letter, "C" | "T" | "F") && dashed {
        at + 2
    } else {
        at
    };
    let (Some(first), true, Some(year)) = (
        tokens.number(number),
        tokens.is(number + 1, '/'),
        tokens.number(number + 2),
    ) else {
        return None;
    };
    let old = number > at || ("53".."89").contains(&year);
    if first.len() > 4 || year.len() != 2 || !tokens.near(at) || !old || !tokens.joined(number + 2) {
        return None;
    }
    let procedure = matches!(tokens.word(number + 3), "P" | "R" | "PPU");
    Some((number + 3 + usize::from(procedure), letter))
}
