//! Tells columns of text from the columns of a table.

use super::group::{Gap, Group};
use super::pieces::Piece;

/// Fewest lines of a column of text.
const LINES_MIN: usize = 3;
/// So many lines of text are a column whatever stands beside, if nothing there stands level.
const LINES_MANY: usize = 6;
/// Fewest lines of a paragraph that makes a column: cells of tables have fewer.
const PARAGRAPH_LINES_MIN: usize = 5;
/// Least part of the column that each line of such a paragraph fills.
const FULL_MIN: f32 = 0.8;
/// Fewest characters of a line of text, on average: a narrow column of a newspaper has 25, a cell of a table fewer.
const LINE_CHARS_MIN: f32 = 20.0;
/// Least part of its column that a line of text fills, on average.
const FILL_MIN: f32 = 0.6;
/// Lines of two columns stand level if they differ by less, in parts of the font's height.
const LEVEL_MAX: f32 = 0.2;
/// Lines of a block follow each other in at most this many heights of the font.
const PITCH_MAX: f32 = 1.9;
/// Largest part of a column's lines that may stand level with lines beside them where short lines are to be columns.
const LEVEL_PART_MAX: f32 = 0.5;
/// Least part of a column's lines that follow each other closely where short lines are to be columns.
const DENSE_PART_MIN: f32 = 0.6;

/// A line of one column.
#[derive(Debug, Clone, Copy)]
struct ColumnLine {
    left: f32,
    right: f32,
    /// Width of what is written: without wide gaps.
    written: f32,
    base: f32,
    size: f32,
    chars: usize,
}

/// What the lines of a column tell.
#[derive(Debug)]
struct Column {
    lines: Vec<ColumnLine>,
}

/// The usual height of the fonts: the median over the pieces.
pub fn usual_size(pieces: &[Piece], indices: &[u32]) -> f32 {
    let mut sizes: Vec<f32> = indices
        .iter()
        .filter_map(|&index| pieces.get(index as usize))
        .map(|piece| piece.size)
        .collect();
    let middle = sizes.len() / 2;
    if middle >= sizes.len() {
        return 0.0;
    }
    *sizes.select_nth_unstable_by(middle, f32::total_cmp).1
}

/// Cuts the pieces of a group at its gaps, from left to right.
pub fn cut(pieces: &[Piece], group: &Group) -> Vec<Vec<u32>> {
    cut_at(pieces, group, &group.gaps)
}

fn cut_at(pieces: &[Piece], group: &Group, gaps: &[Gap]) -> Vec<Vec<u32>> {
    let mut columns = vec![Vec::new(); gaps.len() + 1];
    for index in group.pieces() {
        let Some(piece) = pieces.get(index as usize) else {
            continue;
        };
        let column = gaps.partition_point(|gap| gap.middle() <= piece.area.left);
        if let Some(column) = columns.get_mut(column) {
            column.push(index);
        }
    }
    columns
}

/// The gaps between columns of text; `None` where a group is a table, or single lines. Each part is prose, or has a paragraph of prose;
/// or the lines do not stand level with those beside, as a table's do, and follow closely in each part, or are much prose in one. If
/// not all gaps are such, the widest may be.
pub fn gaps_of_columns(pieces: &[Piece], group: &Group) -> Option<Vec<Gap>> {
    if group.gaps.is_empty() {
        return None;
    }
    let columns = columns(pieces, group);
    if columns.iter().all(|column| column.is_prose() || column.has_paragraph()) || are_apart(&columns) {
        return Some(group.gaps.clone());
    }
    let widest = *group.gaps.iter().max_by(|a, b| a.width().total_cmp(&b.width()))?;
    let halves = cut_at(pieces, group, &[widest]);
    are_halves(&Column::all(pieces, &halves)).then(|| vec![widest])
}

fn columns(pieces: &[Piece], group: &Group) -> Vec<Column> {
    Column::all(pieces, &cut(pieces, group))
}

/// Whether two parts have many lines of text that do not stand level.
fn are_halves(halves: &[Column]) -> bool {
    let [left, right] = halves else { return false };
    let has_text = |half: &Column| half.lines.len() >= LINES_MANY && half.has_long_lines();
    has_text(left) && has_text(right) && level_part(left, right) < LEVEL_PART_MAX
}

fn are_apart(columns: &[Column]) -> bool {
    (columns.iter().all(Column::is_dense) || columns.iter().any(Column::is_much_prose))
        && columns.windows(2).all(|pair| match pair {
            [left, right] => level_part(left, right) < LEVEL_PART_MAX,
            _ => true,
        })
}

/// The part of the shorter column's lines that stand level with a line of the other.
fn level_part(a: &Column, b: &Column) -> f32 {
    let (mut at_a, mut at_b, mut level) = (0, 0, 0_usize);
    while let (Some(one), Some(other)) = (a.lines.get(at_a), b.lines.get(at_b)) {
        let tolerance = LEVEL_MAX * one.size.max(other.size);
        if (one.base - other.base).abs() <= tolerance {
            level += 1;
            at_a += 1;
            at_b += 1;
        } else if one.base < other.base {
            at_a += 1;
        } else {
            at_b += 1;
        }
    }
    level as f32 / a.lines.len().min(b.lines.len()).max(1) as f32
}

impl Column {
    fn all(pieces: &[Piece], columns: &[Vec<u32>]) -> Vec<Self> {
        columns.iter().map(|indices| Self::new(pieces, indices)).collect()
    }

    fn new(pieces: &[Piece], indices: &[u32]) -> Self {
        let mut pieces: Vec<&Piece> = indices.iter().filter_map(|&index| pieces.get(index as usize)).collect();
        pieces.sort_by(|a, b| a.base.total_cmp(&b.base));
        let mut lines: Vec<ColumnLine> = Vec::new();
        for piece in pieces {
            match lines.last_mut() {
                Some(line) if piece.base - line.base <= LEVEL_MAX * 2.0 * line.size.max(piece.size) => line.add(piece),
                _ => lines.push(ColumnLine::new(piece)),
            }
        }
        Self { lines }
    }

    fn width(&self) -> f32 {
        let left = self.lines.iter().map(|line| line.left).fold(f32::INFINITY, f32::min);
        let right = self
            .lines
            .iter()
            .map(|line| line.right)
            .fold(f32::NEG_INFINITY, f32::max);
        right - left
    }

    fn has_long_lines(&self) -> bool {
        let chars: usize = self.lines.iter().map(|line| line.chars).sum();
        chars as f32 >= LINE_CHARS_MIN * self.lines.len() as f32
    }

    fn is_prose(&self) -> bool {
        let count = self.lines.len();
        let written: f32 = self.lines.iter().map(|line| line.written).sum();
        count >= LINES_MIN && self.has_long_lines() && written >= FILL_MIN * self.width() * count as f32
    }

    /// Whether some lines that follow each other closely reach over the whole column.
    fn has_paragraph(&self) -> bool {
        let (width, mut run) = (self.width(), 0);
        let mut last: Option<&ColumnLine> = None;
        self.lines.iter().any(|line| {
            let is_full = line.written >= FULL_MIN * width && line.chars as f32 >= LINE_CHARS_MIN;
            let follows = last.is_some_and(|last| line.follows(last));
            run = match (is_full, follows) {
                (true, true) => run + 1,
                (true, false) => 1,
                (false, _) => 0,
            };
            last = Some(line);
            run >= PARAGRAPH_LINES_MIN
        })
    }

    fn is_much_prose(&self) -> bool {
        self.lines.len() >= LINES_MANY && self.is_prose() && self.is_dense()
    }

    fn is_dense(&self) -> bool {
        let steps = self.lines.len().saturating_sub(1);
        let close = self.lines.windows(2).filter(|pair| match pair {
            [line, next] => next.follows(line),
            _ => false,
        });
        steps > 0 && close.count() as f32 >= DENSE_PART_MIN * steps as f32
    }
}

impl ColumnLine {
    fn new(piece: &Piece) -> Self {
        Self {
            left: piece.area.left,
            right: piece.area.right,
            written: piece.area.right - piece.area.left,
            base: piece.base,
            size: piece.size,
            chars: piece.chars(),
        }
    }

    /// Whether the line follows another closely.
    fn follows(&self, last: &Self) -> bool {
        self.base - last.base <= PITCH_MAX * self.size.max(last.size)
    }

    fn add(&mut self, piece: &Piece) {
        self.left = self.left.min(piece.area.left);
        self.right = self.right.max(piece.area.right);
        self.written += piece.area.right - piece.area.left;
        self.size = self.size.max(piece.size);
        self.chars += piece.chars();
    }
}
