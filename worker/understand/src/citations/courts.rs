//! The table of courts: by name, and by the abbreviation that citations use. court_names.rs reads names in prose.
//!
//! A name is looked up by its words in any order, without `the`, `of` and `for`: `California Supreme Court` and
//! `Supreme Court of the State of California` meet in one entry. The table keeps a sum of hashes of the words, so that a
//! longer name is tried with one addition.
use super::phrases::squeeze;
use super::tables::rows;
use super::tokens::Tokens;
use super::words::GENERIC;
use crate::ordinals::ORDINALS;
use std::collections::HashMap;
use std::sync::LazyLock;

const COURTS_TSV: &str = include_str!("../../data/courts.tsv");
const COURTS_OWN_TSV: &str = include_str!("../../data/courts_own.tsv");

pub(super) struct Table {
    /// Sum of the hashes of the words of a name, and the court; the empty court stands for several.
    pub names: HashMap<u64, (&'static str, u8)>,
    pub abbreviations: HashMap<String, (&'static str, u8)>,
}

pub(super) static TABLE: LazyLock<Table> = LazyLock::new(table);

fn table() -> Table {
    let mut table = Table {
        names: HashMap::new(),
        abbreviations: HashMap::new(),
    };
    for (own, row) in rows(COURTS_OWN_TSV)
        .map(|row| (true, row))
        .chain(rows(COURTS_TSV).map(|row| (false, row)))
    {
        let [court, short, parent, ended, names] = row[..] else {
            panic!("courts.tsv: 5 fields a row")
        };
        // Our own courts first, then courts that still sit, then courts that are no part of another.
        let rank = if own {
            0
        } else {
            1 + 2 * u8::from(!ended.is_empty()) + u8::from(!parent.is_empty() && parent != "usdistct")
        };
        short
            .split('|')
            .filter(|short| short.len() > 1)
            .for_each(|short| add_abbreviation(&mut table, short, (court, rank)));
        for name in names.split('|').filter(|name| !name.is_empty()) {
            let words = words(name);
            if own || (words.len() > 1 && !words.iter().all(|word| GENERIC.contains(word.as_str()))) {
                add_name(&mut table, name, &words, (court, rank));
            }
        }
    }
    for (number, ordinal) in ORDINALS.iter().enumerate().take(11) {
        let (court, name) = (CIRCUITS[number], format!("{ordinal} Circuit"));
        table.names.insert(sum(&words(&name)), (court, 0));
    }
    for (name, court) in [
        ("D.C. Circuit", "cadc"),
        ("Federal Circuit", "cafc"),
        ("District of Columbia Circuit", "cadc"),
    ] {
        table.names.insert(sum(&words(name)), (court, 0));
    }
    table
}

const CIRCUITS: [&str; 11] = [
    "ca1", "ca2", "ca3", "ca4", "ca5", "ca6", "ca7", "ca8", "ca9", "ca10", "ca11",
];
/// Ordinals in the names of courts that are written in words; larger ones stand in digits.
const ORDINALS_IN_WORDS: usize = 15;

fn add_abbreviation(table: &mut Table, short: &str, (court, rank): (&'static str, u8)) {
    let key = squeeze(short);
    for key in [
        key.replace("2d", "2nd").replace("3d", "3rd"),
        key.replace("2nd", "2d").replace("3rd", "3d"),
        key,
    ] {
        let entry = table.abbreviations.entry(key).or_insert((court, rank));
        if rank < entry.1 {
            *entry = (court, rank);
        }
    }
}

/// Adds a name as written, and with the words that texts add: the state, the United States.
fn add_name(table: &mut Table, name: &str, words: &[String], found: (&'static str, u8)) {
    let plain = sum(words);
    let (court, rank) = found;
    let united = sum(&self::words("United States"));
    add(table, plain, found);
    if name.starts_with("District Court") || name.starts_with("Court of Appeals for the") {
        add(table, plain.wrapping_add(united), found);
        if words.iter().any(|word| word == "circuit") {
            add(
                table,
                plain.wrapping_add(united).wrapping_add(hash("circuit")),
                (court, rank.saturating_add(9)),
            );
        }
    }
    add(
        table,
        plain.wrapping_add(hash("state")),
        (court, rank.saturating_add(9)),
    );
}

/// Adds an entry; the lower rank wins, and two courts of one rank leave no court.
fn add(table: &mut Table, key: u64, (court, rank): (&'static str, u8)) {
    let entry = table.names.entry(key).or_insert((court, rank));
    if rank < entry.1 {
        *entry = (court, rank);
    } else if rank == entry.1 && entry.0 != court {
        entry.0 = "";
    }
}

/// Gives the court of this name.
pub(super) fn by_name(name: &str) -> Option<&'static str> {
    let (court, _) = TABLE.names.get(&sum(&words(name)))?;
    (!court.is_empty()).then_some(*court)
}

/// Gives the court that the parenthesis of a citation abbreviates.
pub(super) fn by_abbreviation(tokens: &Tokens<'_>, first: usize, end: usize) -> Option<&'static str> {
    let mut key = String::new();
    let mut found = None;
    for at in first..end {
        let numbered =
            tokens.text(at).starts_with(|c: char| c.is_ascii_digit()) && (key.contains("App") || key.contains("Ct"));
        let cut = numbered || matches!(tokens.mark(at), Some('—' | '-' | '–' | '[' | ',' | '('));
        if cut {
            found = TABLE.abbreviations.get(&key).or(found);
        }
        key.push_str(&squeeze(tokens.text(at)));
    }
    TABLE
        .abbreviations
        .get(&key)
        .or(found)
        .map(|(court, _)| *court)
        .filter(|court| !court.is_empty())
}

/// Gives the letters by which our own courts are known in prose; shorter ones mean other things as well.
pub(super) fn known_letters() -> impl Iterator<Item = &'static str> {
    rows(COURTS_OWN_TSV)
        .map(|row| row[1])
        .filter(|short| short.len() >= 3 && *short != "EAT" && *short != "ICJ")
        .chain(["ICJ"])
}

/// Splits a name from the table into words in normal form.
fn words(name: &str) -> Vec<String> {
    let list: Vec<_> = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let near = |index: usize| list.get(index).copied().unwrap_or("");
    let normal = list.iter().enumerate().filter_map(|(index, word)| {
        let before = if index == 0 { "" } else { near(index - 1) };
        normal(before, word, near(index + 1))
    });
    normal.collect()
}

/// Gives the normal form of a word between two others, or nothing for words that do not count.
pub(super) fn normal(before: &str, word: &str, after: &str) -> Option<String> {
    let lower = word.to_lowercase();
    let normal = match (before, lower.as_str(), after) {
        (_, "the" | "of" | "for" | "in" | "and" | "at" | "hon" | "ble" | "honble" | "learned", _) => return None,
        (_, "u", "S" | "s") => "united",
        ("U" | "u", "s", _) => "states",
        (_, "us" | "usa", _) if word == "US" => "united",
        (_, "n", "D") => "northern",
        (_, "s", "D") => "southern",
        (_, "e", "D") => "eastern",
        (_, "w", "D") => "western",
        (_, "m", "D") => "middle",
        (_, "c", "D") => "central",
        (_, "d" | "dist", _) if after != "C" => "district",
        (_, "ct", _) => "court",
        (_, "cir", _) => "circuit",
        (_, ordinal, _) => match ORDINALS
            .iter()
            .take(ORDINALS_IN_WORDS)
            .position(|name| *name == ordinal)
        {
            Some(number) => return Some(numbered(number + 1)),
            None => return Some(lower),
        },
    };
    Some(normal.to_owned())
}

fn numbered(number: usize) -> String {
    match number {
        1 => "1st".into(),
        2 => "2nd".into(),
        3 => "3rd".into(),
        _ => format!("{number}th"),
    }
}

fn sum(words: &[String]) -> u64 {
    words.iter().fold(0, |total, word| total.wrapping_add(hash(word)))
}

/// Hashes a word so well that sums of hashes tell bags of words apart: FNV-1a, then the finisher of SplitMix64.
pub(super) fn hash(word: &str) -> u64 {
    let mut hash = word.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}
