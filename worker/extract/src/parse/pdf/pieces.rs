//! Joins characters that are drawn one after the other on one line to pieces: the units that are put in order.

use super::glyphs::Glyph;
use super::letters::{self, Way};
use super::sheet::{Area, Direction};

/// A wider gap ends a piece, in parts of the font's height: words are 0.2 to 0.5 apart, columns 1 or more.
const GAP_MAX: f32 = 0.6;
/// Characters may overlap so much, in parts of the font's height: kerning and slanted letters do.
const OVERLAP_MAX: f32 = 0.6;
/// Characters of one line stand so level, in parts of the font's height: raised marks of notes do not.
const LEVEL_MAX: f32 = 0.2;
/// Upper edge of what counts of a character when lines are told apart, in parts of the font's height over its line.
const CORE: f32 = 0.7;

/// Characters in a row, drawn one after the other, in one way.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// The first character, an index into the page's characters.
    pub start: u32,
    /// One past the last character.
    pub end: u32,
    /// The area of all characters, in the frame of the direction.
    pub area: Area,
    /// Where the line stands.
    pub base: f32,
    /// Height of the font.
    pub size: f32,
    /// The direction of the line.
    pub direction: Direction,
    /// The way in which the letters run.
    pub way: Way,
}

impl Piece {
    /// Number of characters.
    pub fn chars(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// Upper edge of what counts when lines are told apart: accents and tall boxes of fonts do not.
    pub fn core_top(&self) -> f32 {
        self.base - CORE * self.size
    }
}

/// The pieces of a page. Characters past 2^32 do not occur: a text has fewer bytes.
pub fn of_glyphs(glyphs: &[Glyph]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut last: Option<&Glyph> = None;
    for (index, glyph) in (0_u32..).zip(glyphs) {
        let joined = pieces
            .last_mut()
            .zip(last)
            .is_some_and(|(piece, last)| join(piece, last, glyph));
        if !joined {
            pieces.push(Piece {
                start: index,
                end: index + 1,
                area: glyph.area,
                base: glyph.base,
                size: glyph.size,
                direction: glyph.direction,
                way: letters::way(glyph.c),
            });
        }
        last = Some(glyph);
    }
    pieces
}

/// Adds a character to a piece if the character follows there.
fn join(piece: &mut Piece, last: &Glyph, glyph: &Glyph) -> bool {
    let is_mark = letters::is_mark(glyph.c);
    let is_level = (glyph.base - last.base).abs() <= LEVEL_MAX * glyph.size.max(last.size);
    if glyph.direction != piece.direction || !(is_level || is_mark) {
        return false;
    }
    let way = letters::way(glyph.c);
    if !is_mark && !follows(piece, last, glyph, way) {
        return false;
    }
    if piece.way == Way::Either && !is_mark {
        piece.way = way;
    }
    piece.end += 1;
    piece.area.include(glyph.area);
    piece.size = piece.size.max(glyph.size);
    true
}

fn follows(piece: &Piece, last: &Glyph, glyph: &Glyph, way: Way) -> bool {
    let size = glyph.size.max(last.size);
    let is_near = |gap: f32| (-OVERLAP_MAX * size..=GAP_MAX * size).contains(&gap);
    let forward = glyph.area.left - last.area.right;
    let backward = last.area.left - glyph.area.right;
    let is_single = piece.chars() == 1;
    match (piece.way, way) {
        (Way::RightToLeft, Way::RightToLeft) => is_near(backward),
        (Way::RightToLeft, Way::Either) => !glyph.c.is_numeric() && is_near(backward),
        (Way::Either, Way::RightToLeft) => is_single && !last.c.is_numeric() && is_near(backward),
        (Way::LeftToRight, Way::RightToLeft) | (Way::RightToLeft, Way::LeftToRight) => false,
        (Way::LeftToRight | Way::Either, _) => is_near(forward),
    }
}

/// A narrower gap between two pieces is no blank, in parts of the font's height.
const BLANK_MIN: f32 = 0.15;
/// A narrower gap between Chinese or Japanese characters is no blank, whatever the page draws.
const WIDE_BLANK_MIN: f32 = 0.7;

/// Whether a blank stands between two characters of a piece.
pub fn is_blank_between(last: &Glyph, glyph: &Glyph) -> bool {
    let is_close = glyph.area.left - last.area.right < WIDE_BLANK_MIN * glyph.size;
    let needs_none = is_close && letters::needs_no_blanks(last.c) && letters::needs_no_blanks(glyph.c);
    glyph.follows_blank && !needs_none
}

/// Whether a gap between two pieces of a line is a blank.
pub fn is_blank_gap(gap: f32, size: f32) -> bool {
    gap >= BLANK_MIN * size
}
