//! What kind of document the bytes are: by magic numbers, by the list of files in a ZIP archive, and by the first lines of a text.
//! Looks at the first and last kilobytes, and at the list of an archive or the directory of a compound file under bounds, whatever
//! the document's size.

mod compound;
mod markup;
mod package;

use super::encoding::wide_shape;
use crate::kind::Kind;
use crate::limits::CONTROLS_PERCENT_MAX;

/// Bytes at the start in which a PDF's header may stand, as readers of PDF have it.
const PDF_HEADER_WITHIN: usize = 1024;
/// Bytes at the start that tell text from binary data, and HTML and mail from other text.
const HEAD_BYTES: usize = 8192;

/// Tells what kind of document the bytes are.
pub fn sniff(bytes: &[u8]) -> Kind {
    let head = bytes.get(..HEAD_BYTES).unwrap_or(bytes);
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return package::kind(bytes);
    }
    if bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return compound::kind(bytes);
    }
    of_magic(head)
        .or_else(|| of_blank_start(head))
        .unwrap_or_else(|| of_text(head))
}

fn of_magic(head: &[u8]) -> Option<Kind> {
    const MAGIC: [(&[u8], Kind); 26] = [
        (b"%PDF-", Kind::Pdf),
        (b"\x89PNG\r\n\x1a\n", Kind::Png),
        (b"\xff\xd8\xff", Kind::Jpeg),
        (b"II*\0", Kind::Tiff),
        (b"MM\0*", Kind::Tiff),
        (b"II+\0\x08\0", Kind::Tiff),
        (b"MM\0+\0\x08", Kind::Tiff),
        (b"GIF87a", Kind::Gif),
        (b"GIF89a", Kind::Gif),
        (b"\x1f\x8b\x08", Kind::Gzip),
        (b"7z\xbc\xaf\x27\x1c", Kind::OtherArchive),
        (b"Rar!\x1a\x07", Kind::OtherArchive),
        (b"\xfd7zXZ\0", Kind::OtherArchive),
        (b"\x28\xb5\x2f\xfd", Kind::OtherArchive),
        (b"%!PS", Kind::PostScript),
        (b"\x04%!PS", Kind::PostScript),
        (b"\xc5\xd0\xd3\xc6", Kind::PostScript),
        (b"\x7fELF", Kind::Executable),
        (b"\xfe\xed\xfa\xce", Kind::Executable),
        (b"\xfe\xed\xfa\xcf", Kind::Executable),
        (b"\xce\xfa\xed\xfe", Kind::Executable),
        (b"\xcf\xfa\xed\xfe", Kind::Executable),
        (b"\xca\xfe\xba\xbe", Kind::Executable),
        (b"\0asm", Kind::Executable),
        (b"BZh91AY&SY", Kind::OtherArchive),
        (b"BZh61AY&SY", Kind::OtherArchive),
    ];
    let magic = MAGIC.iter().find(|(magic, _)| head.starts_with(magic));
    magic.map(|&(_, kind)| kind).or_else(|| of_long_magic(head))
}

/// Formats whose first letters may begin a text too, so that more has to fit.
fn of_long_magic(head: &[u8]) -> Option<Kind> {
    match head {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Kind::Webp),
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, _, _, _, _, 12..=124, 0, 0, 0, ..] => Some(Kind::Bmp),
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => {
            const BRANDS: [&[u8]; 7] = [b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1", b"avif"];
            BRANDS
                .iter()
                .any(|known| brand.starts_with(known))
                .then_some(Kind::Heif)
        }
        // A program of DOS or Windows has NULs in its header, and a text has none.
        [b'M', b'Z', header @ ..] => header.get(..62)?.contains(&0).then_some(Kind::Executable),
        _ => None,
    }
}

/// Formats that readers accept after blanks or a byte order mark.
fn of_blank_start(head: &[u8]) -> Option<Kind> {
    let start = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    if start.starts_with(b"{\\rtf") {
        return Some(Kind::Rtf);
    }
    if start.starts_with(b"%PDF-") {
        return Some(Kind::Pdf);
    }
    None
}

/// Whether a PDF begins within the first 1,024 bytes. A text may speak of `%PDF-`, so the first object has to follow.
fn has_late_pdf(head: &[u8]) -> bool {
    let within = head.get(..PDF_HEADER_WITHIN).unwrap_or(head);
    let Some(at) = find(within, b"%PDF-") else { return false };
    let rest = head.get(at..).unwrap_or_default();
    let version = matches!(rest, [_, _, _, _, _, b'1'..=b'2', b'.', b'0'..=b'9', ..]);
    let after = rest.get(..PDF_HEADER_WITHIN).unwrap_or(rest);
    version && find(after, b" obj").is_some()
}

fn of_text(head: &[u8]) -> Kind {
    let narrow = narrow(head);
    match () {
        // First: a mail may begin like a page behind its header, and have a PDF or another binary file near its start.
        () if markup::is_mail(&narrow, head.len() >= HEAD_BYTES) => Kind::Mail,
        () if has_late_pdf(head) => Kind::Pdf,
        () if !is_text(head) => Kind::Unknown,
        () if markup::is_html(&narrow) => Kind::Html,
        () => Kind::Text,
    }
}

/// Whether the bytes are text: marked as such, of the shape of UTF-16, or with few control characters.
fn is_text(head: &[u8]) -> bool {
    if encoding_rs::Encoding::for_bom(head).is_some() || wide_shape(head).is_some() {
        return true;
    }
    let is_control = |byte: &&u8| (**byte < 0x20 && !byte.is_ascii_whitespace() && **byte != 0x0b) || **byte == 0x7f;
    let controls = head.iter().filter(is_control).count();
    // A few controls in a short text tell nothing.
    controls <= CONTROLS_FEW || controls.saturating_mul(100) <= head.len().saturating_mul(CONTROLS_PERCENT_MAX)
}

/// This many control characters pass in any text.
const CONTROLS_FEW: usize = 8;

/// The bytes as ASCII, were they UTF-16 or UTF-32: without marks and NULs.
fn narrow(head: &[u8]) -> Vec<u8> {
    let is_part = |byte: &u8| !matches!(byte, 0 | 0xef | 0xbb | 0xbf | 0xfe | 0xff);
    let marks = head.iter().take(4).copied().filter(is_part);
    let rest = head.iter().skip(4).copied().filter(|&byte| byte != 0);
    marks.chain(rest).collect()
}

/// Where a part stands in the bytes.
fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests;
