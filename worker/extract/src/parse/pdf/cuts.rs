//! Cuts a page into columns, so that a column is read before the column beside it.
//!
//! The pieces form bands: what overlaps in height. Neighbouring bands that leave a common gap free form a run. A run is cut at its
//! gaps if it looks like columns of text, and each column is cut again. All else is read line by line, tables included.

use super::columns;
use super::group::{Gap, Group};
use super::pieces::Piece;

/// How often columns are cut into columns. Pages have columns in columns at most.
const DEPTH_MAX: u8 = 6;
/// Gaps of a band that count, the widest first: no page has more columns.
const GAPS_MAX: usize = 24;
/// A narrower gap separates no columns, in parts of the fonts' height. Words of a line that is stretched can be so far apart, but not
/// in several lines at one place.
const GAP_MIN: f32 = 0.6;

/// A part of the page that is read line by line.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Leaf {
    /// Groups of lines, from top to bottom.
    pub groups: Vec<Group>,
}

/// The leaves of these pieces in the order in which they are read. Columns are read from right to left if `from_right`.
pub fn leaves(pieces: &[Piece], indices: Vec<u32>, from_right: bool) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    let mut open = vec![(indices, 0)];
    while let Some((indices, depth)) = open.pop() {
        let mut parts = parts(pieces, indices, depth < DEPTH_MAX);
        if from_right {
            parts.iter_mut().for_each(Part::turn);
        }
        let [Part::Lines(_)] = parts.as_mut_slice() else {
            let children = parts.into_iter().flat_map(Part::into_children);
            let at = open.len();
            open.extend(children.map(|child| (child, depth + 1)));
            if let Some(added) = open.get_mut(at..) {
                added.reverse();
            }
            continue;
        };
        leaves.extend(parts.into_iter().filter_map(Part::into_leaf));
    }
    leaves
}

/// A part of a region.
#[derive(Debug)]
enum Part {
    Lines(Leaf),
    Columns(Vec<Vec<u32>>),
}

impl Part {
    fn turn(&mut self) {
        if let Self::Columns(columns) = self {
            columns.reverse();
        }
    }

    fn into_children(self) -> Vec<Vec<u32>> {
        match self {
            Self::Lines(leaf) => vec![leaf.groups.iter().flat_map(Group::pieces).collect()],
            Self::Columns(columns) => columns,
        }
    }

    fn into_leaf(self) -> Option<Leaf> {
        match self {
            Self::Lines(leaf) => Some(leaf),
            Self::Columns(_) => None,
        }
    }
}

/// Cuts a region from top to bottom. Neighbouring parts are never both lines.
fn parts(pieces: &[Piece], indices: Vec<u32>, may_cut: bool) -> Vec<Part> {
    let size = columns::usual_size(pieces, &indices);
    let mut parts: Vec<Part> = Vec::new();
    for mut group in groups(pieces, bands(pieces, indices), GAP_MIN * size) {
        if may_cut && let Some(gaps) = columns::gaps_of_columns(pieces, &group) {
            group.gaps = gaps;
            take_back(pieces, &mut parts, &mut group);
            parts.push(Part::Columns(columns::cut(pieces, &group)));
        } else if let Some(Part::Lines(leaf)) = parts.last_mut() {
            leaf.groups.push(group);
        } else {
            parts.push(Part::Lines(Leaf { groups: vec![group] }));
        }
    }
    parts
}

/// Takes back what belongs to the columns and was joined with the lines above because another gap was free there too.
fn take_back(pieces: &[Piece], parts: &mut Vec<Part>, group: &mut Group) {
    let Some(Part::Lines(leaf)) = parts.last_mut() else {
        return;
    };
    let mut taken = Vec::new();
    while let Some(last) = leaf.groups.last_mut() {
        match last.bands.pop_if(|band| group.admits(pieces, band)) {
            Some(band) => taken.push(band),
            None if last.bands.is_empty() => drop(leaf.groups.pop()),
            None => break,
        }
    }
    if leaf.groups.is_empty() {
        parts.pop();
    }
    taken.reverse();
    taken.append(&mut group.bands);
    group.bands = taken;
}

/// Sorts pieces from top to bottom into bands, so that pieces of two bands never overlap in height.
fn bands(pieces: &[Piece], mut indices: Vec<u32>) -> Vec<Vec<u32>> {
    let piece = |index: u32| pieces.get(index as usize);
    let top = |index: &u32| piece(*index).map_or(0.0, Piece::core_top);
    indices.sort_by(|a, b| top(a).total_cmp(&top(b)));
    let mut bands: Vec<Vec<u32>> = Vec::new();
    let mut bottom = f32::NEG_INFINITY;
    for index in indices {
        let Some(piece) = piece(index) else { continue };
        match bands.last_mut() {
            Some(band) if piece.core_top() < bottom => band.push(index),
            _ => bands.push(vec![index]),
        }
        bottom = bottom.max(piece.base);
    }
    bands
}

/// Joins neighbouring bands as long as they leave a common gap free.
fn groups(pieces: &[Piece], bands: Vec<Vec<u32>>, gap_min: f32) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for band in bands {
        let gaps = gaps(pieces, &band, gap_min);
        let Some(last) = groups.last_mut() else {
            groups.push(Group {
                bands: vec![band],
                gaps,
            });
            continue;
        };
        let common = common(&last.gaps, &gaps, gap_min);
        let has_inner = |gaps: &[Gap]| gaps.iter().any(|gap| gap.is_inner());
        if has_inner(&common) || !(has_inner(&last.gaps) || has_inner(&gaps)) {
            last.bands.push(band);
            last.gaps = common;
        } else {
            groups.push(Group {
                bands: vec![band],
                gaps,
            });
        }
    }
    for group in &mut groups {
        group.gaps.retain(|gap| gap.is_inner());
    }
    groups
}

/// What a band leaves free, from left to right, both margins included.
fn gaps(pieces: &[Piece], band: &[u32], gap_min: f32) -> Vec<Gap> {
    let mut spans: Vec<(f32, f32)> = band
        .iter()
        .filter_map(|&index| pieces.get(index as usize))
        .map(|piece| (piece.area.left, piece.area.right))
        .collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut gaps = Vec::new();
    let mut left = f32::NEG_INFINITY;
    for (start, end) in spans {
        if start - left >= gap_min {
            gaps.push(Gap { left, right: start });
        }
        left = left.max(end);
    }
    let right = f32::INFINITY;
    gaps.push(Gap { left, right });
    widest(gaps)
}

fn widest(mut gaps: Vec<Gap>) -> Vec<Gap> {
    if gaps.len() > GAPS_MAX {
        gaps.sort_by(|a, b| b.width().total_cmp(&a.width()));
        gaps.truncate(GAPS_MAX);
        gaps.sort_by(|a, b| a.left.total_cmp(&b.left));
    }
    gaps
}

/// What two lists of gaps have in common.
fn common(a: &[Gap], b: &[Gap], gap_min: f32) -> Vec<Gap> {
    let (mut at_a, mut at_b) = (0, 0);
    let mut common = Vec::new();
    while let (Some(one), Some(other)) = (a.get(at_a), b.get(at_b)) {
        let gap = Gap {
            left: one.left.max(other.left),
            right: one.right.min(other.right),
        };
        if gap.width() >= gap_min {
            common.push(gap);
        }
        if one.right <= other.right {
            at_a += 1;
        } else {
            at_b += 1;
        }
    }
    widest(common)
}
