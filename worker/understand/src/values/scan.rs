//! The one pass over a text: finds the tokens at which a value may start, and tries the patterns of such a token.
//!
//! Cost: a token is visited once, a visit tries at most all patterns once, and a pattern reads at most its window. The
//! work of a text is therefore at most (tokens × patterns × window), which grows in proportion to the text.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use regex::Regex;

use super::overlap::Candidate;
use super::pattern::{Matched, Pattern, Reading, Start};
use super::{Value, contacts, dates, durations, identifiers, money, percent, references};

/// Bytes that a pattern may read: the longest amounts written in words stay below 200.
const WINDOW_BYTES: usize = 256;
/// Bytes that a web address may have: longer addresses are cut by most browsers and servers.
const URL_WINDOW_BYTES: usize = 2_048;
/// Letters of the longest word that a table lists; longer words are not looked up.
const WORD_LETTERS_MAX: usize = 16;

/// What one pass over a text brought.
pub(super) struct Scan {
    /// Values found, in reading order of their starts; they may overlap.
    pub(super) candidates: Vec<Candidate>,
    /// ISO 4217 codes of the dollar currencies that the text names.
    pub(super) dollars_named: BTreeSet<&'static str>,
    /// Patterns tried, which is the measure of work.
    pub(super) tries: usize,
}

/// Finds all candidates of a text.
pub(super) fn candidates(text: &str) -> Scan {
    let mut pass = Pass {
        text,
        tables: &TABLES,
        scan: Scan {
            candidates: Vec::new(),
            dollars_named: BTreeSet::new(),
            tries: 0,
        },
    };
    let mut at = 0;
    while at < text.len() {
        at = pass.visit(at);
    }
    pass.scan
}

static TABLES: LazyLock<Tables> = LazyLock::new(Tables::compile);

/// Compiles all patterns now, so that the first text does not wait for them.
pub(super) fn compile() {
    LazyLock::force(&TABLES);
    durations::compile();
    references::compile();
}

struct Compiled {
    regex: Regex,
    pattern: &'static Pattern,
    window_bytes: usize,
}

/// All patterns in the order of the tables, and which of them to try at which first token.
#[derive(Default)]
struct Tables {
    patterns: Vec<Compiled>,
    digits: Vec<usize>,
    codes: Vec<usize>,
    at_signs: Vec<usize>,
    symbols: HashMap<char, Vec<usize>>,
    words: HashMap<String, Vec<usize>>,
}

impl Tables {
    fn compile() -> Self {
        let mut tables = Self::default();
        let all = [
            dates::PATTERNS,
            money::PATTERNS,
            percent::PATTERNS,
            durations::PATTERNS,
            contacts::PATTERNS,
            identifiers::PATTERNS,
            references::PATTERNS,
        ];
        for pattern in all.into_iter().flatten() {
            tables.add(pattern);
        }
        tables
    }

    fn add(&mut self, pattern: &'static Pattern) {
        let index = self.patterns.len();
        let window_bytes = if pattern.name == contacts::URL_NAME {
            URL_WINDOW_BYTES
        } else {
            WINDOW_BYTES
        };
        self.patterns.push(Compiled {
            regex: pattern.compile(),
            pattern,
            window_bytes,
        });
        for start in pattern.starts {
            match start {
                Start::Digit => self.digits.push(index),
                Start::Code => self.codes.push(index),
                Start::At => self.at_signs.push(index),
                Start::Symbols(symbols) => {
                    for symbol in *symbols {
                        self.symbols.entry(*symbol).or_default().push(index);
                    }
                }
                Start::Words(words) => {
                    for word in *words {
                        assert!(
                            word.len() <= WORD_LETTERS_MAX,
                            "the word {word} is too long to be looked up"
                        );
                        let indices = self.words.entry(word.to_lowercase()).or_default();
                        if indices.last() != Some(&index) {
                            indices.push(index);
                        }
                    }
                }
            }
        }
    }
}

struct Pass<'t> {
    text: &'t str,
    tables: &'static Tables,
    scan: Scan,
}

impl Pass<'_> {
    /// Tries the patterns of the token at byte `at`; returns where the next token begins.
    fn visit(&mut self, at: usize) -> usize {
        let tables = self.tables;
        let bytes = self.text.as_bytes();
        match bytes[at] {
            b'0'..=b'9' => {
                if starts_number(self.text, at) {
                    self.try_all(&tables.digits, at);
                }
                run_end(bytes, at, u8::is_ascii_alphanumeric)
            }
            b'A'..=b'Z' | b'a'..=b'z' => {
                let letters_end = run_end(bytes, at, u8::is_ascii_alphabetic);
                if !self.text[..at].chars().next_back().is_some_and(is_word_sign) {
                    self.visit_word(at, letters_end);
                }
                run_end(bytes, letters_end, u8::is_ascii_alphanumeric)
            }
            b'@' => {
                self.try_all(&tables.at_signs, contacts::local_part_start(self.text, at));
                at + 1
            }
            b' ' => at + 1,
            _ => self.visit_symbol(at),
        }
    }

    fn visit_word(&mut self, at: usize, letters_end: usize) {
        let tables = self.tables;
        let bytes = self.text.as_bytes();
        let next = bytes.get(letters_end);
        if next.is_some_and(u8::is_ascii_digit) {
            self.try_all(&tables.codes, at);
        }
        let letters = &bytes[at..letters_end];
        if letters.len() <= WORD_LETTERS_MAX {
            let mut lower = [0; WORD_LETTERS_MAX];
            let lower = &mut lower[..letters.len()];
            lower.copy_from_slice(letters);
            lower.make_ascii_lowercase();
            let found = std::str::from_utf8(lower).ok().and_then(|word| tables.words.get(word));
            self.try_all(found.map_or(&[], Vec::as_slice), at);
        }
    }

    fn visit_symbol(&mut self, at: usize) -> usize {
        let tables = self.tables;
        let Some(symbol) = self.text[at..].chars().next() else {
            return self.text.len();
        };
        if let Some(indices) = tables.symbols.get(&symbol) {
            self.try_all(indices, at);
        }
        at + symbol.len_utf8()
    }

    fn try_all(&mut self, indices: &[usize], at: usize) {
        for index in indices {
            self.try_one(*index, at);
        }
    }

    fn try_one(&mut self, index: usize, at: usize) {
        self.scan.tries += 1;
        let compiled = &self.tables.patterns[index];
        let end = self
            .text
            .floor_char_boundary(self.text.len().min(at + compiled.window_bytes));
        let window = &self.text[at..end];
        if !compiled.regex.is_match(window) {
            return;
        }
        let Some(matched) = compiled
            .regex
            .captures(window)
            .and_then(|found| Matched::new(self.text, at, found))
        else {
            return;
        };
        let bytes = matched.bytes();
        if bytes.is_empty() || !ends_cleanly(self.text, bytes.end) {
            return;
        }
        match (compiled.pattern.read)(&matched) {
            Some(Reading::Value(value)) => self.add(Candidate {
                bytes,
                value,
                order: index,
            }),
            Some(Reading::Beginning(value, length)) => {
                self.add(Candidate {
                    bytes: bytes.start..bytes.start + length,
                    value,
                    order: index,
                });
            }
            Some(Reading::DollarNamed(code)) => {
                self.scan.dollars_named.insert(code);
            }
            None => {}
        }
    }

    fn add(&mut self, candidate: Candidate) {
        if let Value::Money(money) = &candidate.value {
            self.scan.dollars_named.extend(money.dollar_code());
        }
        self.scan.candidates.push(candidate);
    }
}

fn run_end(bytes: &[u8], start: usize, belongs: fn(&u8) -> bool) -> usize {
    bytes[start..]
        .iter()
        .position(|byte| !belongs(byte))
        .map_or(bytes.len(), |length| start + length)
}

fn is_word_sign(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

/// Says whether the digit at byte `at` begins a number, and not the rest of a longer number or code.
fn starts_number(text: &str, at: usize) -> bool {
    let mut back = text[..at].chars().rev();
    let Some(previous) = back.next() else { return true };
    let before_that = back.next();
    match previous {
        '.' | ',' | ':' | '\'' | '’' => !before_that.is_some_and(|sign| sign.is_ascii_digit()),
        '-' | '/' | '\u{2010}' | '\u{2011}' | '@' | '=' | '#' => !before_that.is_some_and(is_word_sign),
        _ => !is_word_sign(previous),
    }
}

/// Says whether a value that ends at byte `end` is not cut out of a longer word or number.
fn ends_cleanly(text: &str, end: usize) -> bool {
    let Some(last) = text[..end].chars().next_back() else {
        return false;
    };
    let mut ahead = text[end..].chars();
    let Some(next) = ahead.next() else { return true };
    if !last.is_alphanumeric() {
        return true;
    }
    if is_word_sign(next) {
        return false;
    }
    let number_goes_on = matches!(next, '.' | ',') && ahead.next().is_some_and(|sign| sign.is_ascii_digit());
    !(last.is_ascii_digit() && number_goes_on)
}
