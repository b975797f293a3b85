//! Pages without text: drawn, read by OCR, and laid out as pages with text are.

mod glyphs;
mod shade;
mod turns;
mod words;

use docket_contract::text_map::Reading;

use super::pdf::{PageLines, Sheet};
use crate::refusal::Refusal;
use crate::sandbox::{PIXELS_MAX, Picture, PictureReader};
pub use shade::soften;

/// Pixels of an inch at which pages are drawn for OCR: Tesseract is made for so many.
pub const DPI: f32 = 300.0;
/// Points of an inch.
const POINTS: f32 = 72.0;

/// What reads pictures of pages.
#[derive(Debug)]
pub struct Ocr {
    /// The way to Tesseract.
    pub reader: PictureReader,
    /// Pictures that are read at a time.
    pub at_once: usize,
}

/// A page that OCR shall read.
pub struct Unread<'a> {
    /// The page, whose text is to come.
    pub page: &'a mut PageLines,
    /// Its size.
    pub sheet: Sheet,
}

impl<'a> Unread<'a> {
    /// A page that has its size and no text.
    pub fn of(page: &'a mut PageLines) -> Self {
        let sheet = Sheet::of_size((page.width, page.height));
        Self { page, sheet }
    }
}

impl Ocr {
    /// Reads pages by OCR. `draw` draws one of `pages`, turned clockwise by quarters.
    pub fn read(
        &mut self,
        pages: &mut [Unread<'_>],
        draw: impl FnMut(usize, u8) -> Option<Picture>,
        text_bytes_max: usize,
    ) -> Result<(), Refusal> {
        let mut left = text_bytes_max;
        let all: Vec<usize> = (0..pages.len()).collect();
        turns::read(&mut self.reader, self.at_once, &all, draw, |at, scan| {
            let Some(Unread { page, sheet }) = pages.get_mut(at) else {
                return Ok(());
            };
            match scan {
                Err(reading) => page.reading = reading,
                Ok(scan) => {
                    page.reading = Reading::Ocr;
                    page.confidence = Some(scan.words.confidence().round() as u8);
                    page.add_glyphs(&glyphs::of_scan(&scan, sheet));
                }
            }
            left = left
                .checked_sub(page.text.len())
                .ok_or(Refusal::TextTooLarge { max: text_bytes_max })?;
            Ok(())
        })
    }
}

/// Width and height of the picture of a page of this size in points, and the pixels of its inch: [`DPI`], or fewer where the picture
/// would have too many pixels.
pub fn picture_size(width: f32, height: f32) -> (u32, u32, f32) {
    let (across, down) = (width / POINTS * DPI, height / POINTS * DPI);
    let shrink = (PIXELS_MAX as f32 / (across * down)).sqrt().min(1.0);
    // Rounded down, and a side that is a line has a pixel.
    let pixels = |side: f32| ((side * shrink) as u32).clamp(1, PIXELS_MAX as u32);
    let (mut across, mut down) = (pixels(across), pixels(down));
    if across as usize * down as usize > PIXELS_MAX {
        across = across.min(PIXELS_MAX as u32 / down.max(1)).max(1);
        down = down.min(PIXELS_MAX as u32 / across);
    }
    (across, down, DPI * shrink)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_page_makes_too_large_a_picture() {
        assert_eq!(picture_size(612.0, 792.0), (2_550, 3_300, 300.0));
        for (width, height) in [
            (1.0, 1.0),
            (842.0, 1_191.0),
            (14_400.0, 14_400.0),
            (1.0e7, 0.1),
            (1.0e7, 1.0e7),
        ] {
            let (across, down, _) = picture_size(width, height);
            assert!(
                (1..=PIXELS_MAX).contains(&(across as usize * down as usize)),
                "{width} {height}"
            );
        }
    }
}
