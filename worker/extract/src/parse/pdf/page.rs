//! One page: from its characters to lines in the order in which they are read.

use std::collections::BTreeMap;
use std::ops::Range;

use docket_contract::place::Region;
use docket_contract::text_map::{CharBox, Reading};

use super::glyphs::Glyph;
use super::letters::Way;
use super::pieces::{self, Piece};
use super::sheet::{Area, Direction};
use super::{brackets, cuts, lines, margin};

/// What stands between two columns of a line. No entity spans four blanks.
const COLUMN_BLANKS: &str = "    ";

/// A page's text as lines.
#[derive(Debug, Clone, PartialEq)]
pub struct PageLines {
    /// Width as shown, in points.
    pub width: f32,
    /// Height as shown, in points.
    pub height: f32,
    /// How the text was had.
    pub reading: Reading,
    /// How sure OCR is of its text, in percent.
    pub confidence: Option<u8>,
    /// The lines' text, one line after the other.
    pub text: String,
    /// A box for each character of the text.
    pub boxes: Vec<CharBox>,
    /// The lines in the order in which they are read.
    pub lines: Vec<Line>,
}

/// A line of a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its bytes in the page's text.
    pub bytes: Range<usize>,
    /// Its characters in the page's text.
    pub chars: Range<usize>,
    /// Its area, in the frame of its direction.
    pub area: Area,
    /// Height of its font.
    pub size: f32,
    /// Whether its text is upright.
    pub is_upright: bool,
    /// Whether a block begins with it.
    pub begins: bool,
    /// What it is.
    pub region: Region,
}

impl PageLines {
    /// A page without text.
    pub fn without_text(width: f32, height: f32, reading: Reading) -> Self {
        Self {
            width,
            height,
            reading,
            confidence: None,
            text: String::new(),
            boxes: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// A line's text.
    pub fn text_of(&self, line: &Line) -> &str {
        self.text.get(line.bytes.clone()).unwrap_or_default()
    }

    /// Adds the lines of these characters. Returns the usual height of their fonts.
    pub fn add_glyphs(&mut self, glyphs: &[Glyph]) -> f32 {
        let pieces = pieces::of_glyphs(glyphs);
        let body_size = lines::usual_size(&pieces);
        for indices in by_direction(&pieces) {
            self.add_direction(glyphs, &pieces, indices);
        }
        body_size
    }

    fn add_direction(&mut self, glyphs: &[Glyph], pieces: &[Piece], mut indices: Vec<u32>) {
        let numbers = margin::take_line_numbers(glyphs, pieces, &mut indices);
        let from_right = reads_from_right(pieces, &indices);
        for leaf in cuts::leaves(pieces, indices, from_right) {
            for row in lines::rows(pieces, &leaf) {
                self.add_row(glyphs, pieces, &row, Region::Body);
            }
        }
        for row in lines::rows(pieces, &numbers) {
            self.add_row(glyphs, pieces, &row, Region::LineNumber);
        }
    }

    fn add_row(&mut self, glyphs: &[Glyph], pieces: &[Piece], row: &lines::Row, region: Region) {
        let (byte, char) = (self.text.len(), self.boxes.len());
        let mut last: Option<(u32, &Glyph)> = None;
        for &(index, space) in &row.pieces {
            let Some(piece) = pieces.get(index as usize) else {
                continue;
            };
            let of_piece = glyphs.get(piece.start as usize..piece.end as usize).unwrap_or_default();
            for (at, glyph) in (piece.start..piece.end).zip(of_piece) {
                if let Some((last_at, last)) = last {
                    let is_first = at == piece.start;
                    let space = if is_first { space } else { lines::Space::Near };
                    let follows = last_at.checked_add(1) == Some(at);
                    self.push_str(blank(last, glyph, space, (is_first, follows)));
                }
                self.text.push(glyph.c);
                self.boxes.push(glyph.shown);
                last = Some((at, glyph));
            }
        }
        if row.from_right {
            self.mend_brackets(byte);
        }
        let is_upright = last.is_some_and(|(_, glyph)| glyph.direction == Direction::UPRIGHT);
        self.lines.push(Line {
            bytes: byte..self.text.len(),
            chars: char..self.boxes.len(),
            area: row.area,
            size: row.size,
            is_upright,
            begins: row.begins,
            region,
        });
    }

    /// Turns the brackets of the line that begins at a byte, if they stand the wrong way round. Brackets have one byte each.
    fn mend_brackets(&mut self, byte: usize) {
        if let Some(mended) = self.text.get(byte..).and_then(brackets::mended) {
            self.text.truncate(byte);
            self.text.push_str(&mended);
        }
    }

    /// Adds what has no box.
    fn push_str(&mut self, blanks: &str) {
        self.text.push_str(blanks);
        self.boxes.extend(blanks.chars().map(|_| CharBox::default()));
    }
}

/// What stands between two characters of a line. Within a piece, and between pieces that the page draws one after the other, the
/// page decides; between other pieces their distance does.
fn blank(last: &Glyph, glyph: &Glyph, space: lines::Space, (is_first, follows): (bool, bool)) -> &'static str {
    if space == lines::Space::Column {
        return COLUMN_BLANKS;
    }
    let gap = (glyph.area.left - last.area.right).max(last.area.left - glyph.area.right);
    let is_blank = if is_first {
        pieces::is_blank_gap(gap, glyph.size.min(last.size)) || (follows && pieces::is_blank_between(last, glyph))
    } else {
        pieces::is_blank_between(last, glyph)
    };
    if is_blank { " " } else { "" }
}

/// The pieces by the direction of their lines, the direction with the most characters first.
fn by_direction(pieces: &[Piece]) -> Vec<Vec<u32>> {
    let mut directions: BTreeMap<Direction, (usize, Vec<u32>)> = BTreeMap::new();
    for (index, piece) in (0_u32..).zip(pieces) {
        let (chars, indices) = directions.entry(piece.direction).or_default();
        *chars += piece.chars();
        indices.push(index);
    }
    let mut directions: Vec<(usize, Vec<u32>)> = directions.into_values().collect();
    directions.sort_by_key(|(chars, _)| std::cmp::Reverse(*chars));
    directions.into_iter().map(|(_, indices)| indices).collect()
}

fn reads_from_right(pieces: &[Piece], indices: &[u32]) -> bool {
    let chars = |way: Way| -> usize {
        let pieces = indices.iter().filter_map(|&index| pieces.get(index as usize));
        pieces.filter(|piece| piece.way == way).map(Piece::chars).sum()
    };
    chars(Way::RightToLeft) > chars(Way::LeftToRight)
}
