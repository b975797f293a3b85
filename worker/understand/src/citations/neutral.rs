//! Reads citations that name a year, a series or court, and a number.
//!
//! `[2019] UKSC 41`, `(1973) 4 SCC 225`, `AIR 1973 SC 1461`, `2008 SCC 9`, `2000-Ohio-123`.
use super::finding::{Case, CaseForm, Citation};
use super::tables::{EDITIONS, SERIES};
use super::tokens::Tokens;
use super::{Draft, Scan, cases, names, pages};

/// Divisions that stand in parentheses after the number of a decision.
const DIVISIONS: [&str; 16] = [
    "Ch", "QB", "KB", "Admin", "Comm", "Fam", "Pat", "TCC", "IPEC", "AAC", "IAC", "LC", "TC", "SC", "HL", "Cri",
];
/// Capitals before a number that are money or measures and no series.
const NO_SERIES: [&str; 14] = [
    "USD", "EUR", "GBP", "INR", "US", "RS", "AM", "PM", "KM", "MW", "MM", "MHZ", "GMT", "UTC",
];
/// Most words in an unknown series: `SCC OnLine Bom`, `SUPREME COURT`.
const SERIES_WORDS_MAX: usize = 3;

/// The series and the tokens around, before a page.
struct Heading {
    name: String,
    court: &'static str,
    end: usize,
}

/// Reads `[2019] UKSC 41` and `(1973) 4 SCC 225`, pins included.
pub(super) fn bracketed(scan: &Scan<'_>, at: usize) -> Vec<Draft> {
    let tokens = &scan.tokens;
    let closes = matches!(
        (tokens.mark(at), tokens.mark(at + 2)),
        (Some('('), Some(')')) | (Some('['), Some(']'))
    );
    let Some(year) = tokens.year(at + 1).filter(|_| closes && tokens.near(at + 3)) else {
        return Vec::new();
    };
    let (series, volume) = volume_before(tokens, at + 3);
    let heading =
        known(tokens, series, |series| series.bracketed).or_else(|| unknown(tokens, series, volume.is_some()));
    let Some(heading) = heading else { return Vec::new() };
    let said = Said {
        first: at,
        year,
        volume,
        name_end: at,
    };
    finish(scan, &said, heading).into_iter().collect()
}

/// Reads `2008 SCC 9`, `2003 (4) SCC 601`, `1973 Supp (1) SCC 1` and `2019 SCC OnLine SC 1234`.
pub(super) fn year_first(scan: &Scan<'_>, at: usize) -> Vec<Draft> {
    let tokens = &scan.tokens;
    let Some(year) = tokens.year(at) else { return Vec::new() };
    if tokens.is(at + 1, '-') {
        return hyphened(scan, at, year).into_iter().collect();
    }
    let (series, volume) = match volume_before(tokens, at + 1) {
        (series, Some(volume)) if tokens.is(series - 1, ')') || volume.starts_with("Supp") => (series, Some(volume)),
        _ => (at + 1, None),
    };
    let air = tokens.word(series) == "AIR" && tokens.number(series + 1).is_some();
    let heading = known(tokens, series, |series| series.bare_year || volume.is_some()).or_else(|| {
        (volume.is_some() || air)
            .then(|| unknown(tokens, series, true))
            .flatten()
    });
    let Some(heading) = heading else { return Vec::new() };
    finish(
        scan,
        &Said {
            first: at,
            year,
            volume,
            name_end: at,
        },
        heading,
    )
    .into_iter()
    .collect()
}

/// Reads `AIR 1973 SC 1461`, `JT 1998 (3) SC 123` and `ILR (1971) 1 Del 123`.
pub(super) fn series_first(scan: &Scan<'_>, at: usize) -> Vec<Draft> {
    let tokens = &scan.tokens;
    let dotted = ["A", "I", "R"]
        .iter()
        .enumerate()
        .all(|(i, letter)| tokens.word(at + 2 * i) == *letter && tokens.is(at + 2 * i + 1, '.'));
    let (name, mut next) = match tokens.word(at) {
        "AIR" | "Air" => ("AIR", tokens.skip(at + 1, ',')),
        word @ ("JT" | "ILR") => (word, tokens.skip(at + 1, ',')),
        "A" if dotted => ("AIR", at + 6),
        _ => return Vec::new(),
    };
    let open = matches!(tokens.mark(next), Some('(' | '['));
    next += usize::from(open);
    let Some(year) = tokens.year(next).filter(|_| tokens.near(next)) else {
        return Vec::new();
    };
    next += 1 + usize::from(open);
    let (words, volume) = volume_before(tokens, next);
    let Some(court) = unknown(tokens, words, true) else {
        return Vec::new();
    };
    let supreme = matches!(court.name.as_str(), "SC" | "Sc" | "S.C." | "SUPREME COURT" | "S. C.");
    let name = format!("{name} {}", if supreme { "SC" } else { &court.name });
    let heading = Heading {
        name,
        court: if supreme { "in_sc" } else { "" },
        end: court.end,
    };
    let draft = finish(
        scan,
        &Said {
            first: at,
            year,
            volume,
            name_end: at,
        },
        heading,
    )
    .map(|mut draft| {
        if let Citation::Case(Case {
            key,
            reporter: Some(reporter),
            page: Some(page),
            volume,
            ..
        }) = &mut draft.citation
        {
            let (series, court) = reporter.split_once(' ').unwrap_or((reporter, ""));
            let volume = volume.as_ref().map_or(String::new(), |volume| format!("({volume}) "));
            *key = Some(format!("{series} {year} {volume}{court} {page}"));
        }
        draft
    });
    draft.into_iter().collect()
}

/// What stands around the series.
struct Said<'t> {
    first: usize,
    year: &'t str,
    volume: Option<String>,
    name_end: usize,
}

/// Reads the page and makes the citation.
fn finish(scan: &Scan<'_>, said: &Said<'_>, heading: Heading) -> Option<Draft> {
    let tokens = &scan.tokens;
    let (mut end, mut page) = pages::page(tokens, heading.end)?;
    if tokens.is(end, '(') && DIVISIONS.contains(&tokens.word(end + 1)) && tokens.is(end + 2, ')') && tokens.near(end) {
        page = format!("{page} ({})", tokens.word(end + 1));
        end += 3;
    }
    let (end, pin) = pages::pins(tokens, end, cases::opens);
    let mut case = Case::of_form(CaseForm::Neutral);
    let bracket = tokens.text(said.first);
    let volume = said
        .volume
        .as_ref()
        .map_or(String::new(), |volume| format!("{volume} "));
    case.key = Some(match bracket {
        "[" => format!("[{}] {volume}{} {page}", said.year, heading.name),
        "(" => format!("({}) {volume}{} {page}", said.year, heading.name),
        _ if volume.is_empty() => format!("{} {} {page}", said.year, heading.name),
        _ => format!("({}) {volume}{} {page}", said.year, heading.name),
    });
    case.court = (!heading.court.is_empty()).then(|| heading.court.to_owned());
    case.volume.clone_from(&said.volume);
    (case.reporter, case.page, case.pin, case.year) = (Some(heading.name), Some(page), pin, Some(said.year.to_owned()));
    let name = names::ending_at(tokens, scan.name, said.name_end);
    cases::set_name(tokens, &mut case, name.as_ref());
    Some(Draft {
        first: said.first,
        end,
        citation: Citation::Case(case),
    })
}

/// Reads the volume before a series: `4`, `(4)`, `Supp 2`, `Supp (1)`.
fn volume_before(tokens: &Tokens<'_>, at: usize) -> (usize, Option<String>) {
    let supplement = matches!(tokens.word(at), "Supp" | "Suppl" | "SUPP");
    let number = if supplement { tokens.skip(at + 1, '.') } else { at };
    let open = tokens.is(number, '(');
    let digits = number + usize::from(open);
    let volume = tokens
        .number(digits)
        .filter(|volume| volume.len() <= 3 && tokens.near(digits));
    let closed = !open || tokens.is(digits + 1, ')');
    match volume.filter(|_| closed) {
        Some(volume) => {
            let end = digits + 1 + usize::from(open);
            (
                end,
                Some(if supplement {
                    format!("Supp ({volume})")
                } else {
                    volume.to_owned()
                }),
            )
        }
        None if supplement => (number, Some("Supp".to_owned())),
        None => (at, None),
    }
}

/// Looks a series up in the table.
fn known(tokens: &Tokens<'_>, at: usize, fits: impl Fn(&super::tables::Series) -> bool) -> Option<Heading> {
    let found = SERIES
        .starting_at(tokens, at)
        .into_iter()
        .find(|found| fits(&found.values[0]) && pages::page(tokens, found.end).is_some())?;
    let series = found.values[0];
    Some(Heading {
        name: series.name.to_owned(),
        court: series.court,
        end: found.end,
    })
}

/// Reads a series in capitals that no table has: year, volume and page around are evidence enough.
fn unknown(tokens: &Tokens<'_>, at: usize, has_volume: bool) -> Option<Heading> {
    let mut end = at;
    let mut words = 0;
    while words < SERIES_WORDS_MAX && tokens.near(end) && (is_series_word(tokens, end)) {
        words += 1;
        end = tokens.skip(end + 1, '.');
    }
    // `S. C.` has two words and two dots, `P & H` a sign between.
    if tokens.is(end, '&') && is_series_word(tokens, end + 1) {
        end += 2;
    }
    if tokens.is(end, '(') && DIVISIONS.contains(&tokens.word(end + 1)) && tokens.is(end + 2, ')') {
        end += 3;
    }
    let name = tokens.plain(at, end);
    let fits = has_volume
        && words > 0
        && !NO_SERIES.contains(&tokens.word(at))
        && tokens.number(end).is_some()
        && tokens.near(end);
    fits.then_some(Heading { name, court: "", end })
}

fn is_series_word(tokens: &Tokens<'_>, at: usize) -> bool {
    let word = tokens.word(at);
    let capitals = word.chars().filter(|c| c.is_uppercase()).count();
    let series = capitals == word.chars().count() || capitals >= 2 || word.len() <= 4;
    tokens.capital(at) && series && word.len() <= 12 && !super::parenthesis::is_month(word)
}

/// Reads `2000-Ohio-123` and `1999-NMSC-001`.
fn hyphened(scan: &Scan<'_>, at: usize, year: &str) -> Option<Draft> {
    let tokens = &scan.tokens;
    if !tokens.joined(at + 1) || !tokens.joined(at + 2) {
        return None;
    }
    let found = EDITIONS.starting_at(tokens, at + 2).into_iter().find_map(|found| {
        let edition = found.values.iter().find(|edition| edition.hyphened)?;
        Some((edition, found.end))
    });
    let (edition, end) = found?;
    let number = tokens
        .number(end + 1)
        .filter(|_| tokens.is(end, '-') && tokens.joined(end + 1))?;
    let (end, pin) = pages::pins(tokens, end + 2, cases::opens);
    let mut case = Case::of_form(CaseForm::Neutral);
    case.key = Some(format!("{year}-{}-{number}", edition.name));
    case.volume = Some(year.to_owned());
    (case.reporter, case.page, case.pin, case.year) = (
        Some(edition.name.to_owned()),
        Some(number.to_owned()),
        pin,
        Some(year.to_owned()),
    );
    let name = names::ending_at(tokens, scan.name, at);
    cases::set_name(tokens, &mut case, name.as_ref());
    Some(Draft {
        first: at,
        end,
        citation: Citation::Case(case),
    })
}
