//! The characters of an open page.

use std::marker::PhantomData;
use std::os::raw::c_int;

use pdfium_render::prelude::{FPDF_PAGEOBJECT, FPDF_TEXTPAGE, FS_MATRIX, FS_RECTF, PdfiumLibraryBindings};

use super::extent::{Extent, NO_RECT};

/// The characters of a page, in the order in which the page draws them.
pub struct TextPage<'a> {
    pub(super) pdfium: &'a dyn PdfiumLibraryBindings,
    pub(super) handle: FPDF_TEXTPAGE,
    pub(super) page: PhantomData<&'a ()>,
}

/// What all characters of a text object have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RawStyle {
    /// The matrix of the text, without the size of the font.
    pub matrix: [f32; 4],
    /// The size of the font.
    pub font_size: f32,
}

/// Tells text objects of a page apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextObject(FPDF_PAGEOBJECT);

impl TextPage<'_> {
    /// Number of characters, those included that pdfium inferred.
    pub fn chars(&self) -> u32 {
        // SAFETY: the text is open.
        let chars = unsafe { self.pdfium.FPDFText_CountChars(self.handle) };
        u32::try_from(chars).unwrap_or(0)
    }

    /// The number of the character at an index, or half of a surrogate pair.
    pub fn code(&self, index: u32) -> u32 {
        // SAFETY: the text is open; pdfium checks the index.
        unsafe { self.pdfium.FPDFText_GetUnicode(self.handle, position(index)) }
    }

    /// Whether the font has no character for the glyph, so that the character is a guess.
    pub fn is_guess(&self, index: u32) -> bool {
        // SAFETY: the text is open; pdfium checks the index.
        unsafe { self.pdfium.FPDFText_HasUnicodeMapError(self.handle, position(index)) == 1 }
    }

    /// The text object that draws a character; `None` for a character that pdfium inferred.
    pub fn object(&self, index: u32) -> Option<TextObject> {
        // SAFETY: the text is open; pdfium checks the index. The object is only compared.
        let object = unsafe { self.pdfium.FPDFText_GetTextObject(self.handle, position(index)) };
        (!object.is_null()).then_some(TextObject(object))
    }

    /// How a character is written.
    pub fn style(&self, index: u32) -> RawStyle {
        let mut matrix = FS_MATRIX {
            a: 0.0,
            b: 0.0,
            c: 0.0,
            d: 0.0,
            e: 0.0,
            f: 0.0,
        };
        // SAFETY: the text is open, pdfium checks the index, and `matrix` outlives the calls.
        let font_size = unsafe {
            self.pdfium
                .FPDFText_GetMatrix(self.handle, position(index), &raw mut matrix);
            self.pdfium.FPDFText_GetFontSize(self.handle, position(index))
        };
        RawStyle {
            matrix: [matrix.a, matrix.b, matrix.c, matrix.d],
            font_size: font_size as f32,
        }
    }

    /// The box of a character as high as its font and as wide as its advance. Sound only where text runs from left to right.
    pub fn loose_box(&self, index: u32) -> Option<Extent> {
        let mut rect = NO_RECT;
        // SAFETY: the text is open, pdfium checks the index, and `rect` outlives the call.
        let is_known = unsafe {
            self.pdfium
                .FPDFText_GetLooseCharBox(self.handle, position(index), &raw mut rect)
        } != 0;
        is_known.then(|| Extent::from(rect))
    }

    /// The box around a character's ink.
    pub fn tight_box(&self, index: u32) -> Option<Extent> {
        let (mut left, mut right, mut bottom, mut top) = (0.0, 0.0, 0.0, 0.0);
        // SAFETY: the text is open, pdfium checks the index, and the numbers outlive the call.
        let is_known = unsafe {
            self.pdfium.FPDFText_GetCharBox(
                self.handle,
                position(index),
                &raw mut left,
                &raw mut right,
                &raw mut bottom,
                &raw mut top,
            )
        } != 0;
        is_known.then(|| {
            Extent::from(FS_RECTF {
                left: left as f32,
                top: top as f32,
                right: right as f32,
                bottom: bottom as f32,
            })
        })
    }

    /// Where a character stands on its line.
    pub fn origin(&self, index: u32) -> Option<(f32, f32)> {
        let (mut x, mut y) = (0.0, 0.0);
        // SAFETY: the text is open, pdfium checks the index, and the numbers outlive the call.
        let is_known = unsafe {
            self.pdfium
                .FPDFText_GetCharOrigin(self.handle, position(index), &raw mut x, &raw mut y)
        } != 0;
        is_known.then_some((x as f32, y as f32))
    }
}

impl Drop for TextPage<'_> {
    fn drop(&mut self) {
        // SAFETY: the text is open.
        unsafe { self.pdfium.FPDFText_ClosePage(self.handle) }
    }
}

/// An index as pdfium takes it. An index past its numbers becomes -1, which pdfium refuses.
fn position(index: u32) -> c_int {
    c_int::try_from(index).unwrap_or(-1)
}
