//! Entities as words -> their exact places in the text, in bytes and in characters. A place never splits a character as readers
//! see it.

use std::ops::Range;

use docket_contract::entity::Span;
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

use crate::steps::scan;
use crate::window::as_u32;
use docket_extract::ExtractedText;

/// Finds places in reading order, each behind the one before.
pub(super) struct Places<'a> {
    text: &'a ExtractedText,
    /// Byte at which the unused rest of the text begins, at the start of a grapheme.
    free_from: usize,
    scalars: ScalarCounter<'a>,
}

impl<'a> Places<'a> {
    pub(super) fn new(text: &'a ExtractedText) -> Self {
        Self {
            text,
            free_from: 0,
            scalars: ScalarCounter::new(&text.text),
        }
    }

    /// The whole graphemes in a range of bytes, without blanks at the ends; `None` if nothing is left. A grapheme is a character
    /// as readers see it: a letter with its accents.
    pub(super) fn next(&mut self, bytes: Range<usize>) -> Option<Span> {
        let bytes = self.surface(bytes)?;
        Some(Span {
            start: self.scalars.count_to(bytes.start),
            end: self.scalars.count_to(bytes.end),
            start_byte: as_u32(bytes.start),
            end_byte: as_u32(bytes.end),
        })
    }

    fn surface(&mut self, bytes: Range<usize>) -> Option<Range<usize>> {
        let text = &self.text.text;
        let mut surface: Option<Range<usize>> = None;
        if self.free_from < bytes.end {
            let start = grapheme_start(text, self.free_from, bytes.start.max(self.free_from));
            let graphemes = text[start..]
                .grapheme_indices(true)
                .map(|(at, shape)| (start + at, shape));
            for (at, grapheme) in graphemes.take_while(|&(at, _)| at < bytes.end) {
                self.free_from = at + scan(grapheme).len();
                if !is_blank(self.text, at, grapheme) {
                    let first = surface.map_or(at, |surface| surface.start);
                    surface = Some(first..self.free_from);
                }
            }
        }
        surface
    }
}

/// Start of the grapheme that holds a byte. A grapheme starts at `from`.
fn grapheme_start(text: &str, from: usize, byte: usize) -> usize {
    let rest = &text[from..];
    let mut cursor = GraphemeCursor::new(byte - from, rest.len(), true);
    if cursor.is_boundary(rest, 0) == Ok(true) {
        return byte;
    }
    let before = cursor.prev_boundary(rest, 0).ok().flatten().unwrap_or(0);
    scan(&rest[before..byte - from]);
    from + before
}

fn is_blank(text: &ExtractedText, at: usize, grapheme: &str) -> bool {
    let mut chars = grapheme.char_indices();
    chars.any(|(place, c)| text.is_blank_at(at + place, c))
}

/// Counts a text's Unicode scalar values, forward from its start.
struct ScalarCounter<'a> {
    text: &'a str,
    byte: usize,
    scalars: usize,
}

impl<'a> ScalarCounter<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            byte: 0,
            scalars: 0,
        }
    }

    fn count_to(&mut self, byte: usize) -> u32 {
        self.scalars += scan(&self.text[self.byte..byte]).chars().count();
        self.byte = byte;
        as_u32(self.scalars)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surface(text: &str, bytes: Range<usize>) -> Option<&str> {
        let extracted = ExtractedText::from(text.to_owned());
        let span = Places::new(&extracted).next(bytes)?;
        Some(&text[span.bytes()])
    }

    #[test]
    fn a_range_is_trimmed_to_its_surface() {
        assert_eq!(surface("a  b c \n", 1..8), Some("b c"));
        assert_eq!(surface("a  b", 1..3), None);
        assert_eq!(surface("a\u{1e} b\u{0}", 1..5), Some("b"));
    }

    #[test]
    fn a_place_holds_whole_graphemes() {
        let yoruba = "Ade\u{301}ba\u{301}yo\u{300} signed";
        assert_eq!(surface(yoruba, 0..11), Some("Ade\u{301}ba\u{301}yo\u{300}"));
        assert_eq!(
            surface("xe\u{301}a", 2..5),
            Some("e\u{301}a"),
            "it begins inside of one"
        );
        let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}";
        assert_eq!(surface(family, 7..11), Some(family));
        assert_eq!(
            surface("\u{1f1e9}\u{1f1ea}\u{1f1eb}\u{1f1f7}", 4..12),
            Some("\u{1f1e9}\u{1f1ea}\u{1f1eb}\u{1f1f7}")
        );
        assert_eq!(
            surface(" \u{301}a", 1..4),
            Some("a"),
            "an accent of a space is no letter"
        );
    }

    #[test]
    fn a_grapheme_is_given_once() {
        let text = ExtractedText::from("a\u{301}\u{302} b".to_owned());
        let mut places = Places::new(&text);
        let bytes = [0..1, 1..3, 3..5, 6..7].map(|bytes| places.next(bytes).map(|span| span.bytes()));
        assert_eq!(bytes, [Some(0..5), None, None, Some(6..7)]);
    }
}
