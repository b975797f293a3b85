//! Marks that no name, date or sum can be.

/// Labels of names of persons, bodies and places.
const NAMES: [&str; 5] = ["PERSON", "ORG", "LOCATION", "GOVERNMENT", "COURT"];
/// Labels of those whose names have a word, and are no mere initials.
const PARTIES: [&str; 2] = ["PERSON", "ORG"];
/// Currencies that are named after a country.
const CURRENCIES: [&str; 8] = [
    "dollar", "dollars", "pound", "pounds", "franc", "francs", "peso", "pesos",
];
/// Beginning of a text that tells whether the text uses capitals, in bytes: some ten pages.
const LOOKED_AT: usize = 32 * 1024;
/// Fewest letters in a hundred that are capitals in a text that uses them. English prose has three to five.
const CAPITALS_MIN: usize = 1;
/// Most digits of a number that, alone, is no date: of a page, a schedule or a paragraph.
const NUMBER_DIGITS_MAX: usize = 2;

/// Whether a text uses capitals, so that a name has one.
pub(super) fn has_capitals(text: &str) -> bool {
    let (mut letters, mut capitals) = (0, 0);
    for c in text[..text.floor_char_boundary(LOOKED_AT)]
        .chars()
        .filter(|c| c.is_alphabetic())
    {
        letters += 1;
        capitals += usize::from(c.is_uppercase());
    }
    capitals > 0 && capitals * 100 >= letters * CAPITALS_MIN
}

/// Whether a place belongs to the currency behind it, as in `U.S. dollars`.
pub(super) fn is_of_a_sum(label: &str, behind: &str) -> bool {
    let word = behind
        .trim_start()
        .split(|c: char| !c.is_alphabetic())
        .next()
        .unwrap_or("");
    label == "LOCATION" && CURRENCIES.iter().any(|currency| word.eq_ignore_ascii_case(currency))
}

/// Whether words are single letters with stops.
fn are_initials(words: &str) -> bool {
    let mut parts = words.split(|c: char| c == '.' || c.is_whitespace());
    parts.all(|part| part.chars().count() <= 1 && part.chars().all(char::is_alphabetic))
}

/// Whether a mark of this label is no name, date or sum.
pub(super) fn is_junk(words: &str, label: &str, capitals: bool) -> bool {
    let letters = words.chars().filter(|c| c.is_alphabetic()).count();
    let digits = words.chars().filter(|c| c.is_numeric()).count();
    if NAMES.contains(&label) {
        let is_small = capitals && digits == 0 && !words.chars().any(|c| c.is_alphabetic() && !c.is_lowercase());
        let is_bare = PARTIES.contains(&label) && are_initials(words);
        letters == 0 || (letters + digits) < 2 || is_small || is_bare
    } else if label == "DATE" {
        letters == 0 && digits <= NUMBER_DIGITS_MAX
    } else {
        letters + digits == 0
    }
}
