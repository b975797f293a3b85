//! Scans that come as pictures: PNG, JPEG, and TIFF, whose every picture is a page.

mod tiff;

use std::io::Cursor;

use docket_contract::page_ranges::PageRanges;
use docket_contract::text_map::{Reading, TextMap};
use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::tiff::TiffDecoder;
use image::error::{LimitError, LimitErrorKind};
use image::imageops::{self, FilterType};
use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageDecoder, ImageError, ImageResult, Limits as ImageLimits, RgbImage};

use super::page_image;
use super::pdf::{PageLines, Sheet, joined};
use super::scan::{self, Ocr};
use crate::limits::Limits;
use crate::refusal::{Format, Problem, Refusal};
use crate::sandbox::{PIXELS_MAX, Picture, PictureHead};

/// A picture does not say how large its paper was, or says what its camera guesses: its longer side counts as 11 inches.
const LONGER_SIDE_INCHES: f32 = 11.0;
/// Points of an inch.
const POINTS: f32 = 72.0;
/// Most bytes of an unpacked picture: a photograph of 66 million pixels. With what is made of it, it takes two thirds of a child's memory.
const UNPACKED_BYTES_MAX: u64 = 200 << 20;
/// Small pictures are enlarged for OCR, at most so much: more only blurs.
const ENLARGED_MAX: f32 = 3.0;

/// A file with a picture for each page.
#[derive(Debug)]
pub struct PictureFile<'a> {
    bytes: &'a [u8],
    format: Format,
    /// Where each picture begins, for TIFF.
    starts: Vec<tiff::Start>,
    memory_max: u64,
    /// The page that was unpacked last.
    last: Option<(usize, GrayImage)>,
}

/// Reads the pages that are asked for by OCR, if there is one.
pub fn read(
    bytes: &[u8],
    format: Format,
    pages: Option<&PageRanges>,
    ocr: Option<&mut Ocr>,
    limits: &Limits,
) -> Result<(String, TextMap), Refusal> {
    let mut file = PictureFile::open(bytes, format, limits)?;
    let is_asked =
        |page: usize| pages.is_none_or(|pages| u32::try_from(page + 1).is_ok_and(|page| pages.contains(page)));
    let mut lines: Vec<PageLines> = (0..file.pages()).map(|page| file.page(page, is_asked(page))).collect();
    if let Some(ocr) = ocr {
        let unread = lines.iter().enumerate();
        let unread = unread.filter(|(_, page)| page.reading == Reading::NoTextLayer);
        let places: Vec<usize> = unread.map(|(place, _)| place).collect();
        let draw = |page, turns| file.drawn(page, turns);
        ocr.read(&mut lines, &places, draw, limits.text_bytes)?;
    }
    joined(lines, limits)
}

/// The image of a page, counted from 1, as people look at it: PNG.
pub fn image(bytes: &[u8], format: Format, page: u32, limits: &Limits) -> Result<Vec<u8>, Refusal> {
    let file = PictureFile::open(bytes, format, limits)?;
    let page = page
        .checked_sub(1)
        .map(|page| page as usize)
        .filter(|&page| page < file.pages());
    let drawn = page.and_then(|page| file.shown(page).ok()).and_then(|picture| {
        let (size, colours) = ((picture.width(), picture.height()), picture.color().into());
        page_image::png(picture.as_bytes(), size, colours)
    });
    drawn.ok_or(Refusal::malformed(format, Problem::Structure))
}

impl<'a> PictureFile<'a> {
    fn open(bytes: &'a [u8], format: Format, limits: &Limits) -> Result<Self, Refusal> {
        let mut file = Self {
            bytes,
            format,
            starts: Vec::new(),
            memory_max: limits.inflated_bytes.min(UNPACKED_BYTES_MAX),
            last: None,
        };
        if format == Format::Tiff {
            file.starts = tiff::starts(bytes, limits.pages)?;
            return Ok(file);
        }
        match file.decoder(0) {
            Ok(_) => Ok(file),
            Err(ImageError::Limits(_)) => Err(Refusal::InflatedTooLarge { max: file.memory_max }),
            Err(_) => Err(Refusal::malformed(format, Problem::Structure)),
        }
    }

    fn pages(&self) -> usize {
        if self.format == Format::Tiff {
            self.starts.len()
        } else {
            1
        }
    }

    /// A page without its text.
    fn page(&self, page: usize, is_asked: bool) -> PageLines {
        let size = self.size(page);
        let reading = match size {
            _ if !is_asked => Reading::NotAsked,
            Some(_) => Reading::NoTextLayer,
            None => Reading::Unreadable,
        };
        let sheet = size.map(Sheet::of_size).unwrap_or_default();
        PageLines::without_text(sheet.width(), sheet.height(), reading)
    }

    /// Width and height of a page as shown, in points.
    fn size(&self, page: usize) -> Option<(f32, f32)> {
        let mut decoder = self.decoder(page).ok()?;
        let (width, height) = decoder.dimensions();
        let (mut width, mut height) = (width as f32, height as f32);
        if is_on_its_side(decoder.orientation().ok()?) {
            (width, height) = (height, width);
        }
        (width > 0.0 && height > 0.0).then(|| in_points(width, height))
    }

    fn decoder(&self, page: usize) -> ImageResult<Box<dyn ImageDecoder + 'a>> {
        let start = self.starts.get(page).copied().unwrap_or_default();
        let mut limits = ImageLimits::default();
        limits.max_alloc = Some(self.memory_max);
        let mut decoder: Box<dyn ImageDecoder + 'a> = match self.format {
            Format::Png => Box::new(PngDecoder::with_limits(Cursor::new(self.bytes), limits.clone())?),
            Format::Jpeg => Box::new(JpegDecoder::new(Cursor::new(self.bytes))?),
            _ => Box::new(TiffDecoder::new(tiff::FromPage::new(self.bytes, start))?),
        };
        decoder.set_limits(limits)?;
        // Not every format keeps to the limit.
        if decoder.total_bytes() > self.memory_max {
            return Err(ImageError::Limits(LimitError::from_kind(
                LimitErrorKind::InsufficientMemory,
            )));
        }
        Ok(decoder)
    }

    /// A page's picture for OCR, turned clockwise by quarters.
    fn drawn(&mut self, page: usize, turns: u8) -> Option<Picture> {
        if self.last.as_ref().is_none_or(|(last, _)| *last != page) {
            self.last = Some((page, self.unpacked(page).ok()?));
        }
        let (_, upright) = self.last.as_ref()?;
        let turned = match turns % 4 {
            0 => upright.clone(),
            1 => imageops::rotate90(upright),
            2 => imageops::rotate180(upright),
            _ => imageops::rotate270(upright),
        };
        let (width, height) = turned.dimensions();
        let dpi = (width.max(height) as f32 / LONGER_SIDE_INCHES).max(1.0) as u32;
        Some(Picture {
            head: PictureHead { width, height, dpi },
            pixels: turned.into_raw(),
        })
    }

    /// A page as people look at it, in grey or in colours.
    fn shown(&self, page: usize) -> ImageResult<DynamicImage> {
        let picture = self.upright(page)?;
        let (width, height) = in_points(picture.width() as f32, picture.height() as f32);
        let (across, down, _) = page_image::SIZE.size(width, height);
        // A picture with fewer pixels would not become sharper.
        let picture = if across < picture.width() {
            picture.thumbnail_exact(across, down)
        } else {
            picture
        };
        Ok(if picture.color().has_color() {
            in_colour(picture).into()
        } else {
            on_white(picture).into()
        })
    }

    /// A page as its camera held it.
    fn upright(&self, page: usize) -> ImageResult<DynamicImage> {
        let mut decoder = self.decoder(page)?;
        let orientation = decoder.orientation()?;
        let mut picture = DynamicImage::from_decoder(decoder)?;
        picture.apply_orientation(orientation);
        Ok(picture)
    }

    /// A page in grey, as large as OCR reads best.
    fn unpacked(&self, page: usize) -> ImageResult<GrayImage> {
        let grey = on_white(self.upright(page)?);
        let (width, height) = scaled(grey.dimensions());
        if (width, height) == grey.dimensions() {
            return Ok(grey);
        }
        let is_larger = width > grey.width();
        if !is_larger {
            return Ok(imageops::thumbnail(&grey, width, height)); // In place: `resize` takes 16 bytes a pixel.
        }
        let mut grey = imageops::resize(&grey, width, height, FilterType::Triangle);
        scan::soften(&mut grey, width as usize);
        Ok(grey)
    }
}

/// Width and height in points of a picture with so many pixels.
fn in_points(width: f32, height: f32) -> (f32, f32) {
    let points = |side: f32| LONGER_SIDE_INCHES * POINTS * (side / width.max(height));
    (points(width), points(height))
}

/// Whether a picture with this mark is stored on its side.
fn is_on_its_side(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    )
}

/// The picture in grey. What is transparent is white.
fn on_white(picture: DynamicImage) -> GrayImage {
    if !picture.color().has_alpha() {
        return picture.into_luma8();
    }
    let with_alpha = picture.into_luma_alpha8();
    let mut grey = GrayImage::new(with_alpha.width(), with_alpha.height());
    for (to, from) in grey.pixels_mut().zip(with_alpha.pixels()) {
        let [shade, alpha] = from.0;
        to.0 = [blended(shade, alpha)];
    }
    grey
}

/// The picture in colours. What is transparent is white.
fn in_colour(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let with_alpha = picture.into_rgba8();
    let mut coloured = RgbImage::new(with_alpha.width(), with_alpha.height());
    for (to, from) in coloured.pixels_mut().zip(with_alpha.pixels()) {
        let [red, green, blue, alpha] = from.0;
        to.0 = [red, green, blue].map(|shade| blended(shade, alpha));
    }
    coloured
}

/// A shade on white.
fn blended(shade: u8, alpha: u8) -> u8 {
    let (shade, alpha) = (u16::from(shade), u16::from(alpha));
    ((shade * alpha + 255 * (255 - alpha)) / 255) as u8
}

/// Width and height at which a picture of this size is read.
fn scaled((width, height): (u32, u32)) -> (u32, u32) {
    let wanted = LONGER_SIDE_INCHES * scan::DPI / width.max(height).max(1) as f32;
    let most = (PIXELS_MAX as f32 / (width.max(1) as f32 * height.max(1) as f32)).sqrt();
    let scale = wanted.clamp(1.0, ENLARGED_MAX).min(most);
    // Rounded down, so that the product stays within its limit.
    let side = |side: u32| ((side as f32 * scale) as u32).max(1);
    let (width, height) = (side(width), side(height));
    // A side of one pixel was not shrunk with the other.
    (
        width.min(PIXELS_MAX as u32 / height.min(PIXELS_MAX as u32)),
        height.min(PIXELS_MAX as u32),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_read_at_300_dpi_where_that_helps() {
        assert_eq!(scaled((1_275, 1_650)), (2_550, 3_300), "150 dpi");
        assert_eq!(scaled((3_000, 4_000)), (3_000, 4_000), "a photograph");
        assert_eq!(scaled((100, 200)), (300, 600));
        for size in [
            (30_000, 30_000),
            (u32::MAX, 1),
            (1, u32::MAX),
            (u32::MAX, u32::MAX),
            (0, 0),
        ] {
            let (width, height) = scaled(size);
            assert!(
                (1..=PIXELS_MAX).contains(&(width as usize * height as usize)),
                "{size:?}"
            );
        }
    }

    #[test]
    fn what_is_transparent_is_white() {
        let dots = image::GrayAlphaImage::from_raw(3, 1, vec![0, 0, 0, 255, 100, 255]).unwrap();
        assert_eq!(on_white(dots.into()).into_raw(), [255, 0, 100]);
        let dots = image::RgbaImage::from_raw(2, 1, vec![0, 0, 0, 0, 9, 8, 7, 255]).unwrap();
        assert_eq!(in_colour(dots.into()).into_raw(), [255, 255, 255, 9, 8, 7]);
    }
}
