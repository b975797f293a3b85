//! Finds where sentences begin, so that windows can hold whole ones.
//!
//! The bounds are those of Unicode (UAX #29), less the false ones that legal English is full of: a full stop behind an
//! abbreviation or an initial, and a line break inside a wrapped sentence. A missed bound costs a choice of where to cut; a false
//! one may cut a name in two.
//!
//! Every look around is bounded, and a run of white space is judged once. So a text of nothing but line breaks or closing
//! brackets costs no more than a text of words.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::steps::{scan, scan_from_each};

/// Fewest characters of a wrapped line. A shorter line was ended on purpose.
const WRAPPED_CHARS_MIN: usize = 50;
/// Most characters of a wrapped line. A longer line is a whole paragraph.
const WRAPPED_CHARS_MAX: usize = 160;
/// Longest list mark, as in `(xviii)` or `12.3.4.5`, in bytes.
const LIST_MARK_BYTES_MAX: usize = 10;
/// Bytes that are looked at before a place: the longest wrapped line and one more character.
const HEAD_BYTES_MAX: usize = CHAR_BYTES_MAX * (WRAPPED_CHARS_MAX + 1);
/// Bytes that are looked at behind a place: the longest list mark and one more character.
const TAIL_BYTES_MAX: usize = LIST_MARK_BYTES_MAX + CHAR_BYTES_MAX;
/// Longest character of UTF-8, in bytes.
const CHAR_BYTES_MAX: usize = 4;

/// Characters of a stretch, the text that Unicode's rules are shown at a time. From each closing mark, and from each blank behind
/// a full stop, these rules look ahead to the next letter or terminal. A stretch goes on until two letters meet: no bound is
/// there and no rule looks across, so its bounds are those of the whole text.
const STRETCH_CHARS: usize = 64;
/// Most characters of a stretch in which no two letters meet (figures of a table, a line of dots). A bound at its very end is
/// missed.
const STRETCH_CHARS_MAX: usize = 2 * STRETCH_CHARS;

/// Words that end in a full stop without ending a sentence, in lower case and without that stop.
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

/// Finds where sentences begin, in a text that is read piece by piece.
#[derive(Debug, Default)]
pub(super) struct Sentences {
    /// Start of the white space at the end of what has been read; equals the end if there is none.
    gap_start: usize,
}

impl Sentences {
    /// Bytes of `text` at which a sentence begins in its next piece, ascending. Behind white space, a sentence begins at the
    /// first word.
    pub(super) fn read(&mut self, text: &str, piece: Range<usize>) -> Vec<usize> {
        let mut bounds = Vec::new();
        let mut may_begin = true; // Unicode's rules do not see what stands before the piece.
        for stretch in stretches(text, piece) {
            let shown = scan(&text[stretch.clone()]);
            let words = stretch.end - shown.trim_start().len();
            if words == stretch.end {
                continue; // The gap continues.
            }
            if (may_begin || self.gap_start < stretch.start) && ends_in_gap(text, self.gap_start..words) {
                bounds.push(words);
            }
            let inner = scan_from_each(shown).split_sentence_bound_indices().skip(1);
            bounds.extend(inner.map(|(at, _)| stretch.start + at).filter(|&at| ends_at(text, at)));
            self.gap_start = stretch.start + shown.trim_end().len();
            may_begin = false;
        }
        bounds
    }
}

/// Cuts a piece behind each line, and long lines where Unicode's rules see no difference.
fn stretches(text: &str, piece: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut start = piece.start;
    std::iter::from_fn(move || {
        let stretch = start..start + stretch_len(&text[start..piece.end]);
        start = stretch.end;
        (!stretch.is_empty()).then_some(stretch)
    })
}

fn stretch_len(rest: &str) -> usize {
    let mut letter_before = false;
    for (count, (at, c)) in rest.char_indices().enumerate() {
        let letters_meet = letter_before && c.is_alphabetic();
        if count == STRETCH_CHARS_MAX || (count >= STRETCH_CHARS && letters_meet) {
            return at;
        }
        if ends_line(c) {
            return at + c.len_utf8();
        }
        letter_before = c.is_alphabetic();
    }
    rest.len()
}

/// Whether a sentence ends at a bound of Unicode's rules within a line.
fn ends_at(text: &str, at: usize) -> bool {
    !stops_inside(head(text, at).trim_end(), tail(text, at))
}

/// Whether a sentence ends in a gap of white space between two words. Judged without Unicode's rules, which take every line break
/// for a bound and do not see across pieces.
fn ends_in_gap(text: &str, gap: Range<usize>) -> bool {
    let (head, tail) = (head(text, gap.start), tail(text, gap.end));
    let gap_lines = line_breaks(scan(&text[gap]));
    if gap_lines > 1 {
        return true; // A blank line.
    }
    let ended = head.trim_end_matches([')', ']', '"', '\'', '\u{201d}', '\u{2019}']);
    if ended.ends_with(['.', '?', '!', '\u{2026}']) && !tail.starts_with(char::is_lowercase) {
        return !stops_inside(head, tail);
    }
    gap_lines > 0 && (ended.ends_with([':', ';']) || starts_list_item(tail) || !may_be_wrapped(head))
}

/// The text before a place, as far back as the rules look.
fn head(text: &str, end: usize) -> &str {
    scan(&text[text.floor_char_boundary(end.saturating_sub(HEAD_BYTES_MAX))..end])
}

/// The text behind a place, as far ahead as the rules look.
fn tail(text: &str, start: usize) -> &str {
    scan(&text[start..text.ceil_char_boundary(start.saturating_add(TAIL_BYTES_MAX))])
}

/// Counts line breaks, CR LF as one, and a form feed as two: a new page is a new paragraph.
pub(crate) fn line_breaks(gap: &str) -> usize {
    let feeds = gap.matches('\u{c}').count();
    let lines = gap.matches(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count() - gap.matches("\r\n").count();
    lines + 2 * feeds
}

/// Whether a line ends behind a character, by Unicode's line breaks.
fn ends_line(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether the last line of `head` is as long as a wrapped line.
fn may_be_wrapped(head: &str) -> bool {
    let line = head.rsplit(ends_line).next().unwrap_or(head);
    let chars = line.chars().take(WRAPPED_CHARS_MAX + 1).count();
    (WRAPPED_CHARS_MIN..=WRAPPED_CHARS_MAX).contains(&chars)
}

/// Whether `tail` starts with a list mark: `1.`, `2.3`, `(a)`, `(iv)`, `-` or a bullet.
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

/// Whether `head` ends in a full stop that belongs to a word: `Inc.`, `J.`, `U.S.`
fn ends_in_abbreviation(head: &str) -> bool {
    let Some(stem) = head.strip_suffix('.') else {
        return false;
    };
    let apart = |c: char| c.is_whitespace() || matches!(c, '(' | '[' | '"' | '\'' | '/' | ',' | '\u{201c}' | '-');
    let word = stem.rsplit(apart).next().unwrap_or_default();
    // Initials: every part between the stops is one or two letters ("U.S", "Ph.D").
    let initials = word
        .split('.')
        .all(|part| (1..=2).contains(&part.chars().count()) && part.chars().all(char::is_alphabetic));
    let single = word.chars().count() == 1 && word.chars().all(char::is_alphabetic);
    single || (initials && word.contains('.')) || ABBREVIATIONS.contains(&word.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::taken;

    fn bounds(text: &str) -> Vec<usize> {
        Sentences::default().read(text, 0..text.len())
    }

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
        assert_eq!(bounds(page), [58]);
    }

    /// Characters that end a sentence by Unicode's rules, and those that may follow at such an end.
    fn terminals_and_closers() -> Vec<char> {
        let terminal = |c: char| format!("a{c} B").split_sentence_bounds().count() == 2;
        let closer = |c: char| {
            format!("a?{c}{c}B")
                .split_sentence_bounds()
                .next()
                .is_some_and(|first| first.len() > 2)
        };
        ('\0'..='\u{ffff}').filter(|&c| terminal(c) || closer(c)).collect()
    }

    #[test]
    fn a_run_of_any_terminal_or_closer_costs_no_more_than_words() {
        let all = terminals_and_closers();
        assert!(
            [')', '.', '?', '\u{201d}', ' ', '\n', '\u{3002}']
                .iter()
                .all(|c| all.contains(c))
        );
        for c in all {
            for start in ["a.", "a. "] {
                let steps = |count: usize| {
                    let text = format!("{start}{}", c.to_string().repeat(count));
                    taken(|| drop(bounds(&text)))
                };
                let (once, twice) = (steps(500), steps(1_000));
                assert!(
                    twice <= once * 9 / 4,
                    "{once}, then {twice} steps for {start:?} and {c:?}"
                );
            }
        }
    }

    #[test]
    fn stretches_have_the_bounds_of_the_whole() {
        let text = "Acme, Inc. (the \u{201c}Buyer\u{201d}) paid. \u{201c}She left!\u{201d} Why? (Nobody knows.) \
            \u{4f60}\u{597d}\u{3002}\u{4e16}\u{754c}\u{3002} He owes $ 1,000.50 . . . . . . . . . . and. more etc. ";
        for shift in 0..STRETCH_CHARS_MAX {
            let line = "x".repeat(shift) + &text.repeat(5);
            let unicode = line.split_sentence_bound_indices().skip(1).map(|(at, _)| at);
            let whole: Vec<usize> = unicode.filter(|&at| ends_at(&line, at)).collect();
            assert_eq!(bounds(&line), whole);
        }
    }

    #[test]
    fn a_gap_is_one_bound_behind_all_its_blanks() {
        assert_eq!(bounds("He paid.\n\n \u{c}\n She left."), [14]);
        assert_eq!(bounds(&format!("He paid.{}She", " ".repeat(500))), [508]);
        let mut finder = Sentences::default();
        let text = "He paid. \n\nShe left.\n";
        let pieces = [0..8, 8..9, 9..11, 11..text.len()].map(|piece| finder.read(text, piece));
        assert_eq!(pieces, [vec![], vec![], vec![], vec![11]], "it is judged across pieces");
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
