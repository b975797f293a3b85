//! The ends of a mark: signs that are no part of a name, and brackets without their partner.

use std::ops::Range;

/// Brackets and quotes in pairs, opening and closing.
const PAIRS: [(char, char); 7] = [
    ('(', ')'),
    ('[', ']'),
    ('{', '}'),
    ('\u{201c}', '\u{201d}'),
    ('\u{ab}', '\u{bb}'),
    ('\u{300c}', '\u{300d}'),
    ('\u{300a}', '\u{300b}'),
];
/// Signs of currencies outside the block of them.
const CURRENCIES: &str = "$\u{a2}\u{a3}\u{a4}\u{a5}";

/// Most digits of a footnote's number.
const NOTE_DIGITS_MAX: usize = 2;
/// Most digits of a number before a name in a list.
const NUMBER_DIGITS_MAX: usize = 3;

/// A range without the signs at its ends that are no part of a name.
pub(super) fn trimmed(text: &str, bytes: Range<usize>, label: &str) -> Range<usize> {
    let words = &text[bytes.clone()];
    let behind = words.trim_start_matches(|c| is_edge(c) && !may_begin(c));
    let start = bytes.end - behind.len();
    let kept = behind.trim_end_matches(|c| is_edge(c) && !may_end(c, label));
    let kept = without_quotes(kept);
    let first = start + (kept.as_ptr() as usize - behind.as_ptr() as usize);
    let range = first..first + kept.len();
    let range = if label == "PERSON" { person(text, range) } else { range };
    without_possessive(text, range)
}

/// A person's name without a number or a `v.` before it, and without the number of a footnote that stands at its last letter.
fn person(text: &str, range: Range<usize>) -> Range<usize> {
    let words = &text[range.clone()];
    let name = words.split_once('.').filter(|(first, _)| is_no_name(first.trim_end()));
    let name = name.map_or(words, |(_, name)| name.trim_start());
    let note = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_note = name.len() - note.len() <= NOTE_DIGITS_MAX && note.ends_with(char::is_lowercase);
    let end = range.end - if is_note { name.len() - note.len() } else { 0 };
    if name.is_empty() {
        range
    } else {
        range.end - name.len()..end
    }
}

/// Whether the word before a first stop is a number in a list, or the `v` between two parties.
fn is_no_name(first: &str) -> bool {
    let is_number = (1..=NUMBER_DIGITS_MAX).contains(&first.len()) && first.bytes().all(|byte| byte.is_ascii_digit());
    is_number || matches!(first, "v" | "vs" | "Vs" | "VS")
}

/// Whether a character can be cut off: a sign, a mark of punctuation, a blank, a raised digit. Letters, digits, accents and
/// everything unknown stay.
fn is_edge(c: char) -> bool {
    matches!(c,
        '\0'..='/' | ':'..='@' | '['..='`' | '{'..='\u{bf}' | '\u{d7}' | '\u{f7}'
        | '\u{2000}'..='\u{206f}' | '\u{2070}'..='\u{209c}' | '\u{20a0}'..='\u{20cf}' | '\u{2116}'..='\u{2122}'
        | '\u{2190}'..='\u{2bff}' | '\u{3000}'..='\u{3003}' | '\u{3008}'..='\u{3020}' | '\u{fffd}')
        && !matches!(c, '\u{aa}' | '\u{ba}' | '\u{b5}')
}

fn may_begin(c: char) -> bool {
    is_currency(c)
        || PAIRS.iter().any(|&(open, _)| open == c)
        || matches!(c, '"' | '\u{a7}' | '\u{b6}' | '#' | '.' | '\u{2116}')
}

/// A stop is another rule's.
fn may_end(c: char, label: &str) -> bool {
    PAIRS.iter().any(|&(_, close)| close == c)
        || matches!(c, '"' | '.' | '%' | '\u{2030}' | '+' | '!')
        || (label == "MONEY" && is_currency(c))
        || (label == "MONEY" && c == '-')
}

fn is_currency(c: char) -> bool {
    CURRENCIES.contains(c) || ('\u{20a0}'..='\u{20cf}').contains(&c)
}

/// Words without the quotes or brackets around them.
fn without_quotes(words: &str) -> &str {
    let mut chars = words.chars();
    let around = (chars.next(), chars.next_back());
    match around {
        (Some('"'), Some('"')) => chars.as_str(),
        (Some(open), Some(close))
            if PAIRS.contains(&(open, close)) && !closes_before_its_end(chars.as_str(), open, close) =>
        {
            chars.as_str()
        }
        (Some('"'), _) if !words[1..].contains('"') => &words[1..],
        (_, Some('"')) if !words[..words.len() - 1].contains('"') => &words[..words.len() - 1],
        _ => words,
    }
}

/// Whether the first bracket of a pair around words was closed within them, as in `(a) and (b)`.
fn closes_before_its_end(inside: &str, open: char, close: char) -> bool {
    let mut depth = 0_i32;
    inside.chars().any(|c| {
        depth += i32::from(c == open) - i32::from(c == close);
        depth < 0
    })
}

/// A range without a possessive at its end, unless a name goes on behind it, as in `Moody's Investors Service`.
fn without_possessive(text: &str, range: Range<usize>) -> Range<usize> {
    let words = &text[range.clone()];
    let name = words.strip_suffix("'s").or_else(|| words.strip_suffix("\u{2019}s"));
    let goes_on = || {
        let behind = text[range.end..].trim_start_matches([' ', '\n', '\r']);
        behind.chars().next().is_some_and(char::is_uppercase)
    };
    match name {
        Some(name) if !name.is_empty() && !goes_on() => range.start..range.start + name.len(),
        _ => range,
    }
}

/// A range in which each bracket has its partner. It takes in a closing bracket that stands right behind it; otherwise the longer
/// part beside the lonely bracket stands.
pub(super) fn balanced(text: &str, bytes: Range<usize>, free: &Range<usize>) -> Range<usize> {
    let mut bytes = bytes;
    for &(open, close) in &PAIRS {
        let words = &text[bytes.clone()];
        let Some(lonely) = lonely(words, open, close) else {
            continue;
        };
        let next = text[bytes.end..free.end.max(bytes.end)].chars().next();
        if words[lonely..].starts_with(open) && next == Some(close) {
            bytes.end += close.len_utf8();
            continue;
        }
        let behind = lonely
            + if words[lonely..].starts_with(open) {
                open.len_utf8()
            } else {
                close.len_utf8()
            };
        bytes = if lonely >= words.len() - behind {
            bytes.start..bytes.start + lonely
        } else {
            bytes.start + behind..bytes.end
        };
    }
    bytes
}

/// The first bracket of a kind without its partner.
fn lonely(words: &str, open: char, close: char) -> Option<usize> {
    let mut waiting = Vec::new();
    for (at, c) in words.char_indices() {
        if c == open {
            waiting.push(at);
        } else if c == close && waiting.pop().is_none() {
            return Some(at);
        }
    }
    waiting.first().copied()
}
