//! Puts the pieces of a part of the page on lines, and the lines into blocks.

use super::columns;
use super::cuts::Leaf;
use super::group::{Gap, Group};
use super::letters::Way;
use super::pieces::Piece;
use super::sheet::Area;

/// Pieces stand on one line if their cores overlap by this part of the lower core: raised marks of notes overlap by half or more.
const OVERLAP_MIN: f32 = 0.4;
/// A gap this wide stands between two columns, in parts of the fonts' height: stretched lines have blanks of 1.2 at most.
const COLUMN_GAP: f32 = 1.6;
/// A gap that so many lines leave free stands between columns too, if it is wide enough.
const TABLE_LINES_MIN: usize = 3;
/// How wide such a gap is at least, in parts of the fonts' height.
const TABLE_GAP_MIN: f32 = 0.8;
/// A new block begins where lines are further apart than usual by this factor.
const PITCH_FACTOR: f32 = 1.3;
/// Lines further apart than this belong to two blocks, in parts of the font's height, whatever is usual.
const PITCH_MAX: f32 = 2.4;
/// A new block begins where fonts differ by this factor: headings do.
const SIZE_FACTOR: f32 = 1.15;
/// The first line of a paragraph is indented by so much, in parts of the font's height.
const INDENT: std::ops::Range<f32> = 0.8..5.0;

/// Pieces of one line, in the order in which they are read.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Indices of the pieces, each with what stands before.
    pub pieces: Vec<(u32, Space)>,
    /// The area of all pieces.
    pub area: Area,
    /// Where the line stands.
    pub base: f32,
    /// Height of the largest font.
    pub size: f32,
    /// Whether most letters run from right to left.
    pub from_right: bool,
    /// Whether a block begins here.
    pub begins: bool,
}

/// What stands between two pieces of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Space {
    /// The pieces are near each other: what the page draws decides.
    Near,
    /// A gap between columns.
    Column,
}

/// The lines of a leaf, from top to bottom.
pub fn rows(pieces: &[Piece], leaf: &Leaf) -> Vec<Row> {
    let mut rows: Vec<Row> = leaf
        .groups
        .iter()
        .flat_map(|group| rows_of_group(pieces, group))
        .collect();
    mark_blocks(&mut rows);
    rows
}

fn rows_of_group(pieces: &[Piece], group: &Group) -> Vec<Row> {
    let mut on_rows: Vec<(Vec<u32>, u32)> = Vec::new();
    let piece = |index: u32| pieces.get(index as usize);
    let base = |index: &u32| piece(*index).map_or(0.0, |piece| piece.base);
    let mut indices: Vec<u32> = group.pieces().collect();
    indices.sort_by(|a, b| base(a).total_cmp(&base(b)));
    for &index in &indices {
        let Some(new) = piece(index) else { continue };
        match on_rows.last_mut() {
            Some((row, largest)) if piece(*largest).is_some_and(|largest| share_a_line(largest, new)) => {
                row.push(index);
                if piece(*largest).is_none_or(|largest| new.size > largest.size) {
                    *largest = index;
                }
            }
            _ => on_rows.push((vec![index], index)),
        }
    }
    let gap_min = TABLE_GAP_MIN * columns::usual_size(pieces, &indices);
    let is_table = on_rows.len() >= TABLE_LINES_MIN;
    let mut gaps = group.gaps.clone();
    gaps.retain(|gap| is_table && gap.width() >= gap_min);
    let ordered = on_rows.into_iter().map(|(row, _)| order(pieces, row));
    ordered
        .filter_map(|(row, from_right)| Row::new(pieces, (&row, from_right), &gaps))
        .collect()
}

fn share_a_line(a: &Piece, b: &Piece) -> bool {
    let overlap = a.base.min(b.base) - a.core_top().max(b.core_top());
    let lower = (a.base - a.core_top()).min(b.base - b.core_top());
    overlap >= OVERLAP_MIN * lower
}

/// The pieces of a line as they are read: from left to right, or from right to left where most letters run so. What runs the other
/// way is turned. Says too whether most letters run from right to left.
fn order(pieces: &[Piece], mut row: Vec<u32>) -> (Vec<u32>, bool) {
    let piece = |index: u32| pieces.get(index as usize);
    let way = |index: u32| piece(index).map_or(Way::Either, |piece| piece.way);
    let left = |index: &u32| piece(*index).map_or(0.0, |piece| piece.area.left);
    row.sort_by(|a, b| left(a).total_cmp(&left(b)));
    let letters = |wanted: Way| -> usize {
        let of_way = row
            .iter()
            .filter_map(|&index| piece(index))
            .filter(|piece| piece.way == wanted);
        of_way.map(Piece::chars).sum()
    };
    let to_left = letters(Way::RightToLeft);
    if to_left == 0 {
        return (row, false);
    }
    let (base, other) = if to_left > letters(Way::LeftToRight) {
        row.reverse();
        (Way::RightToLeft, Way::LeftToRight)
    } else {
        (Way::LeftToRight, Way::RightToLeft)
    };
    for same in row.chunk_by_mut(|a, b| (way(*a) == base) == (way(*b) == base)) {
        if same.iter().any(|&index| way(index) == other) {
            same.reverse();
        }
    }
    (row, base == Way::RightToLeft)
}

impl Row {
    fn new(pieces: &[Piece], (row, from_right): (&[u32], bool), gaps: &[Gap]) -> Option<Self> {
        let first = pieces.get(*row.first()? as usize)?;
        let mut new = Self {
            pieces: Vec::with_capacity(row.len()),
            area: first.area,
            base: first.base,
            size: first.size,
            from_right,
            begins: false,
        };
        let mut last: Option<&Piece> = None;
        for &index in row {
            let Some(piece) = pieces.get(index as usize) else {
                continue;
            };
            let space = last.map_or(Space::Near, |last| space(last, piece, gaps));
            new.pieces.push((index, space));
            new.area.include(piece.area);
            if piece.size > new.size {
                (new.size, new.base) = (piece.size, piece.base);
            }
            last = Some(piece);
        }
        Some(new)
    }
}

/// What stands between neighbours on a line.
fn space(a: &Piece, b: &Piece, gaps: &[Gap]) -> Space {
    let (left, right) = if a.area.left <= b.area.left { (a, b) } else { (b, a) };
    let width = right.area.left - left.area.right;
    let first = gaps.partition_point(|gap| gap.left < left.area.right);
    let spans_a_gap = gaps.get(first).is_some_and(|gap| gap.right <= right.area.left);
    if spans_a_gap || width >= COLUMN_GAP * a.size.max(b.size) {
        Space::Column
    } else {
        Space::Near
    }
}

/// Marks the lines that begin a block: after more space than usual, with another font, or indented.
fn mark_blocks(rows: &mut [Row]) {
    let usual = usual_pitch(rows);
    let mut begins = vec![true];
    begins.extend(rows.windows(2).map(|pair| match pair {
        [row, next] => are_apart(row, next, usual),
        _ => false,
    }));
    for (at, three) in rows.windows(3).enumerate() {
        let [before, row, after] = three else { continue };
        if is_indented(before, row, after)
            && let Some(begins) = begins.get_mut(at + 1)
        {
            *begins = true;
        }
    }
    for (row, begins) in rows.iter_mut().zip(begins) {
        row.begins = begins;
    }
}

/// The usual distance of two lines: the median.
fn usual_pitch(rows: &[Row]) -> f32 {
    let mut pitches: Vec<f32> = rows
        .windows(2)
        .filter_map(|pair| match pair {
            [row, next] if !differ(row.size, next.size) => Some((next.base - row.base) / row.size.max(next.size)),
            _ => None,
        })
        .filter(|pitch| (0.0..PITCH_MAX).contains(pitch))
        .collect();
    let middle = pitches.len() / 2;
    if middle >= pitches.len() {
        return PITCH_MAX;
    }
    *pitches.select_nth_unstable_by(middle, f32::total_cmp).1
}

fn are_apart(row: &Row, next: &Row, usual: f32) -> bool {
    let pitch = (next.base - row.base) / row.size.max(next.size);
    differ(row.size, next.size) || pitch > (usual * PITCH_FACTOR).min(PITCH_MAX) || pitch < 0.0
}

fn differ(a: f32, b: f32) -> bool {
    a.max(b) > SIZE_FACTOR * a.min(b)
}

fn is_indented(before: &Row, row: &Row, after: &Row) -> bool {
    let indent = |from: &Row| (row.area.left - from.area.left) / row.size;
    INDENT.contains(&indent(before)) && INDENT.contains(&indent(after))
}

/// The usual height of the fonts on a page, weighed by characters.
pub fn usual_size(pieces: &[Piece]) -> f32 {
    let mut sizes: Vec<(f32, usize)> = pieces.iter().map(|piece| (piece.size, piece.chars())).collect();
    sizes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = sizes.iter().map(|(_, chars)| chars).sum::<usize>() / 2;
    let mut seen = 0;
    for (size, chars) in sizes {
        seen += chars;
        if seen > half {
            return size;
        }
    }
    columns::usual_size(pieces, &[])
}
