//! Characters of a page -> the rectangles that mark them, one a line.

use std::ops::Range;

use super::{CharBox, Page, Rectangle};

/// Most rectangles that mark one entity: an entity of more lines is marked by its first ones.
const RECTANGLES_MAX: usize = 32;

impl Page {
    /// The rectangles of some of the text's characters, one for each line that they stand in, in reading order. None for
    /// characters of another page, or without boxes.
    pub fn rectangles(&self, chars: Range<u32>) -> Vec<Rectangle> {
        let from = chars.start.saturating_sub(self.chars.start) as usize;
        let to = chars.end.saturating_sub(self.chars.start) as usize;
        let boxes = self.boxes.get(from..to.min(self.boxes.len())).unwrap_or_default();
        let mut lines: Vec<CharBox> = Vec::new();
        for shape in boxes.iter().filter(|shape| !shape.is_empty()) {
            let full = lines.len() == RECTANGLES_MAX;
            match lines.last_mut() {
                Some(line) if line.is_continued_by(shape) => line.stretch(shape),
                Some(_) | None if full => break,
                Some(_) | None => lines.push(*shape),
            }
        }
        let step = Self::step(self.width, self.height);
        lines.iter().map(|line| line.in_points(step)).collect()
    }
}

impl CharBox {
    /// Whether the box has no area, so that nothing is to be marked.
    pub fn is_empty(&self) -> bool {
        self.right <= self.left || self.bottom <= self.top
    }

    /// Whether a character stands in the same line, horizontal or vertical, as those before.
    fn is_continued_by(&self, next: &Self) -> bool {
        let shared = |a: (i16, i16), b: (i16, i16)| i32::from(a.1.min(b.1)) - i32::from(a.0.max(b.0));
        let size = |range: (i16, i16)| i32::from(range.1) - i32::from(range.0);
        let rows = [(self.top, self.bottom), (next.top, next.bottom)];
        let columns = [(self.left, self.right), (next.left, next.right)];
        let (high, wide) = (size(rows[1]), size(columns[1]));
        // Half of the character's own size is shared, and the gap along the line is less than three characters'.
        let beside = 2 * shared(rows[0], rows[1]) >= high && -shared(columns[0], columns[1]) <= 3 * high.max(wide);
        let below = 2 * shared(columns[0], columns[1]) >= wide && -shared(rows[0], rows[1]) <= high.max(wide) / 4;
        beside || (below && size(columns[0]) <= 2 * wide.max(high))
    }

    fn stretch(&mut self, other: &Self) {
        *self = Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        };
    }

    fn in_points(self, step: f32) -> Rectangle {
        // Tenths of a point on most pages: a product of floats would show as 72.100006.
        let points = |steps: i16| (f32::from(steps) * step * 10.0).round() / 10.0;
        Rectangle {
            left: points(self.left),
            top: points(self.top),
            right: points(self.right),
            bottom: points(self.bottom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text_map::Reading;

    fn page(boxes: Vec<CharBox>) -> Page {
        let chars = u32::try_from(boxes.len()).unwrap();
        Page {
            number: 1,
            bytes: 100..100 + chars,
            chars: 90..90 + chars,
            width: 612.0,
            height: 792.0,
            reading: Reading::Text,
            confidence: None,
            boxes,
        }
    }

    fn at(left: i16, top: i16) -> CharBox {
        CharBox {
            left,
            top,
            right: left + 50,
            bottom: top + 100,
        }
    }

    #[test]
    fn each_line_has_a_rectangle() {
        let page = page(vec![
            at(5_000, 720),
            at(5_050, 720),
            CharBox::default(),
            at(720, 860),
            at(770, 860),
        ]);
        let rectangle = |left, top, right, bottom| Rectangle {
            left,
            top,
            right,
            bottom,
        };
        assert_eq!(
            page.rectangles(90..95),
            [rectangle(500.0, 72.0, 510.0, 82.0), rectangle(72.0, 86.0, 82.0, 96.0)]
        );
        assert_eq!(page.rectangles(91..92), [rectangle(505.0, 72.0, 510.0, 82.0)]);
        assert_eq!(page.rectangles(92..93), []);
        assert_eq!(page.rectangles(0..10), []);
        assert_eq!(page.rectangles(95..99), []);
    }

    #[test]
    fn letters_below_one_another_are_one_line_of_a_vertical_text() {
        let vertical: Vec<CharBox> = (0..4)
            .map(|at| CharBox {
                left: 100,
                top: at * 60,
                right: 200,
                bottom: at * 60 + 55,
            })
            .collect();
        assert_eq!(page(vertical).rectangles(90..94).len(), 1);
    }

    #[test]
    fn an_entity_of_very_many_lines_is_marked_by_its_first() {
        let lines = (0..100).map(|line| at(720, line * 140)).collect();
        assert_eq!(page(lines).rectangles(90..190).len(), RECTANGLES_MAX);
    }
}
