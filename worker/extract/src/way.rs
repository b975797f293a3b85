//! How a document is read: by its content first, then by what its caller says and by its file name.

use docket_contract::media_type::{Declared, MediaType};

use crate::kind::Kind;
use crate::parse::sniff::sniff;

/// How a document is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// As plain text, by this process: nothing is parsed.
    Plain(MediaType),
    /// By a parser, in a process of its own.
    Parsed,
}

/// How to read a document. Looks at some kilobytes of the document and parses none of it.
pub fn way(declared: Declared, file_name: Option<&str>, bytes: &[u8]) -> Way {
    // To tell what an archive or a compound file is, its list is parsed.
    if bytes.starts_with(b"PK") || bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        return Way::Parsed;
    }
    match media_type(sniff(bytes), declared, file_name) {
        Some(media_type @ (MediaType::Plain | MediaType::Markdown)) => Way::Plain(media_type),
        Some(_) | None => Way::Parsed,
    }
}

/// The media type that a document is read as; `None` for a kind that is not read.
pub fn media_type(found: Kind, declared: Declared, file_name: Option<&str>) -> Option<MediaType> {
    let said = match declared.media_type {
        MediaType::Unknown => by_name(file_name),
        said => Some(said),
    };
    match (found, said) {
        (Kind::Pdf, _) => Some(MediaType::Pdf),
        (Kind::Docx, _) => Some(MediaType::Docx),
        (Kind::Odt, _) => Some(MediaType::Odt),
        (Kind::Zip, _) => Some(MediaType::Zip),
        (Kind::Png, _) => Some(MediaType::Png),
        (Kind::Jpeg, _) => Some(MediaType::Jpeg),
        (Kind::Tiff, _) => Some(MediaType::Tiff),
        (Kind::Rtf, _) => Some(MediaType::Rtf),
        // Markdown may begin with a tag, and a printed mail is a text like any other.
        (Kind::Html | Kind::Mail, Some(MediaType::Markdown)) => Some(MediaType::Markdown),
        (Kind::Mail, Some(said @ (MediaType::Plain | MediaType::Html))) => Some(said),
        (Kind::Html, Some(MediaType::Mail)) | (Kind::Mail, _) => Some(MediaType::Mail),
        (Kind::Html, _) => Some(MediaType::Html),
        // A text without marks of its own is what its caller says, if that can begin like a text.
        (Kind::Text, Some(said @ (MediaType::Html | MediaType::Mail | MediaType::Markdown))) => Some(said),
        (Kind::Text | Kind::Unknown, _) => Some(MediaType::Plain),
        (
            Kind::Xlsx
            | Kind::Pptx
            | Kind::OpenDocument
            | Kind::OldWord
            | Kind::OldExcel
            | Kind::OldPowerPoint
            | Kind::OutlookMessage
            | Kind::EncryptedOffice
            | Kind::CompoundFile
            | Kind::Gif
            | Kind::Webp
            | Kind::Bmp
            | Kind::Heif
            | Kind::Gzip
            | Kind::OtherArchive
            | Kind::PostScript
            | Kind::Executable,
            _,
        ) => None,
    }
}

fn by_name(file_name: Option<&str>) -> Option<MediaType> {
    let (_, extension) = file_name?.rsplit_once('.')?;
    match extension.to_ascii_lowercase().as_str() {
        "htm" | "html" | "xhtml" => Some(MediaType::Html),
        "md" | "markdown" => Some(MediaType::Markdown),
        "eml" => Some(MediaType::Mail),
        "txt" | "text" => Some(MediaType::Plain),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_as(bytes: &[u8], declared: &str, name: Option<&str>) -> Option<MediaType> {
        media_type(sniff(bytes), Declared::parse(declared).unwrap(), name)
    }

    const ANY: &str = "application/octet-stream";

    #[test]
    fn the_content_decides_first() {
        assert_eq!(read_as(b"%PDF-1.7\n", "text/plain", None), Some(MediaType::Pdf));
        assert_eq!(read_as(b"{\\rtf1 a}", "text/html", None), Some(MediaType::Rtf));
        assert_eq!(
            read_as(b"<!DOCTYPE html><p>a", "text/plain", None),
            Some(MediaType::Html)
        );
        assert_eq!(
            read_as(b"\x89PNG\r\n\x1a\n", "application/pdf", None),
            Some(MediaType::Png)
        );
        assert_eq!(read_as(b"GIF89a", "image/png", None), None);
        assert_eq!(read_as(b"A lease.", "application/pdf", None), Some(MediaType::Plain));
    }

    #[test]
    fn a_text_without_marks_is_what_is_said_of_it() {
        assert_eq!(read_as(b"A lease.", "text/html", None), Some(MediaType::Html));
        assert_eq!(read_as(b"A lease.", ANY, Some("a.MD")), Some(MediaType::Markdown));
        assert_eq!(read_as(b"A lease.", ANY, Some("a.eml")), Some(MediaType::Mail));
        assert_eq!(read_as(b"A lease.", ANY, None), Some(MediaType::Plain));
        assert_eq!(
            read_as(b"A lease.", "text/plain", Some("a.html")),
            Some(MediaType::Plain)
        );
    }

    #[test]
    fn a_printed_mail_is_a_text_if_that_is_said() {
        let mail = b"From: Ada <ada@example.com>\r\nDate: Tue, 1 Dec 2026 10:00:00 +0000\r\nSubject: The lease\r\n\r\nDear Sir,";
        assert_eq!(read_as(mail, "text/plain", None), Some(MediaType::Plain));
        assert_eq!(read_as(mail, "text/markdown", None), Some(MediaType::Markdown));
        assert_eq!(read_as(mail, ANY, None), Some(MediaType::Mail));
        assert_eq!(read_as(mail, "message/rfc822", None), Some(MediaType::Mail));
    }

    #[test]
    fn only_plain_text_is_read_by_this_process() {
        let plain = |bytes: &[u8]| way(Declared::parse("text/plain").unwrap(), None, bytes);
        assert_eq!(plain(b"A lease."), Way::Plain(MediaType::Plain));
        assert_eq!(plain(b"\x00\x01\x02"), Way::Plain(MediaType::Plain));
        for parsed in [&b"PK\x03\x04"[..], b"\xd0\xcf\x11\xe0", b"%PDF-1.4", b"\xff\xd8\xff"] {
            assert_eq!(plain(parsed), Way::Parsed);
        }
    }
}
