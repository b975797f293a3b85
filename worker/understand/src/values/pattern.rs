//! What a pattern is: where a value may start, how its text looks, and what makes a value of a match.

use std::ops::Range;

use regex::{Captures, Regex};

use super::{Value, templates};

/// Bytes that [`Matched::word_before`] looks back at most: the longest word that a table asks for has 12.
const WORD_BEFORE_BYTES: usize = 24;

/// One row of a table.
pub(super) struct Pattern {
    /// Name of the pattern, unique among all tables.
    pub(super) name: &'static str,
    /// First tokens at which the pattern is tried.
    pub(super) starts: &'static [Start],
    /// Regular expression with placeholders of [`templates`]. A group `v`, where present, is the text of the finding.
    pub(super) regex: &'static str,
    /// Makes the value, or refuses the match.
    pub(super) read: fn(&Matched<'_>) -> Option<Reading>,
}

/// First token of a value.
pub(super) enum Start {
    /// A digit that begins a number.
    Digit,
    /// Letters followed directly by a digit, such as `US0378331005`.
    Code,
    /// An `@`; the pattern then starts at the beginning of the local part.
    At,
    /// One of these characters.
    Symbols(&'static [char]),
    /// One of these words, in upper or lower case.
    Words(&'static [&'static str]),
}

/// What a match says.
pub(super) enum Reading {
    /// A value of the text.
    Value(Value),
    /// A value of which the text is the first bytes of the match, as many as the number says.
    Beginning(Value, usize),
    /// No value, but the name of a dollar currency as ISO 4217 code, which tells what a plain `$` means.
    DollarNamed(&'static str),
}

impl Pattern {
    /// Compiles the pattern, anchored at the start of its window.
    pub(super) fn compile(&self) -> Regex {
        let anchored = format!("^(?:{})", templates::expand(self.regex));
        Regex::new(&anchored).unwrap_or_else(|error| panic!("pattern {} does not compile: {error}", self.name))
    }
}

/// A match of a pattern, and the text around it.
pub(super) struct Matched<'t> {
    text: &'t str,
    captures: Captures<'t>,
    bytes: Range<usize>,
}

impl<'t> Matched<'t> {
    /// Wraps captures of a window that starts at byte `window_start` of `text`.
    pub(super) fn new(text: &'t str, window_start: usize, captures: Captures<'t>) -> Option<Self> {
        let surface = captures.name("v").or_else(|| captures.get(0))?;
        let bytes = window_start + surface.start()..window_start + surface.end();
        Some(Self { text, captures, bytes })
    }

    /// Returns where the finding stands in the whole text.
    pub(super) fn bytes(&self) -> Range<usize> {
        self.bytes.clone()
    }

    /// Returns the text of the finding.
    pub(super) fn surface(&self) -> &'t str {
        &self.text[self.bytes.clone()]
    }

    /// Returns the text of a group, where the group took part in the match.
    pub(super) fn group(&self, name: &str) -> Option<&'t str> {
        self.captures.name(name).map(|group| group.as_str())
    }

    /// Returns the text before the finding.
    pub(super) fn before(&self) -> &'t str {
        &self.text[..self.bytes.start]
    }

    /// Returns the text after the finding.
    pub(super) fn after(&self) -> &'t str {
        &self.text[self.bytes.end..]
    }

    /// Returns the last word before the finding in lower case, without its full stop; empty where a sign other than a
    /// blank or a colon stands between.
    pub(super) fn word_before(&self) -> String {
        let near = last_bytes(self.before(), WORD_BEFORE_BYTES);
        let word_end = near.trim_end_matches(|sign: char| sign.is_whitespace() || sign == ':');
        let word_end = word_end.strip_suffix('.').unwrap_or(word_end);
        let start = word_end
            .rfind(|sign: char| !sign.is_alphabetic())
            .map_or(0, |at| at + first_length(&word_end[at..]));
        word_end[start..].to_lowercase()
    }

    /// Returns the first word after the finding in lower case; empty where anything but a blank stands between.
    pub(super) fn word_after(&self) -> String {
        let near = first_bytes(self.after(), WORD_BEFORE_BYTES).trim_start();
        let end = near.find(|sign: char| !sign.is_alphabetic()).unwrap_or(near.len());
        near[..end].to_lowercase()
    }
}

/// Returns the longest end of `text` that has at most `limit` bytes.
pub(super) fn last_bytes(text: &str, limit: usize) -> &str {
    &text[text.ceil_char_boundary(text.len().saturating_sub(limit))..]
}

/// Returns the longest beginning of `text` that has at most `limit` bytes.
pub(super) fn first_bytes(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit.min(text.len()))]
}

fn first_length(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}
