//! Doors to the readers, for fuzzing.

use docket_contract::media_type::{Declared, MediaType};
use docket_contract::text_map::TextMap;

use super::attachment::Attachment;
use super::{Document, Libraries, picture, sniff};
use crate::limits::Limits;
use crate::refusal::{Format, Refusal};
use crate::way::media_type;

/// What a reader makes of a document.
#[derive(Debug)]
pub struct Read {
    /// The text.
    pub text: String,
    /// The text's map.
    pub map: TextMap,
    /// The files within the document that can be read: their names and bytes.
    pub files: Vec<(Option<String>, Vec<u8>)>,
}

/// Reads bytes as a document of a type, whatever they look like. PDF is read by a library, which has fuzzing of its own; OCR is off.
pub fn read(media_type: MediaType, bytes: &[u8], limits: &Limits) -> Result<Read, Refusal> {
    let document = Document {
        bytes,
        declared: Declared::UNKNOWN,
        pages: None,
        limits,
    };
    let read = document.read(&Libraries { pdf: None }, media_type, None)?;
    let file = |file: Attachment| Some((file.file_name, file.bytes.ok()?));
    Ok(Read {
        text: read.text,
        map: read.map,
        files: read.files.into_iter().filter_map(file).collect(),
    })
}

/// Draws a page of a TIFF, counted from 1, for people to look at.
pub fn image(bytes: &[u8], page: u32, limits: &Limits) -> Result<Vec<u8>, Refusal> {
    picture::image(bytes, Format::Tiff, page, limits)
}

/// The type that a document of which nothing is said is read as.
pub fn recognise(bytes: &[u8]) -> Option<MediaType> {
    media_type(sniff::sniff(bytes), Declared::UNKNOWN, None)
}
