//! Words of a picture -> characters on the page, as a text layer would have them. Tesseract tells where a word stands, so each
//! character gets an equal part of its word.

use super::turns::Scan;
use super::words::Word;
use crate::parse::pdf::{Area, Direction, Glyph, Sheet};

/// Height of letters without parts above or below, in parts of the font's height.
const X_HEIGHT: f32 = 0.5;
/// Height of capitals, digits and letters such as `b`.
const CAP_HEIGHT: f32 = 0.72;
/// How far letters such as `p` reach below the line.
const DEPTH: f32 = 0.22;
/// Upper edge of a line's characters over the line, in parts of the font's height.
const ASCENT: f32 = 0.9;
/// Lower edge below the line.
const DESCENT: f32 = 0.25;

/// The characters of a scan, line after line.
pub fn of_scan(scan: &Scan, sheet: &Sheet) -> Vec<Glyph> {
    let frame = Frame::of(scan, sheet);
    let lines = scan.words.lines.iter();
    lines.flat_map(|words| of_line(words, sheet, &frame)).collect()
}

/// How the picture lies on the page.
struct Frame {
    /// Points of a pixel, across and down the picture.
    scale: (f32, f32),
    turns: u8,
    /// Width and height of the page as shown, in points.
    page: (f32, f32),
}

/// Where a line stands, in pixels of the picture.
struct Level {
    base: f32,
    size: f32,
}

impl Frame {
    fn of(scan: &Scan, sheet: &Sheet) -> Self {
        let page = (sheet.width(), sheet.height());
        let (across, down) = if scan.turns.is_multiple_of(2) {
            page
        } else {
            (page.1, page.0)
        };
        let picture = scan.picture;
        Self {
            scale: (
                across / picture.width.max(1) as f32,
                down / picture.height.max(1) as f32,
            ),
            turns: scan.turns,
            page,
        }
    }

    /// The direction on the page of what is upright in the picture.
    fn direction(&self) -> Direction {
        Direction::quarter(4 - self.turns % 4)
    }

    /// An area of the picture, in pixels, on the page as shown.
    fn on_page(&self, [left, top, right, bottom]: [f32; 4]) -> Area {
        let (x, y) = self.point(left, top);
        let (other_x, other_y) = self.point(right, bottom);
        Area {
            left: x.min(other_x),
            top: y.min(other_y),
            right: x.max(other_x),
            bottom: y.max(other_y),
        }
    }

    fn point(&self, x: f32, y: f32) -> (f32, f32) {
        let (x, y) = (x * self.scale.0, y * self.scale.1);
        match self.turns % 4 {
            0 => (x, y),
            1 => (y, self.page.1 - x),
            2 => (self.page.0 - x, self.page.1 - y),
            _ => (self.page.0 - y, x),
        }
    }
}

fn of_line(words: &[Word], sheet: &Sheet, frame: &Frame) -> Vec<Glyph> {
    let level = Level::of(words);
    let direction = frame.direction();
    let mut glyphs = Vec::new();
    for word in words {
        let [left, _, right, _] = word.edges;
        let part = (right - left) / word.text.chars().count().max(1) as f32;
        for (at, c) in word.text.chars().enumerate() {
            let left = left + part * at as f32;
            let on_line = [
                left,
                level.base - ASCENT * level.size,
                left + part,
                level.base + DESCENT * level.size,
            ];
            let [_, top, _, bottom] = word.edges;
            let size = level.size * frame.scale.1;
            let area = direction.turn_area(frame.on_page(on_line), size);
            glyphs.push(Glyph {
                c,
                follows_blank: at == 0,
                direction,
                area,
                base: area.bottom - DESCENT * size,
                size,
                shown: sheet.steps(frame.on_page([left, top, left + part, bottom])),
            });
        }
    }
    glyphs
}

impl Level {
    /// The middle of what the words say. A line that is a little askew so counts as level.
    fn of(words: &[Word]) -> Self {
        let of_words = words.iter().map(of_word);
        let (mut bases, mut sizes): (Vec<f32>, Vec<f32>) = of_words.unzip();
        Self {
            base: middle(&mut bases),
            size: middle(&mut sizes).max(1.0),
        }
    }
}

/// Where a word's line is, and the height of its font, by the letters that the word has.
fn of_word(word: &Word) -> (f32, f32) {
    let [_, top, _, bottom] = word.edges;
    let is_tall = |c: char| c.is_uppercase() || c.is_numeric() || "bdfhiklt()[]{}/&$§%!?\"'“”‘’".contains(c);
    let is_deep = |c: char| "gjpqyQ,;()[]{}/$§".contains(c);
    let above = if word.text.chars().any(is_tall) {
        CAP_HEIGHT
    } else {
        X_HEIGHT
    };
    let below = if word.text.chars().any(is_deep) { DEPTH } else { 0.0 };
    let size = (bottom - top) / (above + below);
    (bottom - below * size, size)
}

fn middle(values: &mut [f32]) -> f32 {
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
