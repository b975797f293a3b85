//! Lines that leave common gaps free: what may be columns.

use super::pieces::Piece;
use super::sheet::Area;

/// Lines that leave common gaps free.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Group {
    /// Indices of the pieces, band by band.
    pub bands: Vec<Vec<u32>>,
    /// The gaps, ascending.
    pub gaps: Vec<Gap>,
}

impl Group {
    /// Indices of the pieces.
    pub fn pieces(&self) -> impl Iterator<Item = u32> {
        self.bands.iter().flatten().copied()
    }

    /// Whether a band leaves the gaps free.
    pub fn admits(&self, pieces: &[Piece], band: &[u32]) -> bool {
        let crosses = |area: &Area| {
            let first = self.gaps.partition_point(|gap| gap.right <= area.left);
            self.gaps.get(first).is_some_and(|gap| gap.left < area.right)
        };
        let areas = band.iter().filter_map(|&index| pieces.get(index as usize));
        !areas.map(|piece| &piece.area).any(crosses)
    }
}

/// A span without text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gap {
    /// Left edge.
    pub left: f32,
    /// Right edge.
    pub right: f32,
}

impl Gap {
    /// The width.
    pub fn width(self) -> f32 {
        self.right - self.left
    }

    /// The middle.
    pub fn middle(self) -> f32 {
        f32::midpoint(self.left, self.right)
    }

    /// Whether text stands on both sides.
    pub fn is_inner(self) -> bool {
        self.left.is_finite() && self.right.is_finite()
    }
}
