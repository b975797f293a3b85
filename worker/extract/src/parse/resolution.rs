//! How large pages are drawn.

/// Points of an inch.
const POINTS: f32 = 72.0;

/// How large pages are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resolution {
    /// Pixels of an inch.
    pub dpi: f32,
    /// Most pixels of a page. A larger page gets fewer pixels an inch.
    pub pixels_max: u32,
}

impl Resolution {
    /// Width and height in pixels of a page of this size in points, and its pixels an inch.
    pub fn size(self, width: f32, height: f32) -> (u32, u32, f32) {
        let (across, down) = (width / POINTS * self.dpi, height / POINTS * self.dpi);
        let shrink = (self.pixels_max as f32 / (across * down)).sqrt().min(1.0);
        // Rounded down, and a side that is a line has a pixel.
        let pixels = |side: f32| ((side * shrink) as u32).clamp(1, self.pixels_max);
        let down = pixels(down);
        (pixels(across).min(self.pixels_max / down), down, self.dpi * shrink)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_page_has_too_many_pixels() {
        let of = Resolution {
            dpi: 300.0,
            pixels_max: 20_000_000,
        };
        assert_eq!(of.size(612.0, 792.0), (2_550, 3_300, 300.0));
        for (width, height) in [
            (1.0, 1.0),
            (842.0, 1_191.0),
            (14_400.0, 14_400.0),
            (1.0e7, 0.1),
            (0.1, 1.0e7),
            (1.0e7, 1.0e7),
        ] {
            let (across, down, _) = of.size(width, height);
            let pixels = u64::from(across) * u64::from(down);
            assert!((1..=u64::from(of.pixels_max)).contains(&pixels), "{width} {height}");
        }
    }
}
