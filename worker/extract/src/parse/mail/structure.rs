//! The parts of a mail: where each begins and ends. One pass over the lines, without recursion.
//!
//! A line ends a part if it is the boundary of any multipart that is open, so what a part says of itself cannot hide the parts behind
//! it. Attached mails are not opened.

use std::collections::BTreeMap;

use super::field::{self, Header, Name};
use super::parameters::Parameterized;
use crate::limits::DEPTH_MAX;
use crate::refusal::{Parts, Refusal};

/// Most parts of a mail. A digest of a mailing list has some hundred, and each part may become a document of its own.
pub const PARTS_MAX: usize = 1_000;

/// A part of a mail, or the whole mail.
#[derive(Debug)]
pub struct Part<'a> {
    /// The multipart that holds this part.
    pub parent: Option<usize>,
    /// The part's fields.
    pub header: Header<'a>,
    /// What the part is.
    pub content_type: Parameterized,
    /// Whether parts within this part were found.
    pub has_parts: bool,
    /// What stands behind the header.
    pub body: &'a [u8],
}

/// A multipart whose end was not seen.
struct Open {
    part: usize,
    boundary: Vec<u8>,
}

/// What the lines are that come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// The header of the last part; the field that may go on begins here.
    Header { field: usize },
    /// The body of the last part, or what stands before its first part.
    Body,
    /// Behind the last part of a multipart.
    Epilogue,
}

/// A line with the places where it begins and where the next one does.
#[derive(Clone, Copy)]
struct Line<'a> {
    start: usize,
    next: usize,
    /// The line without its end.
    text: &'a [u8],
}

struct Splitter<'a> {
    bytes: &'a [u8],
    parts: Vec<Part<'a>>,
    open: Vec<Open>,
    /// For each boundary, the places in `open` that have it, ascending.
    boundaries: BTreeMap<Vec<u8>, Vec<usize>>,
    within: Within,
    /// Where the body of the last part begins.
    body: usize,
}

/// The parts of a mail in the order of the mail: the mail itself first.
pub fn split(bytes: &[u8]) -> Result<Vec<Part<'_>>, Refusal> {
    let mut splitter = Splitter {
        bytes,
        parts: Vec::new(),
        open: Vec::new(),
        boundaries: BTreeMap::new(),
        within: Within::Epilogue,
        body: 0,
    };
    splitter.begin(None, 0)?;
    let mut at = 0;
    while let Some(line) = line(bytes, at) {
        at = line.next;
        splitter.take(line)?;
    }
    splitter.end_part(bytes.len())?;
    Ok(splitter.parts)
}

/// The line that begins at `start`.
fn line(bytes: &[u8], start: usize) -> Option<Line<'_>> {
    let rest = bytes.get(start..).filter(|rest| !rest.is_empty())?;
    let length = rest.iter().position(|&byte| byte == b'\n');
    let text = rest.get(..length.unwrap_or(rest.len()))?;
    let next = start + text.len() + usize::from(length.is_some());
    Some(Line {
        start,
        next,
        text: text.strip_suffix(b"\r").unwrap_or(text),
    })
}

impl<'a> Splitter<'a> {
    fn take(&mut self, line: Line<'a>) -> Result<(), Refusal> {
        match self.boundary(line.text) {
            Some((place, is_last)) => self.cross(line, place, is_last),
            None => match self.within {
                Within::Header { field } => self.header_line(line, field),
                Within::Body | Within::Epilogue => Ok(()),
            },
        }
    }

    /// The open multipart that has this line as its boundary, and whether the line ends it.
    fn boundary(&self, line: &[u8]) -> Option<(usize, bool)> {
        let text = line.strip_prefix(b"--")?.trim_ascii_end();
        let find = |text: &[u8]| self.boundaries.get(text).and_then(|places| places.last()).copied();
        if let Some(place) = find(text) {
            return Some((place, false));
        }
        find(text.strip_suffix(b"--")?).map(|place| (place, true))
    }

    /// Ends the part before a boundary, and begins the part behind it.
    fn cross(&mut self, line: Line<'a>, place: usize, is_last: bool) -> Result<(), Refusal> {
        self.end_part(line.start)?;
        self.close(place + 1);
        let parent = self.open.get(place).map(|open| open.part);
        if let Some(part) = parent.and_then(|parent| self.parts.get_mut(parent)) {
            part.has_parts |= !is_last;
        }
        if is_last {
            self.close(place);
            self.within = Within::Epilogue;
            return Ok(());
        }
        self.begin(parent, line.next)
    }

    /// Closes all open multiparts but the first `kept`.
    fn close(&mut self, kept: usize) {
        while self.open.len() > kept {
            let Some(open) = self.open.pop() else { return };
            if let Some(places) = self.boundaries.get_mut(&open.boundary) {
                places.pop();
                if places.is_empty() {
                    self.boundaries.remove(&open.boundary);
                }
            }
        }
    }

    fn begin(&mut self, parent: Option<usize>, start: usize) -> Result<(), Refusal> {
        if self.parts.len() >= PARTS_MAX {
            return Err(Refusal::TooMany {
                what: Parts::MailParts,
                max: PARTS_MAX,
            });
        }
        self.parts.push(Part {
            parent,
            header: Header::default(),
            content_type: Parameterized::default(),
            has_parts: false,
            body: b"",
        });
        self.within = Within::Header { field: start };
        self.body = start;
        Ok(())
    }

    /// Takes a line of a header. `field` is where the field began that the line may continue.
    fn header_line(&mut self, line: Line<'a>, field: usize) -> Result<(), Refusal> {
        let is_first = field == line.start;
        if line.text.starts_with(b" ") || line.text.starts_with(b"\t") {
            if !is_first {
                return Ok(());
            }
        } else {
            self.push_field(field, line.start);
        }
        let has_fields = self.parts.last().is_some_and(|part| part.header.has_fields);
        if line.text.trim_ascii().is_empty() {
            // Blank lines before the first field of the mail are none of its parts.
            let is_before = self.parts.len() == 1 && !has_fields;
            if !is_before {
                return self.end_header(line.next);
            }
            self.within = Within::Header { field: line.next };
            return Ok(());
        }
        if self.parts.len() > 1 && !has_fields && field::split(line.text).is_none() {
            return self.end_header(line.start);
        }
        self.within = Within::Header { field: line.start };
        Ok(())
    }

    fn push_field(&mut self, start: usize, end: usize) {
        let field = self.bytes.get(start..end).unwrap_or_default();
        if let Some(part) = self.parts.last_mut() {
            part.header.push(field);
        }
    }

    /// Ends the header of the last part. The parts of a multipart come next.
    fn end_header(&mut self, body: usize) -> Result<(), Refusal> {
        self.within = Within::Body;
        self.body = body;
        let index = self.parts.len().saturating_sub(1);
        let Some(part) = self.parts.last_mut() else {
            return Ok(());
        };
        if let Some(field) = part.header.first(Name::ContentType) {
            part.content_type = Parameterized::read(field);
        }
        let boundary = part.content_type.get("boundary").map(str::trim_end).unwrap_or_default();
        if !part.content_type.value.starts_with("multipart/") || boundary.is_empty() {
            return Ok(());
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(Refusal::TooDeep { max: DEPTH_MAX });
        }
        let boundary = boundary.as_bytes().to_vec();
        self.boundaries
            .entry(boundary.clone())
            .or_default()
            .push(self.open.len());
        self.open.push(Open { part: index, boundary });
        Ok(())
    }

    /// Ends the last part where the next boundary begins. The line break before a boundary belongs to the boundary.
    fn end_part(&mut self, end: usize) -> Result<(), Refusal> {
        if let Within::Header { field } = self.within {
            self.push_field(field, end);
            self.end_header(end)?;
        }
        if self.within == Within::Body
            && let Some(part) = self.parts.last_mut()
        {
            let body = self.bytes.get(self.body..end).unwrap_or_default();
            let is_whole = end == self.bytes.len();
            part.body = if is_whole { body } else { without_line_end(body) };
        }
        Ok(())
    }
}

fn without_line_end(body: &[u8]) -> &[u8] {
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    body.strip_suffix(b"\r").unwrap_or(body)
}
