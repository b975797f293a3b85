//! Pages without text: drawn, read by OCR, and laid out as pages with text are.

mod glyphs;
mod shade;
mod turns;
mod words;

use std::time::Duration;

use docket_contract::text_map::Reading;

use super::pdf::{PageLines, Sheet};
use super::resolution::Resolution;
use crate::refusal::Refusal;
use crate::sandbox::{PIXELS_MAX, Picture, PictureReader};
pub use shade::soften;

/// Pixels of an inch at which pages are drawn for OCR: Tesseract is made for so many.
pub const DPI: f32 = 300.0;
/// How large a page is drawn for OCR.
pub const PAGE: Resolution = Resolution {
    dpi: DPI,
    pixels_max: PIXELS_MAX as u32,
};

/// What reads pictures of pages.
#[derive(Debug)]
pub struct Ocr {
    /// The way to Tesseract.
    pub reader: PictureReader,
    /// Pictures that are read at a time.
    pub at_once: usize,
    /// CPU time of this process after which no page is drawn any more: some is left for the text.
    pub cpu_max: Duration,
}

impl Ocr {
    /// Reads some of the pages by OCR: those at these places. `draw` draws the page at a place, turned clockwise by quarters.
    pub fn read(
        &mut self,
        pages: &mut [PageLines],
        places: &[usize],
        draw: impl FnMut(usize, u8) -> Option<Picture>,
        text_bytes_max: usize,
    ) -> Result<(), Refusal> {
        let mut left = text_bytes_max;
        turns::read(self, places, draw, |place, scan| {
            let Some(page) = pages.get_mut(place) else {
                return Ok(());
            };
            match scan {
                // What a stamp says is better than nothing.
                Err(_) if page.reading == Reading::Text => {}
                Err(reading) => page.reading = reading,
                Ok(scan) => {
                    let sheet = Sheet::of_size((page.width, page.height));
                    *page = PageLines::without_text(page.width, page.height, Reading::Ocr);
                    let confidence = scan.words.confidence().round() as u8;
                    page.confidence = Some(confidence).filter(|&confidence| confidence > 0);
                    page.add_glyphs(&glyphs::of_scan(&scan, &sheet));
                }
            }
            left = left
                .checked_sub(page.text.len())
                .ok_or(Refusal::TextTooLarge { max: text_bytes_max })?;
            Ok(())
        })
    }
}
