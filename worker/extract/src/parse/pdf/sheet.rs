//! The page as shown, and the directions in which text runs over it.
//!
//! pdfium measures in the page's own space: unturned, the y axis up, and blind to the crop box. Here a page has its origin at the
//! top left corner of what is shown, and the y axis points down.

use docket_contract::text_map::{CharBox, Page};

use super::library::{Extent, PageHandle};

/// Longest side of a page that is believed, in points: PDF's own limit is 14,400, at up to 75,000 times that for maps.
const SIDE_MAX: f32 = 1.0e7;
/// Size of a page whose size cannot be told: US Letter, PDF's default.
const DEFAULT: Extent = Extent {
    left: 0.0,
    bottom: 0.0,
    right: 612.0,
    top: 792.0,
};

/// The part of a page that is shown, and how it is turned.
#[derive(Debug, Clone, Copy)]
pub struct Sheet {
    shown: Extent,
    quarter_turns: u8,
    step: f32,
}

/// A rectangle on the page as shown, in points.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Area {
    /// Left edge.
    pub left: f32,
    /// Upper edge.
    pub top: f32,
    /// Right edge.
    pub right: f32,
    /// Lower edge.
    pub bottom: f32,
}

impl Area {
    /// Grows to hold another area.
    pub fn include(&mut self, other: Self) {
        self.left = self.left.min(other.left);
        self.top = self.top.min(other.top);
        self.right = self.right.max(other.right);
        self.bottom = self.bottom.max(other.bottom);
    }
}

impl Default for Sheet {
    /// The sheet of a page that cannot be opened.
    fn default() -> Self {
        Self::new(None, 0)
    }
}

impl Sheet {
    /// The sheet of a page of this width and height.
    pub fn of_size((right, top): (f32, f32)) -> Self {
        let shown = Extent {
            right,
            top,
            ..Extent::default()
        };
        Self::new(Some(shown), 0)
    }

    /// The sheet of an open page.
    pub fn of(page: &PageHandle<'_>) -> Self {
        Self::new(page.shown(), page.quarter_turns())
    }

    /// The sheet of a page that shows this part of itself, turned clockwise.
    fn new(shown: Option<Extent>, quarter_turns: u8) -> Self {
        let is_sound = |side: f32| side > 0.0 && side < SIDE_MAX;
        let shown = shown
            .filter(|shown| is_sound(shown.right - shown.left) && is_sound(shown.top - shown.bottom))
            .unwrap_or(DEFAULT);
        let mut sheet = Self {
            shown,
            quarter_turns,
            step: 1.0,
        };
        sheet.step = Page::step(sheet.width(), sheet.height());
        sheet
    }

    /// Width as shown, in points.
    pub fn width(&self) -> f32 {
        if self.quarter_turns.is_multiple_of(2) {
            self.shown.right - self.shown.left
        } else {
            self.shown.top - self.shown.bottom
        }
    }

    /// Height as shown, in points.
    pub fn height(&self) -> f32 {
        if self.quarter_turns.is_multiple_of(2) {
            self.shown.top - self.shown.bottom
        } else {
            self.shown.right - self.shown.left
        }
    }

    /// A point of the page's own space as shown.
    pub fn point(&self, x: f32, y: f32) -> (f32, f32) {
        match self.quarter_turns {
            0 => (x - self.shown.left, self.shown.top - y),
            1 => (y - self.shown.bottom, x - self.shown.left),
            2 => (self.shown.right - x, y - self.shown.bottom),
            _ => (self.shown.top - y, self.shown.right - x),
        }
    }

    /// A rectangle of the page's own space as shown.
    pub fn area(&self, extent: Extent) -> Area {
        let (x, y) = self.point(extent.left, extent.bottom);
        let (other_x, other_y) = self.point(extent.right, extent.top);
        Area {
            left: x.min(other_x),
            top: y.min(other_y),
            right: x.max(other_x),
            bottom: y.max(other_y),
        }
    }

    /// Whether some of an area is shown. Areas without a number are not.
    pub fn shows(&self, area: Area) -> bool {
        area.right > 0.0 && area.bottom > 0.0 && area.left < self.width() && area.top < self.height()
    }

    /// The direction, as shown, of text whose matrix is this.
    pub fn direction(&self, matrix: [f32; 4]) -> Direction {
        let [along_x, along_y, ..] = matrix;
        let (x, y) = match self.quarter_turns {
            0 => (along_x, -along_y),
            1 => (along_y, along_x),
            2 => (-along_x, along_y),
            _ => (-along_y, -along_x),
        };
        Direction::of(x, y)
    }

    /// An area in the steps of the map, cut at the page's edges.
    pub fn steps(&self, area: Area) -> CharBox {
        let at = |value: f32, max: f32| rounded(value.clamp(0.0, max) / self.step);
        CharBox {
            left: at(area.left, self.width()),
            top: at(area.top, self.height()),
            right: at(area.right, self.width()),
            bottom: at(area.bottom, self.height()),
        }
    }
}

/// A number that is not negative, rounded. The casts saturate, and turn what is no number into 0. `f32::round` is a call on processors
/// without SSE 4.1, for which we compile.
fn rounded(number: f32) -> i16 {
    let whole = number as i16;
    whole.saturating_add(i16::from(number - f32::from(whole) >= 0.5))
}

/// A direction in which text runs on the page as shown, in steps of five degrees, clockwise; 0 is upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Direction(u8);

/// Degrees of a step of directions. Text of one line differs by less, and a page has few directions.
const DEGREES: f32 = 5.0;
/// Steps of a quarter turn.
const QUARTER: u8 = 18;
/// Tangent of 7.5 degrees: text that is less askew counts as straight, as the text of scans is.
const STRAIGHT: f32 = 0.1317;

impl Direction {
    /// Text that runs from left to right.
    pub const UPRIGHT: Self = Self(0);
    /// Text whose lines run from top to bottom.
    pub const DOWN: Self = Self(QUARTER);

    /// Text whose direction is so many quarter turns, clockwise, from upright.
    pub fn quarter(turns: u8) -> Self {
        Self(turns % 4 * QUARTER)
    }

    fn of(x: f32, y: f32) -> Self {
        if y.abs() <= STRAIGHT * x.abs() {
            return Self(if x < 0.0 { 2 * QUARTER } else { 0 });
        }
        if x.abs() <= STRAIGHT * y.abs() {
            return Self(if y < 0.0 { 3 * QUARTER } else { QUARTER });
        }
        let degrees = y.atan2(x).to_degrees().rem_euclid(360.0);
        Self((degrees / DEGREES).round() as u8 % (4 * QUARTER))
    }

    /// Whether lines of text are parallel to an edge of the page.
    pub fn is_straight(self) -> bool {
        self.0.is_multiple_of(QUARTER)
    }

    /// A point in the frame in which this text is upright: how far along its lines, and how far down over its lines.
    pub fn turn(self, (x, y): (f32, f32)) -> (f32, f32) {
        match self.0 {
            0 => (x, y),
            QUARTER => (y, -x),
            36 => (-x, -y),
            54 => (-y, x),
            steps => {
                let (sine, cosine) = (f32::from(steps) * DEGREES).to_radians().sin_cos();
                (x * cosine + y * sine, y * cosine - x * sine)
            }
        }
    }

    /// The area on the page of an area in the frame; `None` for text that is askew.
    pub fn turn_back(self, area: Area) -> Option<Area> {
        let back = Self((4 * QUARTER - self.0) % (4 * QUARTER));
        self.is_straight().then(|| back.turn_area(area, 0.0))
    }

    /// An area in that frame. Of text that is askew only the middle is kept, with a square of this size around.
    pub fn turn_area(self, area: Area, size: f32) -> Area {
        if self == Self::UPRIGHT {
            return area;
        }
        if self.is_straight() {
            let (x, y) = self.turn((area.left, area.top));
            let (other_x, other_y) = self.turn((area.right, area.bottom));
            return Area {
                left: x.min(other_x),
                top: y.min(other_y),
                right: x.max(other_x),
                bottom: y.max(other_y),
            };
        }
        let middle = (
            f32::midpoint(area.left, area.right),
            f32::midpoint(area.top, area.bottom),
        );
        let (x, y) = self.turn(middle);
        let half = size / 4.0;
        Area {
            left: x - half,
            top: y - 2.0 * half,
            right: x + half,
            bottom: y + half,
        }
    }
}
