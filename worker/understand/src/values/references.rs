//! References to parts of a document: `Section 5.2(a)`, `Exhibits A and B`, `§§ 3-5`.
//!
//! A heading (`ARTICLE IV`) looks the same as a reference and is found as well. A section of a statute is found too:
//! where a citation covers the section, the caller prefers the citation.

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::Value;
use super::pattern::{Matched, Pattern, Reading, Start};
use super::templates;

/// A reference to one or more parts of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The kind of the parts.
    pub part: Part,
    /// Numbers or letters of single parts, as written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<String>,
    /// Ranges of parts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<NumberRange>,
}

/// The first and the last of consecutive parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberRange {
    /// Number of the first part.
    pub from: String,
    /// Number of the last part.
    pub to: String,
}

/// A kind of part of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each name is the word of the text")]
pub enum Part {
    Section,
    Subsection,
    Article,
    Clause,
    Subclause,
    Paragraph,
    Subparagraph,
    Exhibit,
    Schedule,
    Annex,
    Appendix,
    Recital,
    Rule,
}

/// The table of references.
pub(super) const PATTERNS: &[Pattern] = &[
    Pattern {
        name: "reference_to_many",
        starts: &[
            Start::Words(&[
                "sections",
                "subsections",
                "sub",
                "articles",
                "arts",
                "clauses",
                "subclauses",
                "paragraphs",
                "paras",
                "subparagraphs",
                "exhibits",
                "schedules",
                "annexes",
                "annexures",
                "appendices",
                "recitals",
                "rules",
                "secs",
            ]),
            Start::Symbols(&['§']),
        ],
        regex: concat!(
            r"(?P<part>(?i:(?:sub{opt}{hyphen}?)?sections|secs\.|articles|arts\.|(?:sub{opt}{hyphen}?)?clauses|(?:sub{opt}{hyphen}?)?paragraphs|paras\.?|exhibits|schedules|annexes|annexures|appendices|recitals|rules)|§{opt}§)",
            r"{opt}(?P<list>{part_number}(?:{list_joint}{part_number})*)",
        ),
        read: read_many,
    },
    Pattern {
        name: "reference_to_one",
        starts: &[
            Start::Words(&[
                "section",
                "subsection",
                "sub",
                "sec",
                "article",
                "art",
                "clause",
                "subclause",
                "cl",
                "paragraph",
                "para",
                "subparagraph",
                "exhibit",
                "schedule",
                "annex",
                "annexure",
                "appendix",
                "recital",
                "rule",
            ]),
            Start::Symbols(&['§']),
        ],
        regex: concat!(
            r"(?P<part>(?i:(?:sub{opt}{hyphen}?)?section|sec\.|article|art\.|(?:sub{opt}{hyphen}?)?clause|cl\.|(?:sub{opt}{hyphen}?)?paragraph|para\.?|exhibit|schedule|annex|annexure|appendix|recital|rule)|§)",
            r"(?:{gap}(?i:no|nos)\.)?{opt}(?P<list>{part_number}(?:(?:{list_joint}){structured_number})*)",
        ),
        read: read_one,
    },
];

/// Joint between the numbers of a list.
static JOINT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(&templates::expand("({list_joint})")).expect("the joint is the same for every text"));

/// Compiles what takes a list apart.
pub(super) fn compile() {
    LazyLock::force(&JOINT);
}

fn read_many(matched: &Matched<'_>) -> Option<Reading> {
    read(matched, true)
}

fn read_one(matched: &Matched<'_>) -> Option<Reading> {
    read(matched, false)
}

fn read(matched: &Matched<'_>, many: bool) -> Option<Reading> {
    let list = matched.group("list")?;
    let written = matched.group("part")?;
    let part = part(written)?;
    let glued = matched
        .surface()
        .get(written.len()..)
        .is_some_and(|rest| rest.starts_with(char::is_alphanumeric));
    if (glued && !written.ends_with(['.', '§'])) || !is_plausible(matched, list, part) {
        return None;
    }
    let mut reference = Reference {
        part,
        numbers: Vec::new(),
        ranges: Vec::new(),
    };
    let mut number_start = 0;
    let mut range_from: Option<String> = None;
    for joint in JOINT.find_iter(list) {
        let number = &list[number_start..joint.start()];
        if number.is_empty()
            || (is_hyphen(joint.as_str()) && !(many && hyphen_is_range(list, number_start, joint.end())))
        {
            continue;
        }
        add(&mut reference, range_from.take(), number);
        number_start = joint.end();
        if is_range(joint.as_str()) {
            range_from = reference.numbers.pop();
        }
    }
    add(&mut reference, range_from, &list[number_start..]);
    Some(Reading::Value(Value::Reference(reference)))
}

fn add(reference: &mut Reference, range_from: Option<String>, number: &str) {
    let is_number = |sign: &char| !sign.is_whitespace() && !"\"“”'‘’".contains(*sign);
    let number: String = number.chars().filter(is_number).collect();
    match range_from {
        Some(from) => reference.ranges.push(NumberRange { from, to: number }),
        None => reference.numbers.push(number),
    }
}

fn is_range(joint: &str) -> bool {
    let word = joint.trim().to_lowercase();
    matches!(word.as_str(), "to" | "through" | "thru")
        || word.chars().all(|sign| "-\u{2010}\u{2011}\u{2013}".contains(sign))
}

fn is_hyphen(joint: &str) -> bool {
    joint.trim().chars().all(|sign| "-\u{2010}\u{2011}".contains(sign))
}

/// Says whether the hyphen between two numbers of a list makes a range (`3-5`, `4(b)-(e)`) and no compound number (`498-A`).
fn hyphen_is_range(list: &str, number_start: usize, next_start: usize) -> bool {
    let is_plain = |text: &str| {
        let number = text.split([',', ' ', '-']).next().unwrap_or_default();
        !number.is_empty() && number.chars().all(|sign| sign.is_ascii_digit() || sign == '.')
    };
    let brackets = list[..next_start]
        .trim_end_matches(['-', '\u{2010}', '\u{2011}'])
        .ends_with(')');
    let next = &list[next_start..];
    (is_plain(&list[number_start..]) && is_plain(next)) || (brackets && next.starts_with('('))
}

/// Refuses words that only look like the number of a part: `Section A person`, and `rule I`.
fn is_plausible(matched: &Matched<'_>, list: &str, part: Part) -> bool {
    let is_label = matches!(part, Part::Exhibit | Part::Schedule | Part::Annex | Part::Appendix);
    let is_article = list == "A" || (list == "I" && part != Part::Article);
    if is_article && !is_label {
        return !matched
            .after()
            .trim_start_matches(' ')
            .starts_with(|sign: char| sign.is_lowercase());
    }
    true
}

fn part(written: &str) -> Option<Part> {
    let word: String = written
        .chars()
        .filter(char::is_ascii_alphabetic)
        .collect::<String>()
        .to_lowercase();
    let singular = match word.as_str() {
        "annexes" => "annex",
        "appendices" => "appendix",
        plural => plural.strip_suffix('s').unwrap_or(plural),
    };
    Some(match singular {
        "" | "section" | "sec" => Part::Section,
        "subsection" => Part::Subsection,
        "article" | "art" => Part::Article,
        "clause" | "cl" => Part::Clause,
        "subclause" => Part::Subclause,
        "paragraph" | "para" => Part::Paragraph,
        "subparagraph" => Part::Subparagraph,
        "exhibit" => Part::Exhibit,
        "schedule" => Part::Schedule,
        "annex" | "annexure" => Part::Annex,
        "appendix" => Part::Appendix,
        "recital" => Part::Recital,
        "rule" => Part::Rule,
        _ => return None,
    })
}
