//! Reads PDF: the text in the order in which people read, each character with its box on the page.
//!
//! pdfium opens the document and tells its characters with their places. What is read first is decided here, from the places alone:
//! the order in which a page draws is no order of reading.

mod brackets;
mod columns;
mod cuts;
mod footnotes;
mod glyphs;
mod group;
mod letters;
mod library;
mod lines;
mod margin;
mod page;
mod pieces;
mod regions;
mod sheet;
mod text;
mod vertical;

#[cfg(test)]
mod tests;

use std::cell::OnceCell;
use std::mem::ManuallyDrop;

use docket_contract::page_ranges::PageRanges;
use docket_contract::text_map::{Reading, TextMap};

use image::ExtendedColorType;

use super::page_image;
use super::scan::{self, Ocr};
use crate::limits::Limits;
use crate::refusal::{Format, Problem, Refusal};
use crate::sandbox::{Picture, PictureHead};
pub use glyphs::Glyph;
use glyphs::Glyphs;
pub use library::Library;
use library::{Document, Ink, Object, PageHandle};
pub use page::PageLines;
pub use sheet::{Area, Direction, Sheet};
use text::Joiner;

/// Objects of a page without text that are looked at: one picture is enough to know that something is seen.
const OBJECTS_MAX: usize = 1_000;
/// A scan has at most so many characters of its own: stamps of courts have some 70, and numbers of copied pages 20.
const STAMP_CHARS_MAX: usize = 200;
/// The picture of a scan covers so much of its page, or more.
const SCAN_PART_MIN: f32 = 0.6;
/// A page cannot be decoded if more of its characters tell nothing.
const UNTOLD_PART_MAX: f32 = 0.3;
/// A page cannot be decoded if its font knows no character for more of its glyphs, and some of its characters tell nothing.
const GUESSED_PART_MAX: f32 = 0.5;
/// A page whose fonts may be spoilt has so many characters that cannot be trusted: good pages have hardly any.
const DOUBT_MIN: f32 = 0.02;
/// How many characters that tell nothing make guessed characters suspicious: good text has hardly any.
const UNTOLD_PART_SUSPICIOUS: f32 = 0.05;

/// The text of a PDF.
#[derive(Debug, Clone, PartialEq)]
pub struct PdfText {
    /// The whole text. A form feed ends every page but the last.
    pub text: String,
    /// The pages and blocks of the text.
    pub map: TextMap,
    /// Whether the document is an XFA form. Its pages show only a request to open it with another program.
    pub form_xfa: bool,
    /// Pages of the document, those included that were not asked for.
    pub pages_total: u32,
}

/// A PDF, and what of it is to be read.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The file.
    pub bytes: &'a [u8],
    /// The password that opens the file; an empty one is tried without asking.
    pub password: Option<&'a str>,
    /// The pages to read; all pages otherwise.
    pub pages: Option<&'a PageRanges>,
}

/// Reads the pages that are asked for. Pages without text are read by OCR, if there is one.
pub fn read(library: &Library, asked: Asked<'_>, ocr: Option<&mut Ocr>, limits: &Limits) -> Result<PdfText, Refusal> {
    let Asked { bytes, password, pages } = asked;
    // Never closed: the process ends after its document, and pdfium takes up to a fifth of the time to put everything away.
    let source = ManuallyDrop::new(Source::open(library, bytes, password)?);
    let document = &source.document;
    let pages_total = document.pages();
    if pages_total == 0 {
        return Err(Refusal::malformed(Format::Pdf, Problem::Structure));
    }
    if pages_total > limits.pages {
        return Err(Refusal::TooManyPages {
            pages: pages_total,
            max: limits.pages,
        });
    }
    let mut lines = lines_of_pages(&source, pages, limits)?;
    if let Some(ocr) = ocr {
        read_scans(document, &mut lines, ocr, limits)?;
    }
    let (text, map) = joined(lines, limits)?;
    Ok(PdfText {
        text,
        map,
        form_xfa: document.is_xfa(),
        pages_total,
    })
}

/// The pages' lines as one text.
pub fn joined(mut pages: Vec<PageLines>, limits: &Limits) -> Result<(String, TextMap), Refusal> {
    regions::mark(&mut pages);
    let mut joiner = Joiner::new(limits.text_bytes);
    pages.iter().try_for_each(|page| joiner.page(page))?;
    Ok(joiner.finish())
}

/// Reads the pages without text by OCR.
fn read_scans(document: &Document<'_>, pages: &mut [PageLines], ocr: &mut Ocr, limits: &Limits) -> Result<(), Refusal> {
    let needs_ocr = |index: u32, page: &PageLines| match page.reading {
        Reading::NoTextLayer | Reading::Undecodable => true,
        Reading::Text => page.boxes.len() <= STAMP_CHARS_MAX && is_a_picture(document, index),
        Reading::Ocr
        | Reading::OcrFailed
        | Reading::OcrLimit
        | Reading::Empty
        | Reading::Unreadable
        | Reading::NotAsked => false,
    };
    let left = pages
        .iter()
        .map(|page| page.text.len())
        .fold(limits.text_bytes, usize::saturating_sub);
    let unread = (0..).zip(&*pages).filter(|(index, page)| needs_ocr(*index, page));
    let places: Vec<usize> = unread.map(|(index, _)| index as usize).collect();
    let draw = |place, turns| drawn(document, u32::try_from(place).ok()?, turns);
    ocr.read(pages, &places, draw, left)
}

/// Whether a picture covers most of a page: a scan, to which a court or a copier may have added a line of text.
fn is_a_picture(document: &Document<'_>, index: u32) -> bool {
    let page = document.page(index);
    page.is_some_and(|page| page.picture_part(OBJECTS_MAX) >= SCAN_PART_MIN)
}

/// A page's picture for OCR, turned clockwise by quarters.
fn drawn(document: &Document<'_>, index: u32, turns: u8) -> Option<Picture> {
    let page = document.page(index)?;
    let sheet = Sheet::of(&page);
    let (width, height, dpi) = scan::PAGE.size(sheet.width(), sheet.height());
    let (width, height) = if turns.is_multiple_of(2) {
        (width, height)
    } else {
        (height, width)
    };
    let mut pixels = page.draw((width, height), turns, Ink::Grey)?;
    scan::soften(&mut pixels, width as usize);
    let dpi = dpi as u32;
    let head = PictureHead { width, height, dpi };
    Some(Picture { head, pixels })
}

/// The image of a page, counted from 1, as people look at it: PNG.
pub fn image(library: &Library, asked: Asked<'_>, page: u32) -> Result<Vec<u8>, Refusal> {
    let document = library.open(asked.bytes, asked.password)?;
    let page = page.checked_sub(1).and_then(|index| document.page(index));
    let drawn = page.and_then(|page| {
        let sheet = Sheet::of(&page);
        let (width, height, _) = page_image::SIZE.size(sheet.width(), sheet.height());
        let pixels = page.draw((width, height), 0, Ink::Colour)?;
        page_image::png(&pixels, (width, height), ExtendedColorType::Rgb8)
    });
    drawn.ok_or(Refusal::malformed(Format::Pdf, Problem::Structure))
}

/// A document, and the same document as it was stored: to make annotations part of a page can spoil the page's fonts.
struct Source<'a> {
    library: &'a Library,
    bytes: &'a [u8],
    password: Option<&'a str>,
    document: Document<'a>,
    stored: OnceCell<Option<Document<'a>>>,
}

impl<'a> Source<'a> {
    fn open(library: &'a Library, bytes: &'a [u8], password: Option<&'a str>) -> Result<Self, Refusal> {
        Ok(Self {
            library,
            bytes,
            password,
            document: library.open(bytes, password)?,
            stored: OnceCell::new(),
        })
    }

    /// The document as it was stored. A document that was opened once opens again, unless memory is short.
    fn stored(&self) -> Option<&Document<'a>> {
        let open = || self.library.open(self.bytes, self.password).ok();
        self.stored.get_or_init(open).as_ref()
    }

    /// The page's characters. A page whose fonts are spoilt is read as it was stored.
    fn glyphs(&self, index: u32, page: &PageHandle<'_>, sheet: &Sheet, max: usize) -> Result<Glyphs, Unread> {
        let read = |page: &PageHandle<'_>| {
            let text = page.text().ok_or(Unread::Unreadable)?;
            let mut glyphs = glyphs::of_page(&text, sheet, max).ok_or(Unread::TooLarge)?;
            vertical::mark(&mut glyphs.glyphs);
            Ok(glyphs)
        };
        let glyphs = read(page)?;
        if !page.is_flattened() || glyphs.doubt() < DOUBT_MIN {
            return Ok(glyphs);
        }
        let stored = self.stored().and_then(|document| document.page_as_stored(index));
        let stored = stored.and_then(|page| read(&page).ok());
        let is_better = |stored: &Glyphs| stored.doubt() < glyphs.doubt() && stored.seen > 0;
        Ok(stored.filter(is_better).unwrap_or(glyphs))
    }
}

/// Why a page's characters are not had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unread {
    /// pdfium cannot read them.
    Unreadable,
    /// There are more of them than the text may have bytes.
    TooLarge,
}

fn lines_of_pages(source: &Source<'_>, pages: Option<&PageRanges>, limits: &Limits) -> Result<Vec<PageLines>, Refusal> {
    let mut lines = Vec::new();
    let mut left = limits.text_bytes;
    for index in 0..source.document.pages() {
        let is_asked = pages.is_none_or(|pages| pages.contains(index.saturating_add(1)));
        let page = page(source, index, is_asked, left).and_then(|page| {
            left = left.checked_sub(page.text.len())?;
            Some(page)
        });
        lines.push(page.ok_or(Refusal::TextTooLarge { max: limits.text_bytes })?);
    }
    Ok(lines)
}

/// The lines of a page; `None` if the page has more characters than the text may have bytes.
fn page(source: &Source<'_>, index: u32, is_asked: bool, chars_max: usize) -> Option<PageLines> {
    let without_text = |sheet: Sheet, reading| PageLines::without_text(sheet.width(), sheet.height(), reading);
    if !is_asked {
        let sheet = source.document.page_size(index).map(Sheet::of_size).unwrap_or_default();
        return Some(without_text(sheet, Reading::NotAsked));
    }
    let Some(handle) = source.document.page(index) else {
        return Some(without_text(Sheet::default(), Reading::Unreadable));
    };
    let sheet = Sheet::of(&handle);
    let glyphs = match source.glyphs(index, &handle, &sheet, chars_max) {
        Ok(glyphs) => glyphs,
        Err(Unread::Unreadable) => return Some(without_text(sheet, Reading::Unreadable)),
        Err(Unread::TooLarge) => return None,
    };
    let mut page = without_text(sheet, reading(&handle, &glyphs));
    if page.reading == Reading::Text {
        let body_size = page.add_glyphs(&glyphs.glyphs);
        footnotes::mark(&mut page, body_size);
    }
    Some(page)
}

/// How much of a page's text can be had.
fn reading(page: &PageHandle<'_>, glyphs: &Glyphs) -> Reading {
    let is_suspicious = glyphs.guessed_part() > GUESSED_PART_MAX && glyphs.untold_part() > UNTOLD_PART_SUSPICIOUS;
    if glyphs.untold_part() > UNTOLD_PART_MAX || is_suspicious {
        return Reading::Undecodable;
    }
    if !glyphs.glyphs.is_empty() {
        return Reading::Text;
    }
    if page.objects(OBJECTS_MAX).contains(&Object::Drawing) {
        Reading::NoTextLayer
    } else {
        Reading::Empty
    }
}
