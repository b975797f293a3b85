//! The words of a page with their places, as PAWLs has them: OpenContracts calls them tokens.

use std::ops::Range;

use docket_contract::text_map::{Page, Rectangle};
use serde::Serialize;

/// The place of a word whose characters have no shape.
const NOWHERE: Rectangle = Rectangle {
    left: 0.0,
    top: 0.0,
    right: 0.0,
    bottom: 0.0,
};

/// A word of a page: characters between blanks.
pub(crate) struct Token {
    /// The word's bytes in the document's text.
    pub bytes: Range<usize>,
    /// Where the word stands.
    pub place: Rectangle,
}

/// A token as PAWLs has it.
#[derive(Serialize)]
struct Written<'a> {
    x: f32,
    y: f32,
    width: f32,
    height: f32,
    text: &'a str,
}

/// A page as PAWLs has it.
#[derive(Serialize)]
pub(crate) struct WrittenPage<'a> {
    page: Boundary,
    tokens: Vec<Written<'a>>,
}

#[derive(Serialize)]
struct Boundary {
    width: f32,
    height: f32,
    index: usize,
}

/// The tokens of a page in the order of its text.
pub(crate) fn tokens(page: &Page, text: &str) -> Vec<Token> {
    let start = page.bytes.start as usize;
    let mut tokens = Vec::new();
    // The word that goes on: where it began, in bytes and in characters.
    let mut word = None;
    let end = std::iter::once((text.len(), ' '));
    for (char, (byte, c)) in (page.chars.start..).zip(text.char_indices().chain(end)) {
        if !(c.is_whitespace() || c.is_control()) {
            word.get_or_insert((byte, char));
        } else if let Some((from, first)) = word.take() {
            let place = page.rectangles(first..char).into_iter().reduce(union);
            tokens.push(Token {
                bytes: start + from..start + byte,
                place: place.unwrap_or(NOWHERE),
            });
        }
    }
    tokens
}

/// The smallest rectangle around two.
pub(crate) fn union(a: Rectangle, b: Rectangle) -> Rectangle {
    Rectangle {
        left: a.left.min(b.left),
        top: a.top.min(b.top),
        right: a.right.max(b.right),
        bottom: a.bottom.max(b.bottom),
    }
}

/// The page at a place in the document, from 0, with its tokens.
pub(crate) fn page<'a>(index: usize, page: &Page, text: &'a str) -> WrittenPage<'a> {
    let start = page.bytes.start as usize;
    let written = |Token { bytes, place }: Token| Written {
        x: place.left,
        y: place.top,
        width: place.right - place.left,
        height: place.bottom - place.top,
        text: &text[bytes.start - start..bytes.end - start],
    };
    WrittenPage {
        page: Boundary {
            width: page.width,
            height: page.height,
            index,
        },
        tokens: tokens(page, text).into_iter().map(written).collect(),
    }
}
