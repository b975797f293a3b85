//! Short names that a text gives to what it just named: `Acme Corporation, a Delaware corporation (the "Company")`.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::words::{FORMS, GENERIC, has};
use super::{Mention, Space, roles};

/// A term, and the mention that it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Definition {
    /// The term, with single blanks.
    pub term: String,
    /// Where the definition begins in the text, in bytes. The term means this from here on.
    pub at: usize,
    /// The mention that the term means, as a place in the list of mentions.
    pub of: usize,
}

/// How far before its definition a party may stand, in bytes: its form, its seat and its address lie between.
const PARTY_BYTES_MAX: usize = 700;
/// Longest remark between a name and the definition right behind it, in bytes: `, as amended from time to time,`.
const REMARK_BYTES_MAX: usize = 60;

/// Words that begin the description of a party.
const DESCRIBING: &[&str] = &[
    "a",
    "an",
    "having",
    "with",
    "whose",
    "organized",
    "organised",
    "incorporated",
    "located",
    "of",
    "at",
    "doing",
    "acting",
    "duly",
    "formerly",
    "residing",
    "being",
];
/// Words that end the short name of an act.
const ACT_WORDS: &[&str] = &[
    "Act",
    "Code",
    "Law",
    "Rules",
    "Regulation",
    "Regulations",
    "Directive",
    "Constitution",
];

/// Somebody else who is named between a party and a term.
static ANOTHER: LazyLock<Regex> = LazyLock::new(|| {
    compiled(r"\b(?:and|between|by)\s+(?:(?:the|you|each|any|all|one|his|her|its|their|such|_+)(?:\W|_)|[^\sA-Za-z])")
});
/// `(the "Company")`, `(hereinafter referred to as "Seller" or the "Vendor")`.
static QUOTED: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r#"\((?<lead>[^()"\x{201c}\x{201d}]{0,80})["\x{201c}](?<term>[^"\x{201c}\x{201d}()]{2,60}?)[,.;]?["\x{201d}](?:,? ?(?:or|and|/) ?(?:the )?["\x{201c}](?<other>[^"\x{201c}\x{201d}()]{2,60}?)[,.;]?["\x{201d}])?"#;
    compiled(pattern)
});
/// `hereinafter "Seller"` outside of brackets, and `(hereinafter called the Seller)` without quotes.
static HEREINAFTER: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r#"(?<open>\(?)\b(?i:hereinafter|hereafter)\b,?\s+(?:(?i:also\s+)?(?i:referred\s+to\s+as|referred\s+as|called|known\s+as|to\s+be\s+called),?\s+)?(?i:the\s+)?(?:["\x{201c}](?<quoted>[^"\x{201c}\x{201d}()]{2,60}?)[,.;]?["\x{201d}]|(?<term>[A-Z][A-Za-z&'-]{1,30}(?: [A-Z][A-Za-z&'-]{1,30}){0,3})\))"#;
    compiled(pattern)
});
/// `(FDA)` behind what it shortens.
static ACRONYM: LazyLock<Regex> = LazyLock::new(|| compiled(r"\((?:the )?(?<term>[A-Z][A-Z&]{1,9})\)"));
/// `"Company" means Acme Corporation`.
static MEANS: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r#"["\x{201c}](?<term>[^"\x{201c}\x{201d}()]{2,60})["\x{201d}]\s+(?:means|shall\s+mean|refers\s+to)\s+(?:the\s+)?"#;
    compiled(pattern)
});

fn compiled(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is right")
}

/// Compiles all patterns.
pub(super) fn warm() {
    let _ = (&*QUOTED, &*HEREINAFTER, &*ACRONYM, &*MEANS);
}

/// A term as it stands in the text, before its meaning is known.
struct Term<'t> {
    words: &'t str,
    /// The brackets, or the words around the term.
    bytes: Range<usize>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The term stands behind what it means.
    Behind,
    /// The term shortens the words right before it.
    Acronym,
    /// The term stands before what it means.
    Before,
}

/// All definitions of a text, in its order.
pub(super) fn find(text: &str, mentions: &[Mention<'_>]) -> Vec<Definition> {
    let mut definitions: Vec<Definition> = Vec::new();
    let mut last: Option<(Range<usize>, Option<usize>)> = None;
    for term in terms(text) {
        let of = match (&last, term.kind) {
            // `("we" or "us")` defines no name, and yet ends what is said of a party.
            _ if !term.words.starts_with(|c: char| c.is_uppercase() || c.is_numeric()) => None,
            (_, Kind::Before) => right_behind(text, mentions, &term),
            // `("Fox") ("Licensee")` are two names of one party.
            (Some((before, of)), Kind::Behind)
                if is_joint(&text[before.end.min(term.bytes.start)..term.bytes.start]) =>
            {
                *of
            }
            (_, Kind::Behind) => {
                let from = last.as_ref().map_or(0, |(bytes, _)| bytes.end);
                antecedent(text, mentions, from, &term)
            }
            (_, Kind::Acronym) => acronym_of(text, mentions, &term),
        };
        if term.kind != Kind::Acronym || of.is_some() {
            last = Some((term.bytes.clone(), of));
        }
        if let Some(of) = of {
            let words: Vec<&str> = term.words.split_whitespace().collect();
            let (term, at) = (words.join(" "), term.bytes.start);
            definitions.push(Definition { term, at, of });
        }
    }
    definitions
}

/// All terms that a text defines, in its order.
fn terms(text: &str) -> Vec<Term<'_>> {
    let mut terms: Vec<Term<'_>> = Vec::new();
    for found in QUOTED.captures_iter(text) {
        let bytes = found.get(0).expect("the whole match").range();
        if is_of_one(&found["lead"]) {
            let named = [found.name("term"), found.name("other")].into_iter().flatten();
            terms.extend(named.map(|term| Term {
                words: term.as_str(),
                bytes: bytes.clone(),
                kind: Kind::Behind,
            }));
        }
    }
    for found in HEREINAFTER.captures_iter(text) {
        let bytes = found.get(0).expect("the whole match").range();
        let term = found
            .name("quoted")
            .or_else(|| found.name("term").filter(|_| !found["open"].is_empty()));
        terms.extend(term.map(|term| Term {
            words: term.as_str(),
            bytes,
            kind: Kind::Behind,
        }));
    }
    for (pattern, kind) in [(&ACRONYM, Kind::Acronym), (&MEANS, Kind::Before)] {
        for found in pattern.captures_iter(text) {
            let bytes = found.get(0).expect("the whole match").range();
            let words = found.name("term").expect("every match has a term").as_str();
            terms.push(Term { words, bytes, kind });
        }
    }
    terms.retain(|term| !is_plural(term.words));
    terms.sort_by_key(|term| term.bytes.start);
    // A term within brackets with `hereinafter` is found by two patterns.
    terms.dedup_by(|one, before| one.words == before.words && one.bytes.start < before.bytes.end);
    terms
}

/// Whether the words before a term say that the term means one thing and not several.
fn is_of_one(lead: &str) -> bool {
    let mut words = lead.split(|c: char| !c.is_alphabetic());
    !words.any(|word| {
        has(
            &[
                "each",
                "collectively",
                "together",
                "jointly",
                "both",
                "all",
                "individually",
            ],
            word,
        )
    })
}

/// Whether a term is one of the words for several parties.
fn is_plural(term: &str) -> bool {
    has(&["parties", "party", "agreement", "affiliates", "affiliate"], term)
}

/// Whether nothing but a blank or an `or` stands between two definitions.
fn is_joint(between: &str) -> bool {
    let between = between.trim_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ')' | '"' | '\u{201d}'));
    between.is_empty() || between == "or"
}

/// The mention that is the meaning of a term before it: the whole meaning, or a name that the term is short for.
fn right_behind(text: &str, mentions: &[Mention<'_>], term: &Term<'_>) -> Option<usize> {
    let at = term.bytes.end;
    let next = mentions.partition_point(|mention| mention.bytes.start < at);
    let mention = mentions
        .get(next)
        .filter(|mention| mention.bytes.start == at && Space::of(mention.label).is_some())?;
    let is_whole = text[mention.bytes.end..].starts_with(['.', ';']) && !term.words.ends_with('s');
    let name = &text[mention.bytes.clone()];
    (is_whole || is_short_for(term.words, name, mention.label)).then_some(next)
}

/// The mention that a term means: the one right before it, or the party before whose description the term ends. A term that is no
/// role, and tells nothing of the name, means something else: `a loan by Acme (the "Bridge Loan")`.
fn antecedent(text: &str, mentions: &[Mention<'_>], from: usize, term: &Term<'_>) -> Option<usize> {
    let at = term.bytes.start;
    let from = from.max(at.saturating_sub(PARTY_BYTES_MAX)).max(paragraph(text, at));
    let candidates = within(mentions, from..at);
    let name = |of: usize| &text[mentions[of].bytes.clone()];
    let gap = |of: usize| &text[mentions[of].bytes.end..at];
    let parties = || candidates.iter().copied().filter(|&of| is_party(mentions[of].label));
    let is_role = roles::is_role(term.words);
    let tells = |of: usize| is_short_for(term.words, name(of), mentions[of].label);
    if let Some(&direct) = candidates.last()
        && is_right_before(gap(direct))
        && (tells(direct) || (is_role && is_bearer(mentions[direct].label)))
    {
        return Some(direct);
    }
    let mut alike = parties().filter(|&of| tells(of) && !is_generic(term.words));
    if let Some(of) = alike.next() {
        return alike.all(|other| name(other) == name(of)).then_some(of);
    }
    let mut described = parties().filter(|&of| is_bearer(mentions[of].label) && is_description(gap(of)));
    described.next_back().filter(|_| is_role)
}

/// The mention whose first letters an acronym is.
fn acronym_of(text: &str, mentions: &[Mention<'_>], term: &Term<'_>) -> Option<usize> {
    let at = term.bytes.start;
    let of = within(mentions, at.saturating_sub(REMARK_BYTES_MAX)..at)
        .last()
        .copied()?;
    let is_near = text[mentions[of].bytes.end..at].trim().is_empty();
    (is_near && are_initials(term.words, &text[mentions[of].bytes.clone()])).then_some(of)
}

/// The mentions of things that end within a range, as places in their list.
fn within(mentions: &[Mention<'_>], range: Range<usize>) -> Vec<usize> {
    let first = mentions.partition_point(|mention| mention.bytes.start < range.start);
    let inside = mentions[first..]
        .iter()
        .enumerate()
        .take_while(|(_, mention)| mention.bytes.start < range.end);
    let named = inside.filter(|(_, mention)| mention.bytes.end <= range.end && Space::of(mention.label).is_some());
    named.map(|(at, _)| first + at).collect()
}

/// Start of the paragraph that holds a place; nobody is a party of the paragraph before.
fn paragraph(text: &str, at: usize) -> usize {
    let start = text.floor_char_boundary(at.saturating_sub(PARTY_BYTES_MAX));
    text[start..at].rfind("\n\n").map_or(start, |blank| start + blank)
}

fn is_party(label: &str) -> bool {
    matches!(Space::of(label), Some(Space::Body | Space::Person | Space::Act))
}

/// Whether what has this label can have a role.
fn is_bearer(label: &str) -> bool {
    matches!(Space::of(label), Some(Space::Body | Space::Person))
}

fn is_right_before(gap: &str) -> bool {
    let gap = gap.trim_matches(|c: char| c.is_whitespace() || c == ',');
    gap.is_empty() || (gap.starts_with("as amended") && gap.len() <= REMARK_BYTES_MAX)
}

/// Whether the words behind a name describe who bears it, and nobody else: `, a Delaware corporation with its seat in Dover`.
fn is_description(gap: &str) -> bool {
    let behind = gap.trim_start_matches([',', ' ', '\n', '\r', '(']);
    let word = behind.split(|c: char| !c.is_alphabetic()).next().unwrap_or("");
    gap.starts_with([',', ' ', '\n', '(']) && DESCRIBING.contains(&word) && !ANOTHER.is_match(gap)
}

/// Whether a term is a short form of a name: it has a word of the name, its first letters, or some of its letters in their order.
fn is_short_for(term: &str, name: &str, label: &str) -> bool {
    let is_act = Space::of(label) == Some(Space::Act) && ACT_WORDS.iter().any(|word| term.ends_with(word));
    is_act || shares_a_word(term, name) || are_initials(term, name) || are_letters_of(term, name)
}

fn is_generic(term: &str) -> bool {
    has(GENERIC, term) || has(FORMS, term)
}

/// Whether a term in capitals has letters of a name in their order, from the first one on: `THI` of `TherapeuticsHealth Inc`.
fn are_letters_of(term: &str, name: &str) -> bool {
    let is_code = (2..=8).contains(&term.len())
        && term
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let mut of_name = name
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_uppercase)
        .peekable();
    is_code
        && of_name.peek() == term.chars().next().as_ref()
        && term.chars().all(|c| of_name.any(|of_name| of_name == c))
}

/// Whether all words of a term are words of a name.
fn shares_a_word(term: &str, name: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '&');
        words.filter(|word| word.len() > 2).map(str::to_lowercase).collect()
    };
    let (of_term, of_name) = (words(term), words(name));
    let is_of_name = |word: &String| of_name.contains(word);
    of_term.iter().any(is_of_name)
        && of_term
            .iter()
            .all(|word| is_of_name(word) || FORMS.contains(&word.as_str()))
}

/// Whether a term's letters are the first letters of a name's words, small words and forms of companies left out or not.
fn are_initials(term: &str, name: &str) -> bool {
    let term: String = term.chars().filter(|c| c.is_alphabetic()).collect();
    if term.len() < 2 || term.contains(char::is_lowercase) {
        return false;
    }
    let words = || {
        name.split(|c: char| c.is_whitespace() || c == '-')
            .filter(|word| !word.is_empty())
    };
    let initials = |large: bool, forms: bool| -> String {
        let kept = words().filter(|word| {
            let first = word.chars().next().unwrap_or(' ');
            (!large || first.is_uppercase()) && (forms || !has(FORMS, word.trim_matches([',', '.'])))
        });
        kept.filter_map(|word| word.chars().find(|c| c.is_alphabetic()))
            .flat_map(char::to_uppercase)
            .collect()
    };
    [(true, false), (true, true), (false, false)]
        .into_iter()
        .any(|(large, forms)| initials(large, forms) == term)
}
