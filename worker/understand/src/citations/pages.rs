//! Reads page numbers and pin cites: the part of a citation after the reporter.
use super::tokens::{Kind, Tokens};

/// Tells whether a number opens the next citation, so that the number is no pin of this one.
pub(super) type Opens = fn(&Tokens<'_>, usize) -> bool;

/// Most pins one citation is read with: lists of pages in opinions rarely have more than four.
const PINS_MAX: usize = 8;
/// Most digits of a volume or page; longer numbers are amounts and identifiers. Numbers of WestLaw have up to eight.
const PAGE_DIGITS_MAX: usize = 8;

/// Reads a first page; gives the index after the page and the page without commas.
pub(super) fn page(tokens: &Tokens<'_>, at: usize) -> Option<(usize, String)> {
    if !tokens.near(at) {
        return None;
    }
    let text = tokens.text(at);
    let (end, page) = match tokens.get(at)?.kind {
        Kind::Blank => return Some((at + 1, "___".into())),
        Kind::Number if text.len() <= PAGE_DIGITS_MAX => thousands(tokens, at),
        // The European Court Reports have two parts: `[2007] ECR II-3601`.
        Kind::Word if matches!(text, "I" | "II") && tokens.is(at + 1, '-') && tokens.joined(at + 2) => {
            let number = tokens.number(at + 2)?;
            return Some((at + 3, format!("{text}-{number}")));
        }
        Kind::Word if is_lettered(text) => (at + 1, text.to_owned()),
        Kind::Number | Kind::Word | Kind::Mark(_) => return None,
    };
    let (end, page) = suffix(tokens, end, page);
    (!runs_on(tokens, end)).then_some((end, page))
}

/// Joins `12,345` to one number.
fn thousands(tokens: &Tokens<'_>, at: usize) -> (usize, String) {
    let mut page = tokens.text(at).to_owned();
    let mut end = at + 1;
    while page.len() <= 6
        && tokens.is(end, ',')
        && tokens.joined(end)
        && tokens.joined(end + 1)
        && tokens.number(end + 1).is_some_and(|digits| digits.len() == 3)
    {
        page.push_str(tokens.text(end + 1));
        end += 2;
    }
    (end, page)
}

/// Tells whether a word is a number and one letter, as in `1359R`; `2d` and `3d` are parts of names.
fn is_lettered(word: &str) -> bool {
    let Some((digits, letter)) = word.split_at_checked(word.len().saturating_sub(1)) else {
        return false;
    };
    !digits.is_empty()
        && digits.len() <= PAGE_DIGITS_MAX
        && digits.bytes().all(|b| b.is_ascii_digit())
        && letter.bytes().all(|b| b.is_ascii_alphabetic() && b != b'd')
}

/// Adds the `-U` of an unpublished opinion of Illinois.
fn suffix(tokens: &Tokens<'_>, end: usize, page: String) -> (usize, String) {
    let letter = tokens.word(end + 1);
    let joined = tokens.is(end, '-') && tokens.joined(end) && tokens.joined(end + 1);
    if joined && matches!(letter, "U" | "A" | "B" | "C" | "WC") {
        (end + 2, format!("{page}-{letter}"))
    } else {
        (end, page)
    }
}

/// Tells whether a number goes on, as decimals, fractions, times and percentages do.
fn runs_on(tokens: &Tokens<'_>, end: usize) -> bool {
    let followed = tokens.joined(end + 1) && tokens.number(end + 1).is_some();
    tokens.joined(end)
        && match tokens.mark(end) {
            Some('%' | '$' | '€') => true,
            Some('.' | ':' | '/') => followed,
            Some(_) | None => false,
        }
}

/// Reads pins after a citation: `, 153-54 & n.5`, `, at *3`, `at [52]`, `, ¶ 15`.
///
/// Gives the index after the last pin, and the pins as written.
pub(super) fn pins(tokens: &Tokens<'_>, at: usize, opens: Opens) -> (usize, Option<String>) {
    let (mut end, mut first) = (at, None);
    for _ in 0..PINS_MAX {
        let Some((start, next)) = next_pin(tokens, end, first.is_some(), opens) else {
            break;
        };
        first.get_or_insert(start);
        end = next;
    }
    (end, first.map(|first| tokens.plain(first, end)))
}

/// Reads the pin after `at`, which stands already behind the reader: `410 U.S. at 153, 155`.
pub(super) fn pins_after_at(tokens: &Tokens<'_>, at: usize, opens: Opens) -> Option<(usize, String)> {
    let first = page_word(tokens, at);
    let end = pin(tokens, first)?;
    let (end, _) = pins(tokens, end, opens);
    Some((end, tokens.plain(first, end)))
}

/// Tells whether a page or a paragraph stands after `at`.
pub(super) fn is_pin_after_at(tokens: &Tokens<'_>, at: usize) -> bool {
    pin(tokens, page_word(tokens, at)).is_some()
}

/// Reads the comma, `at` and the next pin; gives the first token of the pin and the index after the pin.
fn next_pin(tokens: &Tokens<'_>, at: usize, listed: bool, opens: Opens) -> Option<(usize, usize)> {
    let comma = tokens.skip(at, ',');
    let joined = if listed {
        comma + usize::from(matches!(tokens.text(comma), "&" | "and"))
    } else {
        comma
    };
    let said = tokens.word(joined) == "at" && tokens.near(joined);
    let first = page_word(tokens, joined + usize::from(said));
    let marked = said || first > joined || matches!(tokens.mark(first), Some('¶' | '*'));
    if !tokens.near(first) || (joined == at && !marked && !is_footnote(tokens, first)) {
        return None;
    }
    let end = pin(tokens, first)?;
    let fits = marked || (ends_here(tokens, end) && !opens(tokens, first));
    fits.then_some((first, end))
}

/// Skips `p.`, `page`, `para` and the like.
fn page_word(tokens: &Tokens<'_>, at: usize) -> usize {
    match tokens.word(at) {
        "p" | "pp" | "pg" | "para" | "paras" | "pages" | "page" | "paragraph" | "paragraphs" if tokens.near(at) => {
            tokens.skip(at + 1, '.')
        }
        _ => at,
    }
}

fn is_footnote(tokens: &Tokens<'_>, at: usize) -> bool {
    matches!(tokens.word(at), "n" | "nn") && tokens.is(at + 1, '.') && tokens.number(at + 2).is_some()
}

/// Reads one page, paragraph or range of them.
fn pin(tokens: &Tokens<'_>, at: usize) -> Option<usize> {
    if is_footnote(tokens, at) {
        return Some(range(tokens, at + 3));
    }
    if tokens.is(at, '[') && tokens.number(at + 1).is_some() && tokens.is(at + 2, ']') {
        let dash = matches!(tokens.mark(at + 3), Some('-' | '–')) && tokens.is(at + 4, '[');
        return if dash { pin(tokens, at + 4) } else { Some(at + 3) };
    }
    let number = (at..at + 3).find(|&index| !matches!(tokens.mark(index), Some('*' | '¶')))?;
    let digits = tokens
        .number(number)
        .filter(|digits| tokens.near(number) && digits.len() <= PAGE_DIGITS_MAX)?;
    if tokens.is(number - 1, '$') || digits.is_empty() {
        return None;
    }
    let end = range(tokens, number + 1);
    let note = end + usize::from(matches!(tokens.text(end), "&" | "and"));
    Some(if is_footnote(tokens, note) {
        range(tokens, note + 3)
    } else {
        end
    })
}

/// Reads the second half of `153-54`.
fn range(tokens: &Tokens<'_>, at: usize) -> usize {
    let second = at + 1 + usize::from(tokens.is(at + 1, '*'));
    let dashed = matches!(tokens.mark(at), Some('-' | '–' | '—' | '\u{2011}')) && tokens.number(second).is_some();
    if dashed && tokens.near(second) { second + 1 } else { at }
}

/// Tells whether the text after a bare number lets the number be a page: `, 153 people` is no pin.
fn ends_here(tokens: &Tokens<'_>, end: usize) -> bool {
    if !tokens.near(end) {
        return true;
    }
    match tokens.mark(end) {
        Some('.') => !(tokens.joined(end + 1) && tokens.number(end + 1).is_some()),
        Some(mark) => matches!(
            mark,
            '(' | ')' | ',' | ';' | ':' | '[' | ']' | '"' | '”' | '’' | '\'' | '&' | '—'
        ),
        None => matches!(tokens.word(end), "and" | "n" | "nn" | "or"),
    }
}
