//! Images of pages, as people look at them.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};

use super::resolution::Resolution;

/// How large a page is drawn for people: two pixels a point, sharp on every screen, and at most as large as a page of A2.
pub const SIZE: Resolution = Resolution {
    dpi: 144.0,
    pixels_max: 8_000_000,
};

/// Pixels as PNG, packed well rather than fast, since an image is drawn once and read often; `None` where they are not as many as said.
pub fn png(pixels: &[u8], (width, height): (u32, u32), colours: ExtendedColorType) -> Option<Vec<u8>> {
    let mut png = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Default, FilterType::Adaptive);
    encoder.write_image(pixels, width, height, colours).ok()?;
    Some(png)
}
