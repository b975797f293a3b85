//! An open page, drawn.

use std::os::raw::c_int;
use std::ptr;

use pdfium_render::prelude::{FPDF_BITMAP, FPDF_DWORD};

use super::page::PageHandle;

/// What a page is drawn in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Shades of grey, a byte a pixel.
    Grey,
    /// Red, green and blue, a byte each.
    Colour,
}

impl Ink {
    /// Bytes of a pixel.
    fn bytes(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Colour => 3,
        }
    }

    /// pdfium's name of the pixels (`FPDFBitmap_Gray`, `FPDFBitmap_BGR`).
    fn format(self) -> c_int {
        match self {
            Self::Grey => 1,
            Self::Colour => 2,
        }
    }

    /// How pdfium draws (`FPDF_GRAYSCALE`; `FPDF_REVERSE_BYTE_ORDER`, since pdfium begins with blue).
    fn flags(self) -> c_int {
        match self {
            Self::Grey => 0x08,
            Self::Colour => 0x10,
        }
    }
}

/// White, not transparent.
const WHITE: FPDF_DWORD = 0xffff_ffff;

impl PageHandle<'_> {
    /// The page as shown, turned clockwise by quarters, drawn on white, row after row from the top. `None` where pdfium has no
    /// memory for so many pixels.
    pub fn draw(&self, (width, height): (u32, u32), quarter_turns: u8, ink: Ink) -> Option<Vec<u8>> {
        let (columns, rows) = (c_int::try_from(width).ok()?, c_int::try_from(height).ok()?);
        // SAFETY: pdfium allocates the pixels itself, and says null where it cannot.
        let bitmap = unsafe {
            self.pdfium
                .FPDFBitmap_CreateEx(columns, rows, ink.format(), ptr::null_mut(), 0)
        };
        if bitmap.is_null() {
            return None;
        }
        // SAFETY: the page and the bitmap are open, and the bitmap is not used after it is destroyed.
        unsafe {
            self.pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, columns, rows, WHITE);
            let turns = c_int::from(quarter_turns % 4);
            self.pdfium
                .FPDF_RenderPageBitmap(bitmap, self.handle, 0, 0, columns, rows, turns, ink.flags());
            let pixels = self.pixels(bitmap, width as usize * ink.bytes(), height as usize);
            self.pdfium.FPDFBitmap_Destroy(bitmap);
            pixels
        }
    }

    /// A copy of a bitmap's pixels.
    ///
    /// # Safety
    ///
    /// The bitmap must be open, with so many bytes of pixels in a row, and of this height.
    unsafe fn pixels(&self, bitmap: FPDF_BITMAP, width: usize, height: usize) -> Option<Vec<u8>> {
        // SAFETY: the bitmap is open, as the caller says.
        let (stride, start) = unsafe {
            let stride = self.pdfium.FPDFBitmap_GetStride(bitmap);
            let start = self.pdfium.FPDFBitmap_GetBuffer(bitmap).cast::<u8>();
            (usize::try_from(stride).ok()?, start)
        };
        if start.is_null() || stride < width {
            return None;
        }
        let mut pixels = Vec::with_capacity(width * height);
        for row in 0..height {
            // SAFETY: the bitmap has `height` rows of `stride` bytes, of which the first `width` are pixels.
            pixels.extend_from_slice(unsafe { std::slice::from_raw_parts(start.add(row * stride), width) });
        }
        Some(pixels)
    }
}
