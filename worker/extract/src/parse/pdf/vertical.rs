//! Finds Chinese and Japanese text that is written from top to bottom, column by column from the right.

use super::glyphs::Glyph;
use super::letters;
use super::sheet::Direction;

/// Fewest characters of a column: two characters below each other are cells of a table as likely.
const CHARS_MIN: usize = 3;
/// Characters of a column stand below each other within this part of the font's height.
const ASIDE_MAX: f32 = 0.25;
/// Distance of two characters of a column, in parts of the font's height.
const PITCH: std::ops::RangeInclusive<f32> = 0.8..=1.5;
/// Where the line of such text stands over the column's left edge, in parts of the font's height, so that fonts of one column agree.
const BASE: f32 = 0.12;

/// Gives characters that stand in such columns their direction.
pub fn mark(glyphs: &mut [Glyph]) {
    for column in glyphs.chunk_by_mut(is_below) {
        if column.len() >= CHARS_MIN {
            column.iter_mut().for_each(turn);
        }
    }
}

fn is_below(above: &Glyph, glyph: &Glyph) -> bool {
    let middle = |glyph: &Glyph| f32::midpoint(glyph.area.left, glyph.area.right);
    letters::needs_no_blanks(above.c)
        && letters::needs_no_blanks(glyph.c)
        && above.direction == Direction::UPRIGHT
        && glyph.direction == Direction::UPRIGHT
        && (middle(above) - middle(glyph)).abs() <= ASIDE_MAX * glyph.size
        && PITCH.contains(&((glyph.base - above.base) / glyph.size))
}

/// The frame of upright text is the page, so the area needs to be turned only once.
fn turn(glyph: &mut Glyph) {
    glyph.direction = Direction::DOWN;
    glyph.area = Direction::DOWN.turn_area(glyph.area, glyph.size);
    glyph.base = glyph.area.bottom - BASE * glyph.size;
}
