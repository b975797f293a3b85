//! The library pdfium, loaded at run time, and what keeps its handles from outliving what they belong to.
//!
//! All unsafe code of the PDF reader stands in this module. Each handle is owned by one value, is closed when the value is dropped, and
//! borrows what it was made from.
#![expect(unsafe_code, reason = "pdfium is a C library")]

mod extent;
mod page;
mod picture;
mod text;

use std::marker::PhantomData;
use std::os::raw::c_int;
use std::path::Path;

use pdfium_render::prelude::{FPDF_DOCUMENT, FS_SIZEF, Pdfium, PdfiumLibraryBindings};

pub use extent::Extent;
pub use page::{Object, PageHandle};
pub use picture::Ink;
pub use text::{RawStyle, TextObject, TextPage};

use crate::refusal::{Format, Problem, Refusal};

/// pdfium's error of a document whose password is missing or wrong (`FPDF_ERR_PASSWORD`).
const ERROR_PASSWORD: u64 = 4;
/// The static forms of XFA (`FORMTYPE_XFA_FULL`, `FORMTYPE_XFA_FOREGROUND`).
const FORMS_XFA: [c_int; 2] = [2, 3];
/// Why pdfium cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LibraryError {
    /// The file is missing, is no library for this machine, or lacks a function.
    #[error("load the PDF library: {reason}")]
    Load {
        /// What the loader said.
        reason: String,
    },
}

/// The library. It stays on the thread that loaded it, since pdfium knows no threads.
pub struct Library {
    bindings: Box<dyn PdfiumLibraryBindings>,
    stays_on_its_thread: PhantomData<*const ()>,
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Library")
    }
}

impl Library {
    /// Loads the library from its file and prepares it. A process does so once.
    pub fn load(path: &Path) -> Result<Self, LibraryError> {
        let bindings = Pdfium::bind_to_library(path).map_err(|error| LibraryError::Load {
            reason: format!("{error:?}"),
        })?;
        // SAFETY: the function has no arguments, and does nothing where it was called before.
        unsafe { bindings.FPDF_InitLibrary() };
        Ok(Self {
            bindings,
            stays_on_its_thread: PhantomData,
        })
    }

    /// Opens a document. An empty password is tried without asking.
    pub fn open<'a>(&'a self, bytes: &'a [u8], password: Option<&str>) -> Result<Document<'a>, Refusal> {
        if password.is_some_and(|password| password.contains('\0')) {
            return Err(Refusal::Encrypted);
        }
        // SAFETY: `bytes` outlives the document, whose lifetime says so; a password without NUL becomes a C string.
        let handle = unsafe { self.bindings.FPDF_LoadMemDocument64(bytes, password) };
        if handle.is_null() {
            // SAFETY: the function only reads the error of the call before.
            let error = unsafe { self.bindings.FPDF_GetLastError() };
            return Err(match error {
                ERROR_PASSWORD => Refusal::Encrypted,
                _ => Refusal::malformed(Format::Pdf, Problem::Structure),
            });
        }
        Ok(Document {
            pdfium: &*self.bindings,
            handle,
            bytes: PhantomData,
        })
    }
}

/// An open document.
pub struct Document<'a> {
    pdfium: &'a dyn PdfiumLibraryBindings,
    handle: FPDF_DOCUMENT,
    bytes: PhantomData<&'a [u8]>,
}

impl Document<'_> {
    /// Number of its pages.
    pub fn pages(&self) -> u32 {
        // SAFETY: the document is open.
        let pages = unsafe { self.pdfium.FPDF_GetPageCount(self.handle) };
        u32::try_from(pages).unwrap_or(0)
    }

    /// Whether the document is an XFA form, whose pages show only a request to open it with another program.
    pub fn is_xfa(&self) -> bool {
        // SAFETY: the document is open.
        let form = unsafe { self.pdfium.FPDF_GetFormType(self.handle) };
        FORMS_XFA.contains(&form)
    }

    /// Width and height of a page, counted from 0, as shown, without reading the page.
    pub fn page_size(&self, index: u32) -> Option<(f32, f32)> {
        let index = c_int::try_from(index).ok()?;
        let mut size = FS_SIZEF {
            width: 0.0,
            height: 0.0,
        };
        // SAFETY: the document is open, pdfium checks the index, and `size` outlives the call.
        let is_known = unsafe { self.pdfium.FPDF_GetPageSizeByIndexF(self.handle, index, &raw mut size) } != 0;
        is_known.then_some((size.width, size.height))
    }

    /// Opens a page, counted from 0, as a screen shows it: with the text of its annotations and fields. `None` where the page
    /// cannot be opened.
    pub fn page(&self, index: u32) -> Option<PageHandle<'_>> {
        let page = self.page_as_stored(index)?;
        if !page.has_annotations() || !page.flatten() {
            return Some(page);
        }
        drop(page);
        let mut page = self.page_as_stored(index)?;
        page.is_flattened = true;
        Some(page)
    }

    /// Opens a page, counted from 0, without the text of its annotations and fields, unless [`Document::page`] changed the page
    /// before.
    pub fn page_as_stored(&self, index: u32) -> Option<PageHandle<'_>> {
        let index = c_int::try_from(index).ok()?;
        // SAFETY: the document is open; pdfium checks the index.
        let handle = unsafe { self.pdfium.FPDF_LoadPage(self.handle, index) };
        (!handle.is_null()).then_some(PageHandle {
            pdfium: self.pdfium,
            handle,
            is_flattened: false,
            document: PhantomData,
        })
    }
}

impl Drop for Document<'_> {
    fn drop(&mut self) {
        // SAFETY: the document is open, and its pages, which borrow it, are closed.
        unsafe { self.pdfium.FPDF_CloseDocument(self.handle) }
    }
}
