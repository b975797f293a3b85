//! The tables of reporters, laws, codes and series, read once from the embedded files.
use super::finding::StatuteForm;
use super::phrases::Phrases;
use super::words::MORE_ABBREVIATIONS;
use std::collections::HashSet;
use std::sync::LazyLock;

/// What a citation of volume, name and page names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Published {
    Reporter,
    /// A neutral citation, whose volume is the year.
    Neutral,
    Database,
    Journal,
    Law(StatuteForm),
}

/// An edition of a reporter, a journal, or a collection of laws.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edition {
    pub name: &'static str,
    pub first_year: u16,
    pub last_year: u16,
    pub published: Published,
    /// The volume is a year.
    pub by_year: bool,
    /// Hyphens stand between year, reporter and number: `2000-Ohio-123`.
    pub hyphened: bool,
    pub court: &'static str,
}

/// A series of cases of countries other than the United States.
#[derive(Debug, Clone, Copy)]
pub(super) struct Series {
    pub name: &'static str,
    pub bracketed: bool,
    pub bare_year: bool,
    pub court: &'static str,
}

/// A code or act that is cited by letters or by a well-known name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Code {
    pub name: &'static str,
    pub form: StatuteForm,
    pub after_title: bool,
    pub before_section: bool,
    /// Sections follow without a sign: `RCW 9.94A.030`.
    pub bare: bool,
    pub alone: bool,
}

pub(super) static EDITIONS: LazyLock<Phrases<Edition>> = LazyLock::new(editions);
pub(super) static SERIES: LazyLock<Phrases<Series>> = LazyLock::new(series);
pub(super) static CODES: LazyLock<Phrases<Code>> = LazyLock::new(codes);
/// Abbreviations and names of states.
pub(super) static STATES: LazyLock<Phrases<&'static str>> = LazyLock::new(states);
/// Laws of states by their usual abbreviation.
pub(super) static LAWS: LazyLock<Phrases<&'static str>> = LazyLock::new(laws);
/// Words that end in a dot inside names of cases.
pub(super) static ABBREVIATIONS: LazyLock<HashSet<&'static str>> = LazyLock::new(abbreviations);

const REPORTERS_TSV: &str = include_str!("../../data/reporters.tsv");
const LAWS_TSV: &str = include_str!("../../data/laws.tsv");
const SERIES_TSV: &str = include_str!("../../data/series.tsv");
const CODES_TSV: &str = include_str!("../../data/codes.tsv");
const STATES_TSV: &str = include_str!("../../data/states.tsv");
const ABBREVIATIONS_TSV: &str = include_str!("../../data/abbreviations.tsv");

/// Splits a table into rows of fields, without the heading.
pub(super) fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t').collect())
}

fn editions() -> Phrases<Edition> {
    let mut phrases = Phrases::default();
    for row in rows(REPORTERS_TSV) {
        let [name, first, last, kind, shape, court, _, spellings] = row[..] else {
            panic!("reporters.tsv: 8 fields a row")
        };
        let edition = Edition {
            name,
            first_year: first.parse().unwrap_or(0),
            last_year: last.parse().unwrap_or(u16::MAX),
            published: published(name, kind),
            by_year: shape.contains('y')
                || (kind == "neutral" && !shape.contains('h'))
                || name == "WL"
                || name.ends_with("LEXIS"),
            hyphened: shape.contains('h'),
            court,
        };
        phrases.add(name, edition);
        spellings
            .split('|')
            .filter(|s| !s.is_empty())
            .for_each(|spelling| phrases.add(spelling, edition));
    }
    for row in rows(LAWS_TSV) {
        add_law(&mut phrases, &row);
    }
    for row in rows(SERIES_TSV).filter(|row| row[1].contains('v')) {
        add_series(&mut phrases, row[0], row[0]);
    }
    phrases.add_capitals();
    phrases
}

/// Adds a series outside the United States that is cited by volume and page alone: `156 ER 145`.
fn add_series(phrases: &mut Phrases<Edition>, name: &'static str, spelling: &str) {
    let published = Published::Reporter;
    let (first_year, last_year) = (0, u16::MAX);
    phrases.add(
        spelling,
        Edition {
            name,
            first_year,
            last_year,
            published,
            by_year: false,
            hyphened: false,
            court: "",
        },
    );
}

fn published(name: &str, kind: &str) -> Published {
    match kind {
        "neutral" => Published::Neutral,
        "journal" => Published::Journal,
        "specialty_west" | "specialty_lexis" => Published::Database,
        _ if name.ends_with("LEXIS") => Published::Database,
        _ => Published::Reporter,
    }
}

/// Adds a law that is cited by volume and page, such as the Statutes at Large.
fn add_law(phrases: &mut Phrases<Edition>, row: &[&'static str]) {
    let [name, kind, _, _, spellings] = row[..] else {
        panic!("laws.tsv: 5 fields a row")
    };
    let form = match kind {
        "leg_session" if name == "Stat." => StatuteForm::Stat,
        "leg_session" => StatuteForm::SessionLaw,
        "admin_register" => StatuteForm::Register,
        _ => return,
    };
    let edition = Edition {
        name,
        first_year: 0,
        last_year: u16::MAX,
        published: Published::Law(form),
        by_year: false,
        hyphened: false,
        court: "",
    };
    phrases.add(name, edition);
    spellings
        .split('|')
        .filter(|s| !s.is_empty())
        .for_each(|spelling| phrases.add(spelling, edition));
}

fn series() -> Phrases<Series> {
    let mut phrases = Phrases::default();
    for row in rows(SERIES_TSV) {
        let [name, places, court, _] = row[..] else {
            panic!("series.tsv: 4 fields a row")
        };
        phrases.add(
            name,
            Series {
                name,
                bracketed: places.contains('b'),
                bare_year: places.contains('y'),
                court,
            },
        );
    }
    phrases
}

fn codes() -> Phrases<Code> {
    let mut phrases = Phrases::default();
    for row in rows(CODES_TSV) {
        let [name, form, places, spellings] = row[..] else {
            panic!("codes.tsv: 4 fields a row")
        };
        let code = Code {
            name,
            form: code_form(form),
            after_title: places.contains('t'),
            before_section: places.contains('p'),
            bare: places.contains('b') || form == "rule",
            alone: places.contains('s'),
        };
        spellings.split('|').for_each(|spelling| phrases.add(spelling, code));
    }
    phrases
}

fn code_form(name: &str) -> StatuteForm {
    match name {
        "usc" => StatuteForm::Usc,
        "cfr" => StatuteForm::Cfr,
        "code" => StatuteForm::Code,
        "state_code" => StatuteForm::StateCode,
        "rule" => StatuteForm::Rule,
        "eu_act" => StatuteForm::EuAct,
        "constitution" => StatuteForm::Constitution,
        "act" => StatuteForm::Act,
        _ => panic!("codes.tsv: unknown recogniser {name}"),
    }
}

fn states() -> Phrases<&'static str> {
    let mut phrases = Phrases::default();
    for row in rows(STATES_TSV) {
        let [short, full] = row[..] else {
            panic!("states.tsv: 2 fields a row")
        };
        phrases.add(short, short);
        if full != short {
            phrases.add(full, short);
        }
    }
    for other in ["U.S.", "D.C.", "P.R.", "V.I.", "Guam"] {
        phrases.add(other, other);
    }
    phrases
}

fn laws() -> Phrases<&'static str> {
    let mut phrases = Phrases::default();
    for row in rows(LAWS_TSV) {
        let [name, "leg_statute" | "admin_compilation", ..] = row[..] else {
            continue;
        };
        phrases.add(name, name);
    }
    phrases
}

fn abbreviations() -> HashSet<&'static str> {
    ABBREVIATIONS_TSV
        .lines()
        .filter(|line| !line.starts_with('#'))
        .chain(MORE_ABBREVIATIONS.iter().copied())
        .collect()
}

/// Gives the words with which a code of any kind can start: these wake the recognisers of statutes.
pub(super) fn code_words() -> impl Iterator<Item = String> {
    let spelled = rows(CODES_TSV).flat_map(|row| row[3].split('|'));
    Phrases::<Code>::first_words(spelled)
}

/// Gives the words with which the name of a state can start.
pub(super) fn state_words() -> impl Iterator<Item = String> {
    let spelled = rows(STATES_TSV)
        .flatten()
        .chain(["U.S.", "D.C.", "P.R.", "V.I.", "Guam"]);
    Phrases::<Code>::first_words(spelled)
}
