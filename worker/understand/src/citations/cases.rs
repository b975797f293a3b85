//! Reads citations of volume, reporter and page, with their parallel citations, pins, court and year.
//!
//! Collections of laws and journals that are cited by volume and page are read here as well, since their form is the same.
use super::finding::{Case, CaseForm, Citation, Journal, Statute, StatuteForm};
use super::names::{self, Name};
use super::tables::{EDITIONS, Edition, Published};
use super::tokens::{Kind, Tokens};
use super::words::COMMON;
use super::{Draft, Scan, pages, parenthesis, titles};

/// Most parallel citations of one decision: official, regional and two unofficial reporters, each twice.
const PARALLEL_MAX: usize = 8;
/// Most digits of a volume; years have four.
const VOLUME_DIGITS_MAX: usize = 4;

/// Volume, reporter and page, before anything else is read.
pub(super) struct Core<'p> {
    volume: usize,
    editions: &'p [Edition],
    key: String,
    page: Page,
    end: usize,
    weak: bool,
}

enum Page {
    First(String),
    /// The pages after `at` in a short form.
    At(String),
}

/// Reads volume, reporter and page or `at`.
pub(super) fn core<'p>(tokens: &Tokens<'_>, volume: usize) -> Option<Core<'p>> {
    let digits = volume_at(tokens, volume)?;
    EDITIONS.starting_at(tokens, volume + 1).into_iter().find_map(|found| {
        let after = nominative(tokens, found.end);
        let (end, page) = first_page(tokens, after).or_else(|| page_at(tokens, found.end))?;
        let possible = found.values.iter().any(|edition| fits(edition, digits, &page));
        let dated = found
            .values
            .iter()
            .any(|edition| edition.by_year && fits(edition, digits, &page));
        let weak = !dated && (is_weak(tokens, volume, found.end, &found.key) || is_odd_volume(digits, found.values));
        possible.then_some(Core {
            volume,
            editions: found.values,
            key: found.key,
            page,
            end,
            weak,
        })
    })
}

fn volume_at<'t>(tokens: &Tokens<'t>, at: usize) -> Option<&'t str> {
    let digits = tokens.number(at)?;
    let fits = digits.len() <= VOLUME_DIGITS_MAX && !digits.starts_with('0') && tokens.near(at + 1);
    (fits && !is_amount(tokens, at)).then_some(digits)
}

/// Tells whether a number opens a citation of a case or a code, so that the number is no pin of the citation before.
///
/// Reads no list of pins: otherwise a chain of citations would be read anew from each of its links.
pub(super) fn opens(tokens: &Tokens<'_>, at: usize) -> bool {
    let opens_case = |digits: &str| {
        EDITIONS.starting_at(tokens, at + 1).into_iter().any(|found| {
            let first = first_page(tokens, nominative(tokens, found.end)).map(|(_, page)| page);
            let page = first.or_else(|| is_page_at(tokens, found.end).then(|| Page::At(String::new())));
            page.is_some_and(|page| found.values.iter().any(|edition| fits(edition, digits, &page)))
        })
    };
    volume_at(tokens, at).is_some_and(opens_case) || titles::titled_code(tokens, at).is_some()
}

fn is_page_at(tokens: &Tokens<'_>, at: usize) -> bool {
    let at = tokens.skip(at, ',');
    tokens.word(at) == "at" && tokens.near(at) && pages::is_pin_after_at(tokens, at + 1)
}

/// Reads a citation with the parallel citations after, or a short form.
pub(super) fn read(scan: &Scan<'_>, at: usize) -> Vec<Draft> {
    let tokens = &scan.tokens;
    let Some(core) = core(tokens, at) else {
        return Vec::new();
    };
    if matches!(core.page, Page::At(_)) {
        return short(scan, core).into_iter().collect();
    }
    let chain = chain(tokens, core);
    let last = chain.last().expect("a chain has the citation it starts from");
    let closing = parenthesis::court_and_year(tokens, last.end);
    let name = names::ending_at(tokens, scan.name, at);
    let strong = closing.is_some() || name.is_some() || chain.iter().any(|link| !link.core.weak);
    if !strong {
        return Vec::new();
    }
    let early = year_before(tokens, at).or_else(|| chain.iter().find_map(|link| year_of_volume(tokens, &link.core)));
    let said = Said {
        year: closing.as_ref().map(|c| c.year.clone()).or(early),
        court: closing.as_ref().and_then(|c| c.court),
        name,
    };
    let count = chain.len();
    let closed = closing.map(|c| c.end);
    let drafts = chain.into_iter().enumerate().map(|(index, link)| {
        let end = if index + 1 == count {
            closed.unwrap_or(link.end)
        } else {
            link.end
        };
        let citation = citation(tokens, &link, &said);
        Draft {
            first: link.core.volume,
            end,
            citation,
        }
    });
    drafts.collect()
}

/// What the text around a chain of parallel citations says about all of them.
struct Said {
    year: Option<String>,
    court: Option<&'static str>,
    name: Option<Name>,
}

/// One of several parallel citations, with its pins.
struct Link<'p> {
    core: Core<'p>,
    pin: Option<String>,
    end: usize,
}

/// Reads the citations that commas join to the first.
fn chain<'p>(tokens: &Tokens<'_>, first: Core<'p>) -> Vec<Link<'p>> {
    let mut links = Vec::new();
    let mut next = Some(first);
    while let Some(core) = next {
        let (end, pin) = pages::pins(tokens, core.end, opens);
        links.push(Link { core, pin, end });
        let joined = tokens.is(end, ',') && tokens.near(end) && links.len() < PARALLEL_MAX;
        next = joined
            .then(|| self::core(tokens, end + 1))
            .flatten()
            .filter(|core| matches!(core.page, Page::First(_)));
    }
    links
}

/// Reads `410 U.S. at 153`; a weak reporter needs a name before.
fn short(scan: &Scan<'_>, core: Core<'_>) -> Option<Draft> {
    let tokens = &scan.tokens;
    let Page::At(pin) = &core.page else { return None };
    let name = antecedent(scan, core.volume);
    let edition = *choose(&core, tokens.text(core.volume), None)?;
    if (core.weak && name.is_none()) || matches!(edition.published, Published::Law(_) | Published::Journal) {
        return None;
    }
    let mut case = Case::of_form(CaseForm::Short);
    case.volume = Some(tokens.text(core.volume).to_owned());
    case.reporter = Some(edition.name.to_owned());
    case.pin = Some(pin.clone());
    set_name(tokens, &mut case, name.as_ref());
    Some(Draft {
        first: core.volume,
        end: core.end,
        citation: Citation::Case(case),
    })
}

/// Finds the name that stands right before a short form or supra.
pub(super) fn antecedent(scan: &Scan<'_>, at: usize) -> Option<Name> {
    let tokens = &scan.tokens;
    if let Some(name) = names::ending_at(tokens, scan.name, at) {
        return Some(name);
    }
    // Indian texts put the number of a note first: `R. Suresh (6 supra)`.
    let noted = at >= 2 && tokens.number(at - 1).is_some() && tokens.is(at - 2, '(');
    let at = if noted { at - 1 } else { at };
    let comma = at
        .checked_sub(1)
        .filter(|&before| tokens.is(before, ',') || tokens.is(before, '('))?;
    let end = without_case(tokens, comma);
    let first = names::before(tokens, end, scan.floor)?;
    Some(Name {
        tokens: first..end,
        parties: std::iter::once(first..end).collect(),
    })
}

/// Drops the words in `Gandhi's case (supra)` that are not the name.
pub(super) fn without_case(tokens: &Tokens<'_>, end: usize) -> usize {
    let mut end = end;
    if end > 1 && matches!(tokens.word(end - 1), "case" | "judgment" | "decision") {
        end -= 1;
        if end > 2 && tokens.word(end - 1) == "s" && matches!(tokens.mark(end - 2), Some('\'' | '’')) {
            end -= 2;
        }
    }
    end
}

/// Puts the name of a case into a citation.
pub(super) fn set_name(tokens: &Tokens<'_>, case: &mut Case, name: Option<&Name>) {
    let Some(name) = name else { return };
    case.parties = name
        .parties
        .iter()
        .map(|party| tokens.plain(party.start, party.end))
        .collect();
    case.name = Some(tokens.plain(name.tokens.start, name.tokens.end));
    case.name_bytes = Some(tokens.bytes(name.tokens.start, name.tokens.end));
}

fn citation(tokens: &Tokens<'_>, link: &Link<'_>, said: &Said) -> Citation {
    let volume = tokens.text(link.core.volume);
    let edition = choose(&link.core, volume, said.year.as_deref()).expect("core() found an edition that fits");
    let Page::First(page) = &link.core.page else {
        unreachable!("chain() keeps first pages only")
    };
    let year = said.year.clone().or_else(|| edition.by_year.then(|| volume.to_owned()));
    let key = format!("{volume} {} {page}", edition.name);
    let form = match edition.published {
        Published::Reporter => CaseForm::Full,
        Published::Neutral => CaseForm::Neutral,
        Published::Database => CaseForm::Database,
        Published::Journal => {
            let (volume, journal, page) = (volume.to_owned(), edition.name.to_owned(), page.clone());
            return Citation::Journal(Journal {
                volume,
                journal,
                page,
                pin: link.pin.clone(),
                year,
                key,
            });
        }
        Published::Law(form) => {
            return law(
                form,
                edition,
                key,
                Statute {
                    title: Some(volume.to_owned()),
                    number: Some(page.clone()),
                    year,
                    ..Statute::of_act(form, "")
                },
            );
        }
    };
    let mut case = Case::of_form(form);
    case.doubtful = year.as_deref().is_some_and(|year| !appeared(edition, year));
    case.volume = Some(volume.to_owned());
    case.reporter = Some(edition.name.to_owned());
    case.pin.clone_from(&link.pin);
    case.court = said
        .court
        .or((!edition.court.is_empty()).then_some(edition.court))
        .map(str::to_owned);
    case.page = Some(page.clone());
    case.year = year;
    case.key = (page != "___").then_some(key);
    set_name(tokens, &mut case, said.name.as_ref());
    Citation::Case(case)
}

fn law(form: StatuteForm, edition: &Edition, key: String, rest: Statute) -> Citation {
    Citation::Statute(Statute {
        form,
        act: edition.name.to_owned(),
        key: Some(key),
        ..rest
    })
}

/// Chooses among editions with one spelling: by form, then by year, then by exact spelling.
fn choose<'p>(core: &Core<'p>, volume: &str, year: Option<&str>) -> Option<&'p Edition> {
    let exact = |edition: &Edition| super::phrases::squeeze(edition.name) == core.key;
    let timely = |edition: &Edition| year.is_some_and(|year| appeared(edition, year));
    core.editions
        .iter()
        .filter(|edition| fits(edition, volume, &core.page))
        .min_by_key(|edition| {
            (
                !timely(edition),
                edition.by_year != (volume.len() == 4),
                !exact(edition),
            )
        })
}

fn appeared(edition: &Edition, year: &str) -> bool {
    year.parse()
        .is_ok_and(|year: u16| (edition.first_year..=edition.last_year).contains(&year))
}

fn fits(edition: &Edition, volume: &str, page: &Page) -> bool {
    let by_year = volume.len() == 4 && ("1750"..="2099").contains(&volume);
    let number = match (page, edition.name) {
        (Page::First(page), "WL") => page.len() >= 4,
        (Page::First(_) | Page::At(_), _) => true,
    };
    number && !edition.hyphened && (!edition.by_year || by_year)
}

/// Tells whether a volume has four digits although no edition counts by years; `In 1995 U.S. 45` is prose.
fn is_odd_volume(volume: &str, editions: &[Edition]) -> bool {
    volume.len() == 4 && !editions.iter().any(|edition| edition.by_year)
}

/// Reads `(1 Cranch)` or `(1834)` between reporter and page.
fn nominative(tokens: &Tokens<'_>, at: usize) -> usize {
    // A volume, a name of up to four tokens and the two parentheses.
    const NOMINATIVE_TOKENS_MAX: usize = 8;
    if !tokens.is(at, '(') {
        return at;
    }
    match parenthesis::close_of(tokens, at) {
        Some(close) if close - at < NOMINATIVE_TOKENS_MAX && tokens.number(close + 1).is_some() => close + 1,
        Some(_) | None => at,
    }
}

fn first_page(tokens: &Tokens<'_>, at: usize) -> Option<(usize, Page)> {
    let at = tokens.skip(at, ',');
    let (end, page) = pages::page(tokens, at)?;
    Some((end, Page::First(page)))
}

fn page_at(tokens: &Tokens<'_>, at: usize) -> Option<(usize, Page)> {
    let at = tokens.skip(at, ',');
    if tokens.word(at) != "at" || !tokens.near(at) {
        return None;
    }
    let (end, pin) = pages::pins_after_at(tokens, at + 1, opens)?;
    Some((end, Page::At(pin)))
}

/// Tells whether a number is part of an amount, a decimal or a longer number.
fn is_amount(tokens: &Tokens<'_>, at: usize) -> bool {
    let Some(before) = at.checked_sub(1) else { return false };
    match tokens.mark(before) {
        Some('$' | '£' | '€' | '#') => true,
        Some('.' | ',' | '/' | '-' | ':') => {
            tokens.joined(at) && tokens.joined(before) && tokens.number(before.wrapping_sub(1)).is_some()
        }
        Some(_) | None => false,
    }
}

/// Tells whether a spelling alone is too little: one letter, a common word, or a name without a dot.
fn is_weak(tokens: &Tokens<'_>, volume: usize, end: usize, key: &str) -> bool {
    let dots = (volume + 1..end).filter(|&at| tokens.is(at, '.')).count();
    let words = (volume + 1..end)
        .filter(|&at| matches!(tokens.get(at).map(|t| t.kind), Some(Kind::Word | Kind::Number)))
        .count();
    let short = key.chars().count() <= 2 && !matches!(key, "US" | "WL") && !(words == 2 && dots == 2);
    let plain = dots == 0 && words == 1 && !key.chars().skip(1).any(|c| c.is_uppercase() || c.is_ascii_digit());
    let spelled =
        dots == 0 && words > 1 && (volume + 1..end).all(|at| tokens.text(at).len() > 3 || tokens.mark(at).is_some());
    short || plain || spelled || COMMON.contains(key)
}

/// Gives the volume of a citation that counts by years.
fn year_of_volume(tokens: &Tokens<'_>, core: &Core<'_>) -> Option<String> {
    let volume = tokens.text(core.volume);
    choose(core, volume, None)
        .filter(|edition| edition.by_year)
        .map(|_| volume.to_owned())
}

/// Reads the year in `Roe v. Wade (1973) 410 U.S. 113`.
fn year_before(tokens: &Tokens<'_>, at: usize) -> Option<String> {
    let open = at.checked_sub(3)?;
    let fits = tokens.is(open, '(') && tokens.is(at - 1, ')');
    fits.then(|| tokens.year(open + 1)).flatten().map(str::to_owned)
}
