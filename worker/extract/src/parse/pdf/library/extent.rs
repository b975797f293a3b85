//! Rectangles as pdfium gives them.

use pdfium_render::prelude::FS_RECTF;

/// A rectangle in the page's own space: the y axis points up.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Extent {
    /// Smallest x.
    pub left: f32,
    /// Smallest y.
    pub bottom: f32,
    /// Largest x.
    pub right: f32,
    /// Largest y.
    pub top: f32,
}

impl Extent {
    /// Its area.
    pub fn area(self) -> f32 {
        (self.right - self.left).max(0.0) * (self.top - self.bottom).max(0.0)
    }

    /// The area that it shares with another.
    pub fn shared_with(self, other: Self) -> f32 {
        let shared = Self {
            left: self.left.max(other.left),
            bottom: self.bottom.max(other.bottom),
            right: self.right.min(other.right),
            top: self.top.min(other.top),
        };
        shared.area()
    }
}

impl From<FS_RECTF> for Extent {
    fn from(rect: FS_RECTF) -> Self {
        Self {
            left: rect.left.min(rect.right),
            bottom: rect.bottom.min(rect.top),
            right: rect.right.max(rect.left),
            top: rect.top.max(rect.bottom),
        }
    }
}

pub(super) const NO_RECT: FS_RECTF = FS_RECTF {
    left: 0.0,
    top: 0.0,
    right: 0.0,
    bottom: 0.0,
};
