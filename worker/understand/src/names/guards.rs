//! Where a name may stand: a word of a longer name is no mention of the shorter one.

use super::Space;
use super::normal::BREAK;
use super::words::{FUNCTION_WORDS, TITLES, has};

/// Longest word that is looked at beside a name, in bytes.
const WORD_BYTES_MAX: usize = 40;

/// Whether nothing of the words around a range goes on into it: it begins and ends with whole words, and is no part of an address
/// of the internet.
pub(super) fn stands_free(text: &str, start: usize, end: usize) -> bool {
    let (mut before, mut behind) = (text[..start].chars().rev(), text[end..].chars());
    let (last, first) = (before.next(), behind.next());
    let second = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let starts = match last {
        None => true,
        Some('-') => !is_part(before.next()),
        Some('.' | '\'') => !second(before.next()),
        Some(c) => !c.is_alphanumeric() && !matches!(c, '@' | '_' | '#') && !is_accent(c),
    };
    let ends = match first {
        None => true,
        Some('-') => !is_part(behind.next()),
        Some('.') => !second(behind.next()),
        Some('\'') => {
            let tail: String = behind.take(2).collect();
            !tail.starts_with(char::is_alphanumeric)
                || (tail.starts_with(['s', 'S']) && !tail[1..].starts_with(char::is_alphanumeric))
        }
        Some(c) => !c.is_alphanumeric() && !matches!(c, '@' | '_') && !is_accent(c),
    };
    starts && ends
}

/// Whether a part of a double name, or of a code, begins or ends with this.
fn is_part(c: Option<char>) -> bool {
    c.is_some_and(|c| c.is_uppercase() || c.is_ascii_digit())
}

fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{200d}')
}

/// What a name must not stand beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beside {
    /// Another capital word before it.
    Before,
    /// Another capital word before or behind it.
    Both,
    /// Nothing is refused.
    Nothing,
}

impl Beside {
    /// The rule for a name of some words. A company's name may stand before a capital word, as in `Acme Products`, and so may a
    /// defined term.
    pub(super) fn of(space: Space, words: usize, is_term: bool) -> Self {
        match space {
            Space::Place => Self::Both,
            Space::Person if words == 1 => Self::Both,
            Space::Body | Space::Person | Space::Act if words > 1 && !is_term => Self::Nothing,
            Space::Body | Space::Person | Space::Act | Space::Case | Space::Statute => Self::Before,
        }
    }
}

/// Whether the words beside a range leave it a name of its own.
pub(super) fn is_alone(text: &str, start: usize, end: usize, beside: Beside) -> bool {
    match beside {
        Beside::Nothing => true,
        Beside::Before => !is_name(word_before(text, start)),
        Beside::Both => !is_name(word_before(text, start)) && !is_name(word_behind(text, end)),
    }
}

/// The word before a place, if only a blank stands between.
fn word_before(text: &str, at: usize) -> &str {
    let Some(before) = text[..at].strip_suffix(' ') else {
        return "";
    };
    let from = text.floor_char_boundary(before.len().saturating_sub(WORD_BYTES_MAX));
    before[from..]
        .rsplit([' ', BREAK, '(', '"', '\u{201c}', '/'])
        .next()
        .unwrap_or("")
}

/// The word behind a place, if only a blank stands between.
fn word_behind(text: &str, at: usize) -> &str {
    let Some(behind) = text[at..].strip_prefix(' ') else {
        return "";
    };
    let behind = &behind[..behind.floor_char_boundary(WORD_BYTES_MAX)];
    behind.split([' ', BREAK]).next().unwrap_or("")
}

/// Whether a word beside a name is another name: it begins with a capital, is no title and no word that may begin a sentence, and
/// ends no sentence.
fn is_name(word: &str) -> bool {
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
    let ends = word.ends_with([',', ';', ':', '.', ')', '!', '?']);
    bare.starts_with(char::is_uppercase) && !ends && !has(FUNCTION_WORDS, bare) && !has(TITLES, bare)
}
