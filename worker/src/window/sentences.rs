//! Where sentences begin, so that windows can hold whole ones.
//!
//! The bounds are those of Unicode (UAX #29), less the false ones that legal English is full of: a full stop behind an
//! abbreviation or an initial, and a line break in the middle of a wrapped sentence. A missed bound costs nothing but a
//! choice; a false one may cut a name in two.

use unicode_segmentation::UnicodeSegmentation;

/// Lines shorter than this many characters were ended on purpose; longer ones may have been wrapped.
const WRAPPED_CHARS_MIN: usize = 50;
/// Lines longer than this many characters are no longer wrapped lines but whole paragraphs.
const WRAPPED_CHARS_MAX: usize = 160;
/// Longest list mark, as in `(xviii)` or `12.3.4.5`, in bytes.
const LIST_MARK_BYTES_MAX: usize = 10;

/// Words, in lower case and without their last full stop, that end in one without ending a sentence.
const ABBREVIATIONS: &[&str] = &[
    "adj", "adm", "al", "anr", "app", "apr", "apt", "art", "arts", "assn", "asst", "attn", "aug", "ave", "bl", "bldg",
    "blvd", "bros", "cal", "cap", "capt", "cf", "ch", "cir", "cl", "co", "col", "conn", "const", "corp", "cos", "cr",
    "crl", "ct", "dec", "del", "dep", "dept", "dist", "div", "dr", "dy", "ed", "eds", "esq", "ex", "exch", "exh",
    "feb", "fed", "fig", "fla", "gen", "gov", "hon", "hrs", "inc", "ins", "intl", "jan", "jr", "jul", "jun", "llp",
    "lt", "ltd", "mar", "mass", "md", "messrs", "mfg", "mich", "minn", "misc", "mr", "mrs", "ms", "mt", "nat", "natl",
    "no", "nos", "nov", "nr", "oct", "op", "ops", "ors", "par", "para", "paras", "pp", "pres", "prof", "pt", "pty",
    "pub", "pvt", "rd", "reg", "regs", "rep", "reps", "rev", "sc", "sec", "secs", "sen", "sep", "sept", "ser", "sgt",
    "shri", "smt", "sr", "sri", "ss", "st", "stat", "std", "ste", "supp", "tel", "tenn", "tex", "tit", "treas", "univ",
    "va", "viz", "vol", "vols", "vs", "wash", "wis",
];

/// Byte offsets in `piece` where a sentence begins, ascending, its start left out: whether that is a bound only the text
/// before it can tell (see [`bound_between`]).
pub(super) fn bounds(piece: &str) -> impl Iterator<Item = usize> {
    piece
        .split_sentence_bound_indices()
        .skip(1)
        .map(|(at, _)| at)
        .filter(|&at| {
            let (before, after) = piece.split_at(at);
            if ends_line(before) {
                bound_between(before, after)
            } else {
                !stops_inside(before.trim_end(), after)
            }
        })
}

/// Whether a sentence ends between two neighbouring parts of a text, judged without Unicode's rules: at line breaks, which
/// those always take for a bound, and where a text was cut into pieces.
pub(super) fn bound_between(before: &str, after: &str) -> bool {
    let head = before.trim_end();
    let tail = after.trim_start();
    let gap_lines = line_breaks(&before[head.len()..]) + line_breaks(&after[..after.len() - tail.len()]);
    if gap_lines > 1 {
        return true; // A blank line.
    }
    let ended = head.trim_end_matches([')', ']', '"', '\'', '\u{201d}', '\u{2019}']);
    if ended.ends_with(['.', '?', '!', '\u{2026}']) && !tail.starts_with(char::is_lowercase) {
        return !stops_inside(head, tail);
    }
    gap_lines > 0 && (ended.ends_with([':', ';']) || starts_list_item(tail) || !may_be_wrapped(head))
}

/// Counts line breaks, CR LF as one, and a form feed as two: a new page is a new paragraph.
fn line_breaks(gap: &str) -> usize {
    let feeds = gap.matches('\u{c}').count();
    let lines = gap.matches(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count() - gap.matches("\r\n").count();
    lines + 2 * feeds
}

fn ends_line(before: &str) -> bool {
    before.ends_with(['\n', '\r', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'])
}

/// Whether the last line of `head` has the length of one that a line break wrapped.
fn may_be_wrapped(head: &str) -> bool {
    let line = head.rsplit(['\n', '\r', '\u{c}']).next().unwrap_or(head);
    let chars = line.chars().take(WRAPPED_CHARS_MAX + 1).count();
    (WRAPPED_CHARS_MIN..=WRAPPED_CHARS_MAX).contains(&chars)
}

/// `1.`, `2.3`, `(a)`, `(iv)`, `-`, a bullet: a mark of its own in front of the rest.
fn starts_list_item(tail: &str) -> bool {
    let mark = tail.split(char::is_whitespace).next().unwrap_or_default();
    if matches!(
        mark,
        "-" | "*" | "o" | "\u{2013}" | "\u{2014}" | "\u{2022}" | "\u{25aa}" | "\u{25cf}" | "\u{b7}"
    ) {
        return true;
    }
    let inner = mark.trim_start_matches('(').trim_end_matches([')', '.', ':']);
    let marked = inner.len() < mark.len();
    let number = inner.starts_with(|c: char| c.is_ascii_digit())
        && inner.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && (marked || inner.contains('.'));
    let roman = !inner.is_empty() && inner.bytes().all(|b| b"ivxIVX".contains(&b));
    let letter = inner.len() == 1 && inner.starts_with(char::is_alphabetic);
    mark.len() <= LIST_MARK_BYTES_MAX && (number || (marked && (letter || roman)))
}

/// Whether the full stop at the end of `head` is inside a sentence: behind an abbreviation, or within a number or a date.
fn stops_inside(head: &str, tail: &str) -> bool {
    let digit = |c: char| c.is_ascii_digit();
    let within_number = tail.starts_with(digit) && head.strip_suffix('.').is_some_and(|head| head.ends_with(digit));
    within_number || ends_in_abbreviation(head)
}

/// Whether the text ends in a full stop that belongs to a word: `Inc.`, `J.`, `U.S.`
fn ends_in_abbreviation(head: &str) -> bool {
    let Some(stem) = head.strip_suffix('.') else {
        return false;
    };
    let apart = |c: char| c.is_whitespace() || matches!(c, '(' | '[' | '"' | '\'' | '/' | ',' | '\u{201c}' | '-');
    let word = stem.rsplit(apart).next().unwrap_or_default();
    // Initials: every part between the stops is a letter or two ("U.S", "Ph.D"), a lone letter included.
    let initials = word
        .split('.')
        .all(|part| (1..=2).contains(&part.chars().count()) && part.chars().all(char::is_alphabetic));
    let single = word.chars().count() == 1 && word.chars().all(char::is_alphabetic);
    single || (initials && word.contains('.')) || ABBREVIATIONS.contains(&word.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(text: &str) -> Vec<&str> {
        let mut starts: Vec<usize> = std::iter::once(0).chain(bounds(text)).collect();
        starts.push(text.len());
        let sentences = starts.windows(2).map(|pair| text[pair[0]..pair[1]].trim());
        sentences.filter(|sentence| !sentence.is_empty()).collect()
    }

    #[test]
    fn a_full_stop_behind_an_abbreviation_ends_nothing() {
        for whole in [
            "Acme Inc. The Buyer and Mr. J. R. Smith met in Washington, D.C. No. 5 was signed.",
            "In United States v. Delacroix the U.S. Department of Justice, Sec. 5, prevailed.",
            "See Hon. Ada Lovelace (Ret.) and St. Mary's.",
            "Signed on 26. 03. 2021 by both.",
        ] {
            assert_eq!(sentences(whole), [whole]);
        }
    }

    #[test]
    fn sentences_end_where_unicode_says() {
        assert_eq!(
            sentences("He paid. She left! Why? (Nobody knows.) So."),
            ["He paid.", "She left!", "Why?", "(Nobody knows.)", "So."]
        );
        assert_eq!(sentences("\u{4f60}\u{597d}\u{3002}\u{4e16}\u{754c}\u{3002}").len(), 2);
    }

    #[test]
    fn a_line_break_ends_a_sentence_only_for_a_reason() {
        let wrapped = "This Agreement is governed by the laws of the State of\nDelaware, without regard to its rules.";
        assert_eq!(sentences(wrapped), [wrapped]);
        assert_eq!(sentences("LOAN AGREEMENT\nbetween\nAcme Inc.\nand Bolt Ltd").len(), 4);
        assert_eq!(
            sentences("The parties to this agreement, being of sound mind, agree\n\nto this").len(),
            2
        );
        let list = "The Borrower shall, within the time that the Lender allows it,\n(a) pay the principal and the interest in full; and\n(b) go";
        assert_eq!(sentences(list).len(), 3);
        let page = "The parties to this agreement, being of sound mind, agree\u{c}to this";
        assert!(bound_between(&page[..57], &page[57..]));
    }

    #[test]
    fn list_marks_are_told_from_words() {
        for mark in [
            "1. x",
            "12.3.4 x",
            "12.3.4. x",
            "(a) x",
            "(iv) x",
            "b) x",
            "- x",
            "\u{2022} x",
        ] {
            assert!(starts_list_item(mark), "{mark}");
        }
        for other in ["Delaware x", "Inc. x", "(the x", "2004 x", "", "a x"] {
            assert!(!starts_list_item(other), "{other}");
        }
    }
}
