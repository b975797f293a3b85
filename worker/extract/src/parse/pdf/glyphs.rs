//! The characters of a page with their boxes, in the order in which the page draws them.

use docket_contract::text_map::CharBox;

use super::letters::{self, Letter};
use super::library::{Extent, RawStyle, TextObject, TextPage};
use super::sheet::{Area, Direction, Sheet};

/// A character on the page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Glyph {
    /// The character.
    pub c: char,
    /// Whether a blank stands between this character and the one drawn before, drawn or inferred by pdfium.
    pub follows_blank: bool,
    /// The direction of its line.
    pub direction: Direction,
    /// Its box, in the frame of its direction.
    pub area: Area,
    /// Where its line stands, in the frame of its direction.
    pub base: f32,
    /// Height of its font, in points.
    pub size: f32,
    /// Its box on the page as shown.
    pub shown: CharBox,
}

/// All that is known of a page's characters.
#[derive(Debug, Default)]
pub struct Glyphs {
    /// The characters that are shown and seen.
    pub glyphs: Vec<Glyph>,
    /// Characters, shown or not, that are no blanks.
    pub seen: usize,
    /// Characters among those for which the font has no character.
    pub guessed: usize,
    /// Characters among those that tell nothing.
    pub untold: usize,
}

impl Glyphs {
    /// The part of the characters that the font does not know.
    pub fn guessed_part(&self) -> f32 {
        self.guessed as f32 / self.seen.max(1) as f32
    }

    /// The part of the characters that tell nothing.
    pub fn untold_part(&self) -> f32 {
        self.untold as f32 / self.seen.max(1) as f32
    }

    /// The part of the characters that cannot be trusted.
    pub fn doubt(&self) -> f32 {
        self.guessed_part().max(self.untold_part())
    }
}

/// A character before its place in a frame is known.
struct Found {
    c: char,
    follows_blank: bool,
    style: Style,
    extent: Extent,
    origin: (f32, f32),
}

/// How a character is written.
#[derive(Debug, Clone, Copy)]
struct Style {
    /// The matrix of the text. A negative size of the font has turned the matrix by half.
    matrix: [f32; 4],
    /// Height of the font on the page, in points; `None` if that is no sound number.
    size: Option<f32>,
    /// The direction as shown.
    direction: Direction,
    /// Whether the text runs from left to right in the page's own space.
    is_upright: bool,
}

/// The styles of a page's characters. pdfium is asked once for each text object.
struct Styles<'a> {
    text: &'a TextPage<'a>,
    sheet: &'a Sheet,
    last: Option<(TextObject, Style)>,
}

/// Largest part of a font's height that a loose box may be, and smallest: other boxes come of broken fonts.
const LOOSE: std::ops::Range<f32> = 0.5..2.5;
/// Upper and lower edge of a character over and below its line, in parts of its font's height, where the font does not say.
const ASCENT: f32 = 0.9;
/// See [`ASCENT`].
const DESCENT: f32 = 0.25;
/// Largest turn of a text's matrix at which pdfium's loose boxes are right.
const UPRIGHT: f32 = 0.02;
/// Height of a font whose own height is no sound number, in points.
const SIZE: f32 = 10.0;

/// The characters of a page, blanks turned into [`Glyph::follows_blank`]; `None` if there are more than `max`.
pub fn of_page(text: &TextPage<'_>, sheet: &Sheet, max: usize) -> Option<Glyphs> {
    let mut glyphs = Glyphs::default();
    let mut found = found(text, sheet, &mut glyphs, max)?;
    share_boxes(&mut found);
    glyphs.glyphs.reserve(found.len());
    glyphs
        .glyphs
        .extend(found.iter().filter_map(|found| placed(found, sheet)));
    Some(glyphs)
}

fn found(text: &TextPage<'_>, sheet: &Sheet, counts: &mut Glyphs, max: usize) -> Option<Vec<Found>> {
    let chars = text.chars();
    let mut all = Vec::with_capacity(max.min(chars as usize));
    let mut styles = Styles {
        text,
        sheet,
        last: None,
    };
    let mut follows_blank = false;
    let mut high_half = None;
    for index in 0..chars {
        let Some(c) = whole(text.code(index), &mut high_half) else {
            continue;
        };
        let letter = letters::letter(c);
        if letter == Letter::Blank {
            follows_blank = true;
            continue;
        }
        counts.seen += 1;
        counts.guessed += usize::from(text.is_guess(index));
        counts.untold += usize::from(letters::is_untold(c));
        let style = styles.of(index);
        if let Some((extent, origin)) = place(text, index, &style) {
            let found = Found {
                c,
                follows_blank,
                style,
                extent,
                origin,
            };
            add(&mut all, letter, found);
        }
        follows_blank = false;
        if all.len() > max {
            return None;
        }
    }
    Some(all)
}

impl Styles<'_> {
    fn of(&mut self, index: u32) -> Style {
        let object = self.text.object(index);
        match self.last {
            Some((last, style)) if object == Some(last) => style,
            _ => {
                let style = Style::new(self.text.style(index), self.sheet);
                self.last = object.map(|object| (object, style));
                style
            }
        }
    }
}

impl Style {
    fn new(raw: RawStyle, sheet: &Sheet) -> Self {
        let matrix = if raw.font_size < 0.0 {
            raw.matrix.map(|number| -number)
        } else {
            raw.matrix
        };
        let [a, b, c, d] = matrix;
        let size = raw.font_size.abs() * c.hypot(d);
        Self {
            matrix,
            size: is_sound(size).then_some(size),
            direction: sheet.direction(matrix),
            is_upright: a > 0.0 && d > 0.0 && b.abs() <= UPRIGHT * a && c.abs() <= d,
        }
    }
}

fn is_sound(size: f32) -> bool {
    size.is_finite() && size > f32::EPSILON
}

/// Joins the halves of surrogate pairs. A half without its other half is no character.
fn whole(code: u32, high_half: &mut Option<u32>) -> Option<char> {
    match (code, high_half.take()) {
        (0xD800..0xDC00, _) => {
            *high_half = Some(code - 0xD800);
            None
        }
        (0xDC00..0xE000, Some(high)) => char::from_u32(0x1_0000 + (high << 10) + (code - 0xDC00)),
        _ => char::from_u32(code),
    }
}

/// Adds a character's letters; all but the first follow without a blank.
fn add(all: &mut Vec<Found>, letter: Letter, found: Found) {
    match letter {
        Letter::None | Letter::Blank => {}
        Letter::Hyphen if found.extent.right <= found.extent.left => {}
        Letter::Hyphen => all.push(Found { c: '-', ..found }),
        Letter::One(c) => all.push(Found { c, ..found }),
        Letter::Many(letters) => {
            let mut follows_blank = found.follows_blank;
            for c in letters.chars() {
                all.push(Found {
                    c,
                    follows_blank,
                    ..found
                });
                follows_blank = false;
            }
        }
    }
}

/// The box of a character and where it stands on its line. Text that runs from left to right in the page's own space has loose boxes,
/// which are equally high on a line.
fn place(text: &TextPage<'_>, index: u32, style: &Style) -> Option<(Extent, (f32, f32))> {
    let origin = text.origin(index)?;
    if style.is_upright
        && let Some(loose) = text.loose_box(index)
    {
        let (size, height) = (style.size.unwrap_or(SIZE), loose.top - loose.bottom);
        if loose.right > loose.left && LOOSE.contains(&(height / size)) {
            return Some((loose, origin));
        }
    }
    text.tight_box(index).map(|tight| (tight, origin))
}

/// Characters that share a box, such as the letters of a ligature, get equal parts of the box.
fn share_boxes(found: &mut [Found]) {
    for sharers in found.chunk_by_mut(|a, b| a.extent == b.extent && !b.follows_blank) {
        let parts = sharers.len() as f32;
        if sharers.len() < 2 {
            continue;
        }
        let is_reversed = sharers
            .iter()
            .any(|sharer| letters::way(sharer.c) == letters::Way::RightToLeft);
        for (index, sharer) in sharers.iter_mut().enumerate() {
            let part = if is_reversed {
                parts - 1.0 - index as f32
            } else {
                index as f32
            };
            sharer.extent = part_of(sharer.extent, sharer.style.matrix, part / parts, (part + 1.0) / parts);
        }
    }
}

fn part_of(whole: Extent, matrix: [f32; 4], from: f32, to: f32) -> Extent {
    let [a, b, ..] = matrix;
    let (width, height) = (whole.right - whole.left, whole.top - whole.bottom);
    let mut part = whole;
    if a.abs() >= b.abs() {
        let (from, to) = if a < 0.0 { (1.0 - to, 1.0 - from) } else { (from, to) };
        part.left = whole.left + width * from;
        part.right = whole.left + width * to;
    } else {
        let (from, to) = if b < 0.0 { (1.0 - to, 1.0 - from) } else { (from, to) };
        part.bottom = whole.bottom + height * from;
        part.top = whole.bottom + height * to;
    }
    part
}

/// A character in the frame of its direction; `None` outside of what the page shows.
fn placed(found: &Found, sheet: &Sheet) -> Option<Glyph> {
    let shown = sheet.area(found.extent);
    if !sheet.shows(shown) {
        return None;
    }
    let height = shown.bottom - shown.top;
    let of_box = if is_sound(height) { height } else { SIZE };
    let size = found.style.size.unwrap_or(of_box);
    let direction = found.style.direction;
    let (_, base) = direction.turn(sheet.point(found.origin.0, found.origin.1));
    let mut area = direction.turn_area(shown, size);
    let base = if base.is_finite() { base } else { area.bottom };
    let is_low = area.bottom - area.top < LOOSE.start * size;
    if direction.is_straight() && (is_low || direction != Direction::UPRIGHT) {
        area.top = area.top.min(base - ASCENT * size);
        area.bottom = area.bottom.max(base + DESCENT * size);
    }
    let shown = direction.turn_back(area).unwrap_or(shown);
    Some(Glyph {
        c: found.c,
        follows_blank: found.follows_blank,
        direction,
        area,
        base,
        size,
        shown: sheet.steps(shown),
    })
}
