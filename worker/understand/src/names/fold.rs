//! Names as they are compared: `ACME Corporation's` and `Acme Corp.` are one.

use super::Space;
use super::words::{FORMS, PERSON_TAILS, TITLES};

/// Spellings of one form of company, the second in place of the first.
const SAME: &[(&str, &str)] = &[
    ("incorporated", "inc"),
    ("corporation", "corp"),
    ("company", "co"),
    ("limited", "ltd"),
    ("pllc", "llc"),
];

/// The words of a name in small letters, without stops, articles, titles and possessives.
pub(super) fn folded(space: Space, name: &str) -> Vec<String> {
    let mut words: Vec<String> = name
        .split_whitespace()
        .map(bare)
        .filter(|word| !word.is_empty())
        .collect();
    if let Some(last) = words.last_mut()
        && let Some(stem) = last.strip_suffix("'s")
    {
        *last = stem.to_owned();
    }
    if words.len() > 1 && words[0] == "the" {
        words.remove(0);
    }
    match space {
        Space::Person => person(&mut words),
        Space::Body => {
            for word in &mut words {
                if let Some((_, same)) = SAME.iter().find(|(spelt, _)| spelt == word) {
                    *word = (*same).to_owned();
                }
            }
        }
        Space::Place | Space::Act | Space::Case | Space::Statute => {}
    }
    words
}

fn person(words: &mut Vec<String>) {
    while words.len() > 1 && TITLES.contains(&words[0].trim_matches('\'')) {
        words.remove(0);
    }
    while words.len() > 1 && words.last().is_some_and(|last| PERSON_TAILS.contains(&last.as_str())) {
        words.pop();
    }
}

/// A word in small letters, without stops and signs around it.
fn bare(word: &str) -> String {
    if word == "&" {
        return "and".to_owned();
    }
    let kept = word
        .chars()
        .filter(|c| !matches!(c, '.' | ',' | '(' | ')' | '"' | '\u{201c}' | '\u{201d}' | ';'));
    let straight = kept.map(|c| if c == '\u{2019}' { '\'' } else { c });
    straight.flat_map(char::to_lowercase).collect()
}

/// The words of a company's name before its form: `acme` of `acme inc`. All words, if there is no form or nothing else.
pub(super) fn core(words: &[String]) -> &[String] {
    let forms = words
        .iter()
        .rev()
        .take_while(|word| FORMS.contains(&word.as_str()))
        .count();
    if forms == words.len() {
        words
    } else {
        &words[..words.len() - forms]
    }
}

/// The words of an act's name before its year; `None` if the name ends with no year.
pub(super) fn undated(words: &[String]) -> Option<&[String]> {
    let (last, rest) = words.split_last()?;
    let is_year = last.len() == 4 && last.bytes().all(|byte| byte.is_ascii_digit());
    let rest = if rest.last().is_some_and(|word| word == "of") {
        &rest[..rest.len() - 1]
    } else {
        rest
    };
    (is_year && rest.len() > 1).then_some(rest)
}
