//! Ranges of a text -> their exact places in the text and in the document. A place never splits a character as readers see it.

use std::ops::Range;

use docket_contract::entity::{Entity, Source, Span};
use docket_contract::place::{Place, Region};
use docket_contract::text_map::{Rectangle, TextMap};
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

use crate::steps::scan;
use crate::window::as_u32;
use docket_extract::ExtractedText;

/// Where an entity stands.
#[derive(Debug, PartialEq)]
pub struct Placed {
    /// The range of the text.
    pub span: Span,
    /// Page, counted from 1, for formats that have pages.
    pub page: Option<u32>,
    /// What the text around the entity is to a reader.
    pub region: Region,
    /// The line, paragraph or cell, for formats without pages.
    pub place: Option<Place>,
    /// A rectangle a line, for formats whose pages show the entity.
    pub boxes: Vec<Rectangle>,
}

impl Placed {
    /// What a model found at this place.
    pub fn entity(self, text: &ExtractedText, label: String, score: f32) -> Entity {
        Entity {
            label,
            text: text.text[self.span.bytes()].to_owned(),
            span: self.span,
            page: self.page,
            region: self.region,
            place: self.place,
            boxes: self.boxes,
            score,
            source: Source::Model,
            recogniser: None,
            value: None,
            canonical: None,
            carried_from: None,
            thing: None,
        }
    }
}

/// Finds places in reading order, each behind the one before.
pub struct Places<'a> {
    text: &'a ExtractedText,
    /// Byte at which the unused rest of the text begins, at the start of a grapheme.
    free_from: usize,
    counter: Counter<'a>,
    /// Whether form feeds end the pages of a plain text.
    feeds: bool,
}

impl<'a> Places<'a> {
    /// Places in a text, from its start.
    pub fn new(text: &'a ExtractedText) -> Self {
        Self {
            text,
            free_from: 0,
            counter: Counter::new(&text.text),
            feeds: text.map.is_none() && scan(&text.text).contains('\u{c}'),
        }
    }

    /// The whole graphemes in a range of bytes, without blanks at the ends; `None` if nothing is left. A grapheme is a character
    /// as readers see it: a letter with its accents.
    pub fn next(&mut self, bytes: Range<usize>) -> Option<Placed> {
        let bytes = self.surface(bytes)?;
        self.counter.count_to(bytes.start);
        let Counter {
            scalars,
            utf16,
            breaks,
            feeds,
            ..
        } = self.counter;
        self.counter.count_to(bytes.end);
        let span = Span {
            start: as_u32(scalars),
            end: as_u32(self.counter.scalars),
            start_byte: as_u32(bytes.start),
            end_byte: as_u32(bytes.end),
            start_utf16: Some(as_u32(utf16)),
        };
        Some(match &self.text.map {
            Some(map) => mapped(map, span),
            None => Placed {
                span,
                page: self.feeds.then_some(as_u32(feeds + 1)),
                region: Region::Body,
                place: Some(Place::Line {
                    line: as_u32(breaks + 1),
                }),
                boxes: Vec::new(),
            },
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

/// The place of an entity by the map of its text.
fn mapped(map: &TextMap, span: Span) -> Placed {
    let page = map.page_at(span.start_byte);
    let block = map.block_at(span.start_byte);
    Placed {
        span,
        page: page.map(|page| page.number),
        region: block.map_or(Region::Body, |block| block.region),
        place: block.and_then(|block| block.place),
        boxes: page
            .map(|page| page.rectangles(span.start..span.end))
            .unwrap_or_default(),
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

/// Counts what stands before a byte of a text, forward from its start.
struct Counter<'a> {
    text: &'a str,
    byte: usize,
    /// Unicode scalar values.
    scalars: usize,
    /// UTF-16 code units.
    utf16: usize,
    /// Line breaks: LF, or CR without LF.
    breaks: usize,
    /// Form feeds.
    feeds: usize,
    after_cr: bool,
}

impl<'a> Counter<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            byte: 0,
            scalars: 0,
            utf16: 0,
            breaks: 0,
            feeds: 0,
            after_cr: false,
        }
    }

    fn count_to(&mut self, byte: usize) {
        for c in scan(&self.text[self.byte..byte]).chars() {
            self.scalars += 1;
            self.utf16 += c.len_utf16();
            self.breaks += usize::from(c == '\r' || (c == '\n' && !self.after_cr));
            self.feeds += usize::from(c == '\u{c}');
            self.after_cr = c == '\r';
        }
        self.byte = byte;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surface(text: &str, bytes: Range<usize>) -> Option<&str> {
        let extracted = ExtractedText::from(text.to_owned());
        let placed = Places::new(&extracted).next(bytes)?;
        Some(&text[placed.span.bytes()])
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
        let bytes = [0..1, 1..3, 3..5, 6..7].map(|bytes| places.next(bytes).map(|placed| placed.span.bytes()));
        assert_eq!(bytes, [Some(0..5), None, None, Some(6..7)]);
    }

    #[test]
    fn lines_pages_and_utf_16_of_a_plain_text_are_counted() {
        let text = ExtractedText::from("\u{1f600} a\r\nb\rc\n\u{c}d".to_owned());
        let mut places = Places::new(&text);
        let placed = [5, 8, 10, 13].map(|byte| places.next(byte..byte + 1).unwrap());
        let counted = placed.map(|placed| (placed.span.start, placed.span.start_utf16, placed.place, placed.page));
        let line = |line| Some(Place::Line { line });
        assert_eq!(
            counted,
            [
                (2, Some(3), line(1), Some(1)),
                (5, Some(6), line(2), Some(1)),
                (7, Some(8), line(3), Some(1)),
                (10, Some(11), line(4), Some(2)),
            ]
        );
    }
}
