//! Documents with a structure -> their text and its map. All of it runs in a process of its own (`sandbox`).

pub(crate) mod archive;
mod attachment;
mod docx;
pub mod encoding;
mod flow;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod html;
mod mail;
mod odt;
mod package;
mod page_image;
mod pdf;
mod picture;
mod resolution;
mod roles;
mod rtf;
mod scan;
pub mod sniff;
mod xml;

use std::path::Path;
use std::time::Duration;

use attachment::Attachment;
use docket_contract::coverage::{Coverage, PageCoverage, Remark, WithoutText};
use docket_contract::media_type::{Declared, MediaType};
use docket_contract::page_ranges::PageRanges;
use docket_contract::text_map::{self, Page, Reading, TextMap};
use serde::{Deserialize, Serialize};

use crate::kind::Kind;
use crate::limits::Limits;
use crate::plain::{coverage, encoding_of};
use crate::refusal::{Format, Refusal};
use crate::sandbox::{Answer, PictureReader};
use crate::way::media_type;
use crate::writer::{Block, Writer};
use scan::Ocr;

/// What a child is asked to read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Request {
    /// The declared content type.
    pub declared: String,
    /// The document's file name.
    pub file_name: Option<String>,
    /// The pages to read; all pages otherwise.
    pub pages: Option<String>,
    /// Whether the files within the document are to be unpacked.
    pub files: bool,
    /// The page to draw, counted from 1, instead of reading the document.
    pub image_of: Option<u32>,
    /// How OCR is used; without, pages without text stay so.
    pub ocr: Option<OcrUse>,
    /// What the document may cost.
    pub limits: Limits,
}

/// How a child uses OCR.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct OcrUse {
    /// Pictures that are read at a time.
    pub at_once: usize,
    /// CPU time of the child, in seconds, after which it draws no page.
    pub cpu_seconds: u64,
}

/// What is known of a document beside its text and map.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct About {
    /// What of the document was read.
    pub coverage: Coverage,
    /// Memory that the map takes once it is read, in bytes.
    pub map_memory: usize,
}

/// What all readers give.
struct Read {
    text: String,
    map: TextMap,
    coverage: Coverage,
    files: Vec<Attachment>,
}

impl Read {
    /// A document that has pages and no files within.
    fn of_pages(text: String, map: TextMap, mut coverage: Coverage) -> Self {
        coverage.pages = Some(page_coverage(&map.pages));
        Self {
            text,
            map,
            coverage,
            files: Vec::new(),
        }
    }
}

/// A file within a document, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileHead {
    /// The file's name.
    pub file_name: Option<String>,
    /// The media type that its sender declared.
    pub media_type: String,
    /// The character set that its sender declared.
    pub charset: Option<String>,
    /// Size in bytes.
    pub bytes: usize,
}

/// The libraries of the readers, loaded before a child is confined.
pub(crate) struct Libraries {
    pdf: Option<pdf::Library>,
}

impl Libraries {
    /// Loads what can be loaded. A document that needs what cannot be loaded ends its child.
    pub(crate) fn load(pdfium: &Path) -> Self {
        Self {
            pdf: pdf::Library::load(pdfium).ok(),
        }
    }

    fn pdf(&self) -> &pdf::Library {
        self.pdf.as_ref().expect("a worker starts only with pdfium")
    }
}

/// Reads a document: the text and the bytes of its map.
pub(crate) fn read(
    libraries: &Libraries,
    request: &Request,
    bytes: &[u8],
    reader: PictureReader,
) -> Result<Answer<About>, Refusal> {
    // The worker has parsed both before.
    let declared = Declared::parse(&request.declared).unwrap_or(Declared::UNKNOWN);
    let pages = request.pages.as_deref().and_then(|pages| pages.parse().ok());
    let found = sniff::sniff(bytes);
    let Some(media_type) = media_type(found, declared, request.file_name.as_deref()) else {
        return Err(match found {
            Kind::EncryptedOffice => Refusal::Encrypted,
            found => Refusal::Unsupported { found },
        });
    };
    let document = Document {
        bytes,
        declared,
        pages,
        limits: &request.limits,
    };
    if let Some(page) = request.image_of {
        return document.image(libraries, media_type, page);
    }
    let ocr = request.ocr.map(|OcrUse { at_once, cpu_seconds }| Ocr {
        reader,
        at_once,
        cpu_max: Duration::from_secs(cpu_seconds),
    });
    let read = document.read(libraries, media_type, ocr)?;
    Ok(answer(read, request.files))
}

/// What is sent to the worker, part by part: the text, the map, the list of files, and the files' bytes.
fn answer(mut read: Read, with_files: bool) -> Answer<About> {
    let (mut heads, mut contents) = (Vec::new(), Vec::new());
    for file in read.files {
        let counts = read.coverage.files.get_or_insert_default();
        match file.bytes {
            Ok(_) if !with_files => counts.not_opened += 1,
            Err(_) => counts.refused += 1,
            Ok(bytes) => {
                counts.documents += 1;
                heads.push(FileHead {
                    file_name: file.file_name,
                    media_type: file.media_type,
                    charset: file.charset,
                    bytes: bytes.len(),
                });
                contents.extend(bytes);
            }
        }
    }
    let about = About {
        map_memory: read.map.memory_bytes(),
        coverage: read.coverage,
    };
    let heads = serde_json::to_vec(&heads).expect("names and numbers have a form in JSON");
    Answer {
        about,
        parts: vec![read.text.into_bytes(), read.map.to_bytes(), heads, contents],
    }
}

struct Document<'a> {
    bytes: &'a [u8],
    declared: Declared,
    pages: Option<PageRanges>,
    limits: &'a Limits,
}

impl Document<'_> {
    fn read(&self, libraries: &Libraries, media_type: MediaType, ocr: Option<Ocr>) -> Result<Read, Refusal> {
        let mut coverage = coverage(media_type, self.declared);
        let mut writer = Writer::new(self.limits);
        let mut files = Vec::new();
        match media_type {
            MediaType::Pdf => return self.pdf(libraries, ocr, coverage),
            MediaType::Docx => docx::read(self.bytes, &mut writer, self.limits)?,
            MediaType::Odt => odt::read(self.bytes, &mut writer, self.limits)?,
            MediaType::Rtf => rtf::read(self.bytes, &mut writer)?,
            MediaType::Html => self.html(&mut writer, &mut coverage)?,
            MediaType::Mail => {
                let enclosed = mail::read(self.bytes, &mut writer, self.limits, &html::read)?;
                files = enclosed.attachments;
                let pictures_left_out = u32::try_from(enclosed.pictures_left_out).unwrap_or(u32::MAX);
                if pictures_left_out > 0 {
                    coverage.files.get_or_insert_default().pictures_left_out = pictures_left_out;
                }
            }
            MediaType::Zip => files = archive::read(self.bytes, self.limits)?,
            MediaType::Png => return self.picture(Format::Png, ocr, coverage),
            MediaType::Jpeg => return self.picture(Format::Jpeg, ocr, coverage),
            MediaType::Tiff => return self.picture(Format::Tiff, ocr, coverage),
            MediaType::Plain | MediaType::Markdown | MediaType::Unknown => {
                return Err(Refusal::Unsupported { found: Kind::Unknown });
            }
        }
        let (text, blocks) = writer.finish();
        let map = TextMap {
            pages: Vec::new(),
            blocks: blocks.iter().map(mapped).collect(),
        };
        Ok(Read {
            text,
            map,
            coverage,
            files,
        })
    }

    /// The image of a page: the only part of its answer.
    fn image(&self, libraries: &Libraries, media_type: MediaType, page: u32) -> Result<Answer<About>, Refusal> {
        let image = match media_type {
            MediaType::Pdf => pdf::image(libraries.pdf(), self.as_pdf(), page)?,
            MediaType::Png => picture::image(self.bytes, Format::Png, page, self.limits)?,
            MediaType::Jpeg => picture::image(self.bytes, Format::Jpeg, page, self.limits)?,
            MediaType::Tiff => picture::image(self.bytes, Format::Tiff, page, self.limits)?,
            MediaType::Docx
            | MediaType::Odt
            | MediaType::Rtf
            | MediaType::Html
            | MediaType::Mail
            | MediaType::Zip
            | MediaType::Plain
            | MediaType::Markdown
            | MediaType::Unknown => return Err(Refusal::Unsupported { found: Kind::Unknown }),
        };
        Ok(Answer {
            about: About::default(),
            parts: vec![image],
        })
    }

    fn html(&self, writer: &mut Writer, coverage: &mut Coverage) -> Result<(), Refusal> {
        let said = self.declared.charset.map(encoding_rs::Encoding::name);
        let decoded = encoding::decode(self.bytes, said, true)?;
        coverage.encoding = Some(encoding_of(&decoded));
        html::read(&decoded.text, writer)
    }

    fn pdf(&self, libraries: &Libraries, mut ocr: Option<Ocr>, mut coverage: Coverage) -> Result<Read, Refusal> {
        let read = pdf::read(libraries.pdf(), self.as_pdf(), ocr.as_mut(), self.limits)?;
        if read.form_xfa {
            coverage.remarks.push(Remark::XfaForm.as_str().to_owned());
        }
        Ok(Read::of_pages(read.text, read.map, coverage))
    }

    fn as_pdf(&self) -> pdf::Asked<'_> {
        pdf::Asked {
            bytes: self.bytes,
            password: None,
            pages: self.pages.as_ref(),
        }
    }

    fn picture(&self, format: Format, mut ocr: Option<Ocr>, coverage: Coverage) -> Result<Read, Refusal> {
        let (text, map) = picture::read(self.bytes, format, self.pages.as_ref(), ocr.as_mut(), self.limits)?;
        Ok(Read::of_pages(text, map, coverage))
    }
}

/// A block as the map has it. Texts are below 4 GiB by their limit.
fn mapped(block: &Block) -> text_map::Block {
    let number = |byte: usize| u32::try_from(byte).unwrap_or(u32::MAX);
    text_map::Block {
        bytes: number(block.start)..number(block.end),
        region: block.region,
        place: Some(block.place),
    }
}

/// How sure OCR is of the average page that it read, in percent.
fn ocr_confidence(pages: &[Page]) -> Option<u8> {
    let sure: Vec<u64> = pages.iter().filter_map(|page| page.confidence.map(u64::from)).collect();
    let mean = sure.iter().sum::<u64>().checked_div(sure.len() as u64)?;
    u8::try_from(mean).ok()
}

/// How the pages were read, in numbers.
fn page_coverage(pages: &[Page]) -> PageCoverage {
    let count = |pages: usize| u32::try_from(pages).unwrap_or(u32::MAX);
    let with = |reading| pages.iter().filter(move |page| page.reading == reading);
    let without = Reading::ALL.iter().filter_map(|&reading| {
        let which = PageRanges::of(with(reading).map(|page| page.number))?;
        let is_read = matches!(reading, Reading::Text | Reading::Ocr);
        (!is_read).then(|| WithoutText {
            why: reading.as_str().to_owned(),
            count: count(with(reading).count()),
            pages: which.first_ranges(),
        })
    });
    PageCoverage {
        total: count(pages.len()),
        read: count(with(Reading::Text).count()),
        by_ocr: count(with(Reading::Ocr).count()),
        ocr_confidence: ocr_confidence(pages),
        without_text: without.collect(),
    }
}
