//! An open page: its size and its objects.

use std::marker::PhantomData;
use std::os::raw::c_int;

use pdfium_render::prelude::{FPDF_PAGE, FPDF_PAGEOBJECT, PdfiumLibraryBindings};

use super::extent::{Extent, NO_RECT};
use super::text::TextPage;

/// Flattens a page as a screen shows it (`FLAT_NORMALDISPLAY`), so without hidden annotations.
const FLATTEN_AS_SHOWN: c_int = 0;
/// A flattened page has changed (`FLATTEN_SUCCESS`).
const FLATTENED: c_int = 1;
/// Annotations that show nothing: links and windows of comments (`FPDF_ANNOT_LINK`, `FPDF_ANNOT_POPUP`).
const ANNOTATIONS_UNSEEN: [c_int; 2] = [2, 16];
/// Annotations that are looked at. A page with more counts as one with annotations that are seen: pages can share one long list.
const ANNOTATIONS_MAX: c_int = 1_000;

/// An open page.
pub struct PageHandle<'a> {
    pub(super) pdfium: &'a dyn PdfiumLibraryBindings,
    pub(super) handle: FPDF_PAGE,
    pub(super) is_flattened: bool,
    pub(super) document: PhantomData<&'a ()>,
}

/// What a page holds beside text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// Text.
    Text,
    /// A picture, a drawing, or a shade.
    Drawing,
}

impl PageHandle<'_> {
    /// Quarter turns, clockwise, by which the page is shown.
    pub fn quarter_turns(&self) -> u8 {
        // SAFETY: the page is open.
        let turns = unsafe { self.pdfium.FPDFPage_GetRotation(self.handle) };
        u8::try_from(turns.rem_euclid(4)).unwrap_or(0)
    }

    /// The part of the page that is shown: the crop box within the media box.
    pub fn shown(&self) -> Option<Extent> {
        let mut rect = NO_RECT;
        // SAFETY: the page is open, and `rect` outlives the call.
        let is_known = unsafe { self.pdfium.FPDF_GetPageBoundingBox(self.handle, &raw mut rect) } != 0;
        is_known.then(|| Extent::from(rect))
    }

    /// Whether annotations and fields were made part of the page.
    pub fn is_flattened(&self) -> bool {
        self.is_flattened
    }

    /// Whether the page has an annotation that is seen. Links are not.
    pub(super) fn has_annotations(&self) -> bool {
        // SAFETY: the page is open.
        let count = unsafe { self.pdfium.FPDFPage_GetAnnotCount(self.handle) };
        (0..count.min(ANNOTATIONS_MAX)).any(|index| self.is_seen(index)) || count > ANNOTATIONS_MAX
    }

    fn is_seen(&self, annotation: c_int) -> bool {
        // SAFETY: the page is open; pdfium checks the index.
        let handle = unsafe { self.pdfium.FPDFPage_GetAnnot(self.handle, annotation) };
        if handle.is_null() {
            return false;
        }
        // SAFETY: the annotation is open, belongs to the open page, and is not used after it is closed.
        let subtype = unsafe {
            let subtype = self.pdfium.FPDFAnnot_GetSubtype(handle);
            self.pdfium.FPDFPage_CloseAnnot(handle);
            subtype
        };
        !ANNOTATIONS_UNSEEN.contains(&subtype)
    }

    /// Makes annotations and fields part of the page; `false` where nothing changed. The page must be opened again.
    pub(super) fn flatten(&self) -> bool {
        // SAFETY: the page is open.
        unsafe { self.pdfium.FPDFPage_Flatten(self.handle, FLATTEN_AS_SHOWN) == FLATTENED }
    }

    /// What the first `max` objects of the page are; the objects in a form count instead of the form.
    pub fn objects(&self, max: usize) -> Vec<Object> {
        let mut found = Vec::new();
        // SAFETY: the page is open.
        let count = unsafe { self.pdfium.FPDFPage_CountObjects(self.handle) };
        for index in 0..count {
            // SAFETY: the page is open; pdfium checks the index.
            let object = unsafe { self.pdfium.FPDFPage_GetObject(self.handle, index) };
            self.add_object(object, max, &mut found);
            if found.len() >= max {
                break;
            }
        }
        found
    }

    /// The part of the page that the largest picture among its first `max` objects covers.
    pub fn picture_part(&self, max: usize) -> f32 {
        const PICTURE: c_int = 3;
        let Some(shown) = self.shown() else { return 0.0 };
        // SAFETY: the page is open.
        let count = unsafe { self.pdfium.FPDFPage_CountObjects(self.handle) };
        let mut largest = 0.0_f32;
        for index in 0..count.min(c_int::try_from(max).unwrap_or(c_int::MAX)) {
            // SAFETY: the page is open; pdfium checks the index.
            let object = unsafe { self.pdfium.FPDFPage_GetObject(self.handle, index) };
            if !object.is_null() && self.object_type(object) == PICTURE {
                largest = largest.max(self.bounds(object).map_or(0.0, |bounds| bounds.shared_with(shown)));
            }
        }
        largest / shown.area().max(f32::EPSILON)
    }

    fn bounds(&self, object: FPDF_PAGEOBJECT) -> Option<Extent> {
        let mut rect = NO_RECT;
        // SAFETY: the object belongs to the open page, and the numbers outlive the call.
        let is_known = unsafe {
            self.pdfium.FPDFPageObj_GetBounds(
                object,
                &raw mut rect.left,
                &raw mut rect.bottom,
                &raw mut rect.right,
                &raw mut rect.top,
            )
        } != 0;
        is_known.then(|| Extent::from(rect))
    }

    fn add_object(&self, object: FPDF_PAGEOBJECT, max: usize, found: &mut Vec<Object>) {
        const FORM: c_int = 5;
        if object.is_null() {
            return;
        }
        if self.object_type(object) != FORM {
            return found.push(self.kind(object));
        }
        // SAFETY: the object is a form of the open page.
        let count = unsafe { self.pdfium.FPDFFormObj_CountObjects(object) };
        for index in 0..u64::try_from(count).unwrap_or(0) {
            if found.len() >= max {
                return;
            }
            // SAFETY: the object is a form of the open page; pdfium checks the index.
            let part = unsafe { self.pdfium.FPDFFormObj_GetObject(object, index) };
            if !part.is_null() {
                found.push(self.kind(part));
            }
        }
    }

    fn object_type(&self, object: FPDF_PAGEOBJECT) -> c_int {
        // SAFETY: the object belongs to the open page.
        unsafe { self.pdfium.FPDFPageObj_GetType(object) }
    }

    fn kind(&self, object: FPDF_PAGEOBJECT) -> Object {
        const TEXT: c_int = 1;
        if self.object_type(object) == TEXT {
            Object::Text
        } else {
            Object::Drawing
        }
    }

    /// The page's characters; `None` where pdfium cannot read them.
    pub fn text(&self) -> Option<TextPage<'_>> {
        // SAFETY: the page is open.
        let handle = unsafe { self.pdfium.FPDFText_LoadPage(self.handle) };
        (!handle.is_null()).then_some(TextPage {
            pdfium: self.pdfium,
            handle,
            page: PhantomData,
        })
    }
}

impl Drop for PageHandle<'_> {
    fn drop(&mut self) {
        // SAFETY: the page is open, and its text, which borrows it, is closed.
        unsafe { self.pdfium.FPDF_ClosePage(self.handle) }
    }
}
