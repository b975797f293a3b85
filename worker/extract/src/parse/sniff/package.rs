//! Tells by the list of files what a ZIP archive holds. Reads the list alone, and unpacks nothing.

use super::Kind;
use crate::limits::ENTRIES_MAX;

/// Bytes of the record at the end of an archive, without its comment.
const END_BYTES: usize = 22;
/// Longest comment of an archive, in bytes: the format has 16 bits for its length.
const COMMENT_BYTES_MAX: usize = 65_535;
/// Bytes of a file's record in the list, without its name.
const ENTRY_BYTES: usize = 46;
/// Bytes of the record before a file's data, without the file's name.
const LOCAL_BYTES: usize = 30;
/// Bytes of the record that tells where the list of an archive with 64-bit sizes ends.
const LOCATOR_BYTES: usize = 20;

/// What the list of files shows.
#[derive(Debug, Default)]
struct Seen {
    content_types: bool,
    word: bool,
    excel: bool,
    power_point: bool,
    open_document_content: bool,
    open_document_manifest: bool,
}

/// What the archive holds. An archive whose list cannot be found is just an archive, and its reader says what is wrong.
pub(super) fn kind(bytes: &[u8]) -> Kind {
    if let Some(media_type) = stored_media_type(bytes) {
        return of_media_type(media_type);
    }
    let seen = seen(list(bytes).unwrap_or_default());
    match seen {
        Seen {
            content_types: true,
            word: true,
            ..
        } => Kind::Docx,
        Seen {
            content_types: true,
            excel: true,
            ..
        } => Kind::Xlsx,
        Seen {
            content_types: true,
            power_point: true,
            ..
        } => Kind::Pptx,
        // Without its media type in the open, an OpenDocument shows only unpacked what it is. Most are texts.
        Seen {
            open_document_content: true,
            open_document_manifest: true,
            ..
        } => Kind::Odt,
        _ => Kind::Zip,
    }
}

fn of_media_type(media_type: &[u8]) -> Kind {
    const OPEN_DOCUMENT: &[u8] = b"application/vnd.oasis.opendocument.";
    match media_type.strip_prefix(OPEN_DOCUMENT) {
        Some(b"text" | b"text-template" | b"text-master" | b"text-master-template") => Kind::Odt,
        Some(_) => Kind::OpenDocument,
        None => Kind::Zip,
    }
}

/// The first file of an archive, if it is a media type that stands there unpacked.
fn stored_media_type(bytes: &[u8]) -> Option<&[u8]> {
    const NAME: &[u8] = b"mimetype";
    let name_bytes = usize::from(u16_at(bytes, 26)?);
    let extra_bytes = usize::from(u16_at(bytes, 28)?);
    let stored = u16_at(bytes, 8)? == 0;
    let size = usize::try_from(u32_at(bytes, 22)?).ok()?;
    let (name, rest) = bytes.get(LOCAL_BYTES..)?.split_at_checked(name_bytes)?;
    let media_type = rest.get(extra_bytes..)?.get(..size)?.trim_ascii();
    (stored && name == NAME && bytes.starts_with(b"PK\x03\x04")).then_some(media_type)
}

/// The list of files.
fn list(bytes: &[u8]) -> Option<&[u8]> {
    let from = bytes.len().saturating_sub(END_BYTES.saturating_add(COMMENT_BYTES_MAX));
    let tail = bytes.get(from..)?;
    let at = tail
        .windows(4)
        .rposition(|window| window == b"PK\x05\x06")?
        .checked_add(from)?;
    let size = u32_at(bytes, at.checked_add(12)?)?;
    let offset = u32_at(bytes, at.checked_add(16)?)?;
    if size == u32::MAX || offset == u32::MAX {
        return wide_list(bytes, at);
    }
    // Counted from its end, the list is found in an archive too that something was put before.
    let start = at.checked_sub(usize::try_from(size).ok()?)?;
    bytes.get(start..at)
}

/// The list of files of an archive with 64-bit sizes.
fn wide_list(bytes: &[u8], end: usize) -> Option<&[u8]> {
    let locator = bytes
        .get(end.checked_sub(LOCATOR_BYTES)?..end)?
        .strip_prefix(b"PK\x06\x07")?;
    let record = bytes.get(usize::try_from(u64_at(locator, 4)?).ok()?..)?;
    let record = record.strip_prefix(b"PK\x06\x06")?;
    let size = usize::try_from(u64_at(record, 36)?).ok()?;
    let start = usize::try_from(u64_at(record, 44)?).ok()?;
    bytes.get(start..start.checked_add(size)?)
}

fn seen(list: &[u8]) -> Seen {
    let mut seen = Seen::default();
    let mut rest = list;
    for _ in 0..ENTRIES_MAX {
        let Some((name, after)) = entry(rest) else { break };
        seen.take(name);
        rest = after;
    }
    seen
}

/// The first file's name, and the list after the file.
fn entry(list: &[u8]) -> Option<(&[u8], &[u8])> {
    if !list.starts_with(b"PK\x01\x02") {
        return None;
    }
    let name_bytes = usize::from(u16_at(list, 28)?);
    let extra_bytes = usize::from(u16_at(list, 30)?);
    let comment_bytes = usize::from(u16_at(list, 32)?);
    let (name, rest) = list.get(ENTRY_BYTES..)?.split_at_checked(name_bytes)?;
    Some((name, rest.get(extra_bytes.checked_add(comment_bytes)?..)?))
}

impl Seen {
    fn take(&mut self, name: &[u8]) {
        let name = name.strip_prefix(b"/").unwrap_or(name);
        let begins = |folder: &[u8]| {
            name.get(..folder.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(folder))
        };
        self.content_types |= name.eq_ignore_ascii_case(b"[Content_Types].xml");
        self.word |= begins(b"word/");
        self.excel |= begins(b"xl/");
        self.power_point |= begins(b"ppt/");
        self.open_document_content |= name == b"content.xml";
        self.open_document_manifest |= name == b"META-INF/manifest.xml";
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
