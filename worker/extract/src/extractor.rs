//! Reads documents in child processes, and checks what these say.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use docket_contract::media_type::{Declared, MediaType};
use docket_contract::page_ranges::PageRanges;
use docket_contract::text_map::TextMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::ExtractedText;
use crate::limits::Limits;
use crate::parse::{self, About, FileHead, Libraries, OcrUse, Request, archive};
use crate::refusal::Refusal;
use crate::sandbox::{
    Allowance, Counts, End, Enforced, JAIL_COMMAND, Ocr, OcrSettings, Options, ParseError, Pool, StartError, Summary,
    Task, TimeLimit, Unavailable, child, jail,
};

/// The subcommand of the worker's program that makes a process a child.
pub const CHILD_COMMAND: &str = "parse-one-document";

/// How documents are parsed.
#[derive(Debug, Clone)]
pub struct ParseSettings {
    /// Path of pdfium's library.
    pub pdfium: PathBuf,
    /// Documents that are parsed at a time.
    pub parsers: usize,
    /// Memory of a child, in bytes of address space.
    pub memory_bytes: u64,
    /// CPU time of a child, in seconds.
    pub cpu_seconds: u64,
    /// Time of a child.
    pub wall: Duration,
    /// What a document may cost.
    pub limits: Limits,
    /// Whether children must be confined wholly.
    pub sandbox_required: bool,
    /// How pages without text are read; without, they stay so.
    pub ocr: Option<OcrSettings>,
}

/// A document, and what is said of it.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The declared content type.
    pub declared: Declared,
    /// The file's name.
    pub file_name: Option<&'a str>,
    /// The pages to read; all pages otherwise.
    pub pages: Option<&'a PageRanges>,
    /// Whether the files within the document are to be unpacked.
    pub files: bool,
}

/// A file within a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The file's name.
    pub file_name: Option<String>,
    /// What its sender declared.
    pub declared: Declared,
    /// The file's content.
    pub bytes: Bytes,
}

/// What was read of a document.
#[derive(Debug)]
pub struct Reading {
    /// The text, with its map.
    pub text: ExtractedText,
    /// The bytes of the map, for storing.
    pub map: Bytes,
    /// The files within the document.
    pub files: Vec<File>,
}

/// Why a document was not read, apart from what is wrong with the document.
#[derive(Debug, thiserror::Error)]
pub enum ParserError {
    /// The document took too long. Trying again helps if the machine was too busy.
    #[error("reading the document took more than {0}")]
    TimedOut(TimeLimit),
    /// The document needs more memory than a parser has.
    #[error("reading the document needs more than {max} bytes of memory (DOCKET_PARSE_MEMORY_BYTES)")]
    OutOfMemory {
        /// Memory of a parser in bytes.
        max: u64,
    },
    /// The parser crashed, or tried what it must not.
    #[error("the parser ended with {0}")]
    Crashed(End),
    /// The parser sent what no parser sends.
    #[error("the parser's answer is not valid")]
    Forged,
    /// Somebody else ended the parser: most often the kernel, when memory runs out.
    #[error("the parser was killed from outside")]
    Killed,
    /// No parser takes the document.
    #[error("no process can read the document")]
    Unavailable(#[source] Unavailable),
}

/// Why a document was not read: because of the document, the parser, or the room for what was read.
#[derive(Debug)]
pub enum ExtractError<E> {
    /// The document cannot be read.
    Refused(Refusal),
    /// The parser did not finish.
    Parser(ParserError),
    /// The caller has no room, or no place for a scan.
    NoRoom(E),
}

impl<E> From<ParseError<E>> for ExtractError<E> {
    fn from(error: ParseError<E>) -> Self {
        Self::Parser(match error {
            ParseError::Refused(refusal) => return Self::Refused(refusal),
            ParseError::Refusing(error) => return Self::NoRoom(error),
            ParseError::TimedOut(limit) => ParserError::TimedOut(limit),
            ParseError::OutOfMemory { max } => ParserError::OutOfMemory { max },
            ParseError::Crashed(end) => ParserError::Crashed(end),
            ParseError::Protocol(_) | ParseError::Request => ParserError::Forged,
            ParseError::Killed => ParserError::Killed,
            ParseError::Unavailable(why) => ParserError::Unavailable(why),
        })
    }
}

/// Sizes of what was read of a document, known before its bytes are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Bytes of the text.
    pub text: usize,
    /// Bytes of the map, as stored and as used.
    pub map: usize,
    /// Bytes of the files within the document.
    pub files: usize,
}

/// Reads documents in child processes.
#[derive(Debug)]
pub struct Extractor {
    pool: Pool,
    limits: Limits,
    cpu_seconds: u64,
    wall: Duration,
}

/// Runs this process as a child if its arguments say so, and never returns then. Call this first in `main`.
pub fn serve_if_child() {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next() {
        Some(first) if first == CHILD_COMMAND => parse_one_document(arguments.collect()),
        Some(first) if first == JAIL_COMMAND => jail::main(arguments),
        Some(_) | None => {}
    }
}

fn parse_one_document(arguments: Vec<OsString>) -> ! {
    let pdfium = PathBuf::from(arguments.first().cloned().unwrap_or_default());
    child::main(
        arguments.into_iter(),
        || Libraries::load(&pdfium),
        |libraries, request: Request, bytes, reader| parse::read(&libraries, &request, bytes, reader),
    )
}

impl Extractor {
    /// Starts the children, and waits until the first is ready.
    pub async fn start(settings: &ParseSettings, program: PathBuf) -> Result<Self, StartError> {
        let limits = settings.limits.clone();
        let ocr = match settings.ocr.clone() {
            Some(ocr) => Some(Ocr::start(ocr, program.clone(), settings.sandbox_required).await?),
            None => None,
        };
        let options = Options {
            program,
            arguments: vec![CHILD_COMMAND.into(), settings.pdfium.clone().into()],
            at_work_max: settings.parsers,
            warm: settings.parsers,
            allowance: Allowance {
                memory_bytes: settings.memory_bytes,
                cpu_seconds: settings.cpu_seconds,
            },
            answer_bytes_max: answer_bytes_max(&limits),
            required: settings.sandbox_required,
        };
        let pool = Pool::start(options, ocr).await?;
        Ok(Self {
            pool,
            limits,
            cpu_seconds: settings.cpu_seconds,
            wall: settings.wall,
        })
    }

    /// What the children can no longer do.
    pub fn enforced(&self) -> Enforced {
        self.pool.enforced()
    }

    /// How documents ended in the children.
    pub fn counts(&self) -> &Counts {
        self.pool.counts()
    }

    /// What reads pages without text.
    pub fn ocr(&self) -> Option<&Ocr> {
        self.pool.ocr()
    }

    /// The limits of a document.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Reads a document in a child. `admit` gives a place to a document with pages for OCR, which take long, or refuses; `reserve`
    /// makes room for what was read before it is taken. Dropping the future kills the child.
    ///
    /// What comes back was sent by a process that a hostile document may have taken over: [`Parsed::check`] it before it is used.
    pub async fn parse<E>(
        &self,
        source: Source<'_>,
        bytes: Bytes,
        admit: impl FnOnce() -> Result<OwnedSemaphorePermit, E>,
        reserve: impl AsyncFnOnce(Size) -> Result<(), E>,
    ) -> Result<Parsed, ExtractError<E>> {
        let task = Task {
            request: self.request(source, None)?,
            document: bytes,
            wall: self.wall,
        };
        let make_room = async |summary: &Summary<About>| {
            let size = |part: usize| summary.sizes.get(part).copied().unwrap_or_default();
            let map = size(MAP).saturating_add(summary.about.map_memory);
            let files = size(FILE_HEADS).saturating_add(size(FILES));
            reserve(Size {
                text: size(TEXT),
                map,
                files,
            })
            .await
        };
        let parsed = self.pool.parse(task, admit, make_room).await?;
        let mut parts = parsed.parts;
        parts.resize_with(PARTS, Vec::new);
        Ok(Parsed {
            about: parsed.about,
            text: std::mem::take(&mut parts[TEXT]),
            map: std::mem::take(&mut parts[MAP]),
            heads: std::mem::take(&mut parts[FILE_HEADS]),
            files: std::mem::take(&mut parts[FILES]),
        })
    }

    /// Draws a page of a document, counted from 1, in a child: PNG. `reserve` makes room for so many bytes before they are taken.
    pub async fn image<E>(
        &self,
        source: Source<'_>,
        bytes: Bytes,
        page: u32,
        reserve: impl AsyncFnOnce(usize) -> Result<(), E>,
    ) -> Result<Bytes, ExtractError<E>> {
        let task = Task {
            request: self.request(source, Some(page))?,
            document: bytes,
            wall: IMAGE_MAX,
        };
        let make_room = async |summary: &Summary<About>| reserve(summary.bytes()).await;
        // Nothing is read of a page that is drawn, so that the place is never asked for.
        let parsed = self.pool.parse(task, place_for_any_scan, make_room).await?;
        let image = parsed.parts.into_iter().next().unwrap_or_default();
        if !image.starts_with(PNG) || image.len() > IMAGE_BYTES_MAX {
            return Err(ExtractError::Parser(ParserError::Forged));
        }
        Ok(image.into())
    }

    /// What the child is asked, as JSON.
    fn request<E>(&self, source: Source<'_>, image_of: Option<u32>) -> Result<Vec<u8>, ExtractError<E>> {
        let request = Request {
            declared: source.declared.to_string(),
            file_name: source.file_name.map(str::to_owned),
            pages: source.pages.map(ToString::to_string),
            files: source.files,
            image_of,
            ocr: self.pool.ocr().map(|ocr| OcrUse {
                at_once: ocr.processes(),
                cpu_seconds: self.cpu_seconds * 3 / 4, // The rest is for the text.
            }),
            limits: self.limits.clone(),
        };
        serde_json::to_vec(&request).map_err(|_| ParseError::Request.into())
    }
}

/// Gives every scan a place, for those that read one document at a time.
pub fn place_for_any_scan<E>() -> Result<OwnedSemaphorePermit, E> {
    let place = Arc::new(Semaphore::new(1)).try_acquire_owned();
    Ok(place.expect("nobody else has the place"))
}

/// Time for the image of a page, which takes a tenth of a second on a machine that is not busy.
const IMAGE_MAX: Duration = Duration::from_secs(20);
/// Most bytes of an image: its pixels, not packed at all.
const IMAGE_BYTES_MAX: usize = 32 << 20;
/// What every PNG begins with.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Longest name of a file, in characters, as of an upload's.
const FILE_NAME_CHARS_MAX: usize = 255;
/// Most files within a document.
const FILES_MAX: usize = archive::CHILDREN_MAX;
/// Most JSON of what is said of a file, in bytes: a name, a type and a character set of 255 bytes each, of which JSON may write each
/// byte as six. A short head in JSON becomes several times as long in memory, so their number has to be bounded before.
const FILE_HEAD_BYTES_MAX: usize = 5 << 10;

/// The places of an answer's parts, as `parse::answer` sends them.
const TEXT: usize = 0;
const MAP: usize = 1;
const FILE_HEADS: usize = 2;
const FILES: usize = 3;
const PARTS: usize = 4;

/// Most bytes of a text, its map and the files: a box has eight bytes, a block some, and both are compressed.
fn answer_bytes_max(limits: &Limits) -> usize {
    let files = usize::try_from(limits.inflated_bytes).unwrap_or(usize::MAX);
    limits.text_bytes.saturating_mul(16).saturating_add(files)
}

/// What a child read, not checked yet.
#[derive(Debug)]
pub struct Parsed {
    about: About,
    text: Vec<u8>,
    map: Vec<u8>,
    heads: Vec<u8>,
    files: Vec<u8>,
}

impl Parsed {
    /// Checks what a child read. Keeps a CPU busy for some milliseconds a megabyte.
    pub fn check(self, limits: &Limits) -> Result<Reading, ParserError> {
        let text = String::from_utf8(self.text).map_err(|_| ParserError::Forged)?;
        if text.len() > limits.text_bytes || text.contains('\0') {
            return Err(ParserError::Forged);
        }
        let text_bytes = u32::try_from(text.len()).map_err(|_| ParserError::Forged)?;
        let map = TextMap::from_bytes(&self.map, text_bytes, self.about.map_memory);
        let map = map.map_err(|_| ParserError::Forged)?;
        map.check(&text).map_err(|_| ParserError::Forged)?;
        if self.heads.len() > FILES_MAX * FILE_HEAD_BYTES_MAX {
            return Err(ParserError::Forged);
        }
        let heads: Vec<FileHead> = serde_json::from_slice(&self.heads).map_err(|_| ParserError::Forged)?;
        if heads.len() > FILES_MAX {
            return Err(ParserError::Forged);
        }
        let text = ExtractedText {
            text,
            nuls: Vec::new(),
            map: Some(map),
            coverage: self.about.coverage,
        };
        Ok(Reading {
            text,
            map: self.map.into(),
            files: files(heads, self.files.into())?,
        })
    }
}

/// The files of a list, cut out of their bytes.
fn files(heads: Vec<FileHead>, mut bytes: Bytes) -> Result<Vec<File>, ParserError> {
    let mut files = Vec::with_capacity(heads.len());
    for head in heads {
        if head.bytes > bytes.len() {
            return Err(ParserError::Forged);
        }
        files.push(File {
            declared: declared(&head),
            file_name: head.file_name.filter(|name| is_name(name)),
            bytes: bytes.split_to(head.bytes),
        });
    }
    Ok(files)
}

/// What a sender declared of a file; nothing where that is no type that is read.
fn declared(head: &FileHead) -> Declared {
    let media_type = Declared::parse(&head.media_type).map(|declared| declared.media_type);
    let charset = head
        .charset
        .as_deref()
        .and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()));
    Declared {
        media_type: media_type.unwrap_or(MediaType::Unknown),
        charset,
    }
}

/// Whether a name may be stored and shown, as the names of uploads: a child that was taken over may send any.
fn is_name(name: &str) -> bool {
    (1..=FILE_NAME_CHARS_MAX).contains(&name.chars().count()) && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use docket_contract::coverage::Coverage;

    use super::*;

    fn check(heads: &[FileHead]) -> Result<Reading, ParserError> {
        let about = About {
            coverage: Coverage::default(),
            map_memory: 0,
        };
        let parsed = Parsed {
            about,
            text: Vec::new(),
            map: TextMap::default().to_bytes(),
            heads: serde_json::to_vec(heads).expect("names have a form in JSON"),
            files: Vec::new(),
        };
        parsed.check(&Limits {
            pages: 1,
            text_bytes: 1,
            inflated_bytes: 1,
        })
    }

    #[test]
    fn what_is_said_of_files_has_a_largest_size() {
        let head = |type_bytes| FileHead {
            file_name: Some("\"".repeat(255)),
            media_type: "\u{1}".repeat(type_bytes),
            charset: Some("\u{1}".repeat(255)),
            bytes: 0,
        };
        let read = check(&vec![head(255); FILES_MAX]).expect("no file is called by longer words");
        assert_eq!(read.files.len(), FILES_MAX);
        let size = FILES_MAX * FILE_HEAD_BYTES_MAX;
        assert!(matches!(check(&[head(size)]), Err(ParserError::Forged)));
        assert!(matches!(check(&vec![head(0); FILES_MAX + 1]), Err(ParserError::Forged)));
    }
}
