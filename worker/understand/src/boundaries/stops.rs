//! Stops: those of abbreviations, and those that end a sentence.

use std::ops::Range;

/// Words that end with a stop of their own: forms of companies, titles, parts of addresses, months and terms of the law.
const ABBREVIATIONS: &[&str] = &[
    "inc", "corp", "co", "cos", "ltd", "pty", "pte", "plc", "llc", "llp", "lp", "bros", "assn", "assoc", "intl", "mfg",
    "dept", "univ", "dist", "div", "natl", "govt", "int'l", "nat'l", "ass'n", "gov't", "jr", "sr", "esq", "mr", "mrs",
    "ms", "dr", "prof", "hon", "col", "capt", "lt", "sgt", "st", "ste", "ave", "av", "blvd", "rd", "ln", "hwy", "pkwy",
    "pl", "sq", "ct", "ter", "bldg", "apt", "rm", "mt", "ft", "nos", "arts", "sec", "secs", "para", "paras", "regs",
    "stat", "stats", "seq", "tit", "crim", "civ", "proc", "bankr", "jan", "feb", "mar", "apr", "aug", "sept",
];

/// A range with the stop of its last word, if that word is an abbreviation, and without it if the stop ends a sentence.
pub(super) fn settled(text: &str, bytes: Range<usize>, free: &Range<usize>) -> Range<usize> {
    let words = &text[bytes.clone()];
    let bare = words.trim_end_matches('.');
    let stops = words.len() - bare.len();
    let next_is_stop = bytes.end < free.end && text[bytes.end..].starts_with('.');
    let end = match stops {
        0 if next_is_stop && has_a_stop(bare) && !text[bytes.end + 1..].starts_with('.') => bytes.end + 1,
        0 => bytes.end,
        1 if has_a_stop(bare) || is_initial(bare) => bytes.end,
        _ => bytes.end - stops,
    };
    bytes.start..end
}

/// Whether the last of these words is an abbreviation: a known one, or letters with stops between them.
fn has_a_stop(words: &str) -> bool {
    let last = last_word(words);
    let letters_apart = || {
        let mut parts = last.split('.');
        last.contains('.')
            && parts.all(|part| (1..=2).contains(&part.chars().count()) && part.chars().all(char::is_alphabetic))
    };
    ABBREVIATIONS.iter().any(|known| last.eq_ignore_ascii_case(known)) || letters_apart()
}

/// Whether the last word is a single capital letter.
fn is_initial(words: &str) -> bool {
    let mut chars = last_word(words).chars();
    chars.next().is_some_and(char::is_uppercase) && chars.next().is_none()
}

/// The last of these words. A blank may stand between it and its stop, as in texts that came word by word.
fn last_word(words: &str) -> &str {
    let words = words.trim_end();
    let parts = |c: char| c.is_whitespace() || matches!(c, ',' | '(' | '[' | '-' | '/');
    words.rsplit(parts).next().unwrap_or(words)
}
