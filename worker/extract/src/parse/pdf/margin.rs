//! Finds the numbers of lines that pleadings and transcripts have in the margin, so that they do not stand within sentences.

use super::cuts::Leaf;
use super::glyphs::Glyph;
use super::group::Group;
use super::pieces::Piece;

/// Fewest numbers of lines on a page: a pleading has 25 to 28, a table's rows are counted too but seldom reach this.
const NUMBERS_MIN: usize = 8;
/// Most digits of such a number.
const DIGITS_MAX: usize = 4;
/// Numbers of one column end or begin within so many heights of the font.
const ALIGNED_MAX: f32 = 0.6;
/// Numbers stand equally far apart, within this part of their distance.
const PITCH_TOLERANCE: f32 = 0.15;
/// Largest step from a number to the next: some texts number every fifth line.
const STEP_MAX: u32 = 5;

/// A number that may count a line.
#[derive(Debug, Clone, Copy)]
struct Number {
    index: u32,
    value: u32,
    left: f32,
    right: f32,
    base: f32,
    size: f32,
}

/// Takes the numbers of lines out of these pieces.
pub fn take_line_numbers(glyphs: &[Glyph], pieces: &[Piece], indices: &mut Vec<u32>) -> Leaf {
    let numbers = numbers(glyphs, pieces, indices);
    if numbers.len() < NUMBERS_MIN {
        return Leaf::default();
    }
    let first_at_left = numbers.iter().copied().min_by(|a, b| a.right.total_cmp(&b.right));
    let last_at_right = numbers.iter().copied().max_by(|a, b| a.left.total_cmp(&b.left));
    for (edge, is_left) in [(first_at_left, true), (last_at_right, false)] {
        let Some(edge) = edge else { continue };
        let column = column(&numbers, edge, is_left);
        if counts_lines(&column) && stands_alone(pieces, indices, &column, is_left) {
            let mut taken: Vec<u32> = column.iter().map(|number| number.index).collect();
            taken.sort_unstable();
            indices.retain(|index| taken.binary_search(index).is_err());
            return Leaf {
                groups: vec![Group {
                    bands: vec![taken],
                    gaps: Vec::new(),
                }],
            };
        }
    }
    Leaf::default()
}

fn numbers(glyphs: &[Glyph], pieces: &[Piece], indices: &[u32]) -> Vec<Number> {
    let number = |&index: &u32| {
        let piece = pieces.get(index as usize)?;
        let digits = glyphs.get(piece.start as usize..piece.end as usize)?;
        if digits.len() > DIGITS_MAX {
            return None;
        }
        let value = digits
            .iter()
            .try_fold(0_u32, |value, digit| Some(value * 10 + digit.c.to_digit(10)?))?;
        Some(Number {
            index,
            value,
            left: piece.area.left,
            right: piece.area.right,
            base: piece.base,
            size: piece.size,
        })
    };
    indices.iter().filter_map(number).collect()
}

/// The numbers below and above an outermost one, from top to bottom. Numbers end at one place, or begin at one.
fn column(numbers: &[Number], edge: Number, is_left: bool) -> Vec<Number> {
    let slack = ALIGNED_MAX * edge.size;
    let mut column: Vec<Number> = numbers
        .iter()
        .copied()
        .filter(|number| {
            let is_at_left = is_left && (number.left - edge.left).abs() <= slack + edge.size;
            let is_at_right = (number.right - edge.right).abs() <= slack || (number.left - edge.left).abs() <= slack;
            is_at_left || is_at_right
        })
        .collect();
    column.sort_by(|a, b| a.base.total_cmp(&b.base));
    column
}

/// Whether numbers ascend in equal steps and stand equally far apart.
fn counts_lines(column: &[Number]) -> bool {
    let [first, second, ..] = column else { return false };
    let step = second.value.saturating_sub(first.value);
    let pitch = second.base - first.base;
    let is_even = |pair: &[Number]| match pair {
        [number, next] => {
            let is_next = number.value.checked_add(step) == Some(next.value);
            is_next && ((next.base - number.base) - pitch).abs() <= PITCH_TOLERANCE * pitch
        }
        _ => true,
    };
    column.len() >= NUMBERS_MIN
        && (1..=STEP_MAX).contains(&step)
        && pitch >= first.size * 0.9
        && column.windows(2).all(is_even)
}

/// Whether a column stands in the margin: nothing else stands between the column and the page's edge, and the text beside reaches
/// over most of the column's height.
fn stands_alone(pieces: &[Piece], indices: &[u32], column: &[Number], is_left: bool) -> bool {
    let (mut left, mut right) = (f32::INFINITY, f32::NEG_INFINITY);
    for number in column {
        left = left.min(number.left);
        right = right.max(number.right);
    }
    let (Some(first), Some(last)) = (column.first(), column.last()) else {
        return false;
    };
    let is_beside = |piece: &Piece| (first.base - first.size..=last.base + last.size).contains(&piece.base);
    let beside = indices
        .iter()
        .filter_map(|&index| pieces.get(index as usize))
        .filter(|piece| is_beside(piece));
    let in_margin = |piece: &Piece| {
        if is_left {
            piece.area.left <= right
        } else {
            piece.area.right >= left
        }
    };
    beside.filter(|piece| in_margin(piece)).count() == column.len()
}
