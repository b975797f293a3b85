//! Kinds of documents that the product reads: what an upload may declare, and what a worker finds.

use std::fmt;

use encoding_rs::Encoding;

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// Plain text, in any encoding.
    Plain,
    /// Markdown, read as the plain text that it is.
    Markdown,
    /// PDF.
    Pdf,
    /// Word's DOCX.
    Docx,
    /// OpenDocument text.
    Odt,
    /// Rich Text Format.
    Rtf,
    /// HTML.
    Html,
    /// A mail (RFC 5322).
    Mail,
    /// A ZIP archive of documents.
    Zip,
    /// A scan as a PNG picture.
    Png,
    /// A scan as a JPEG picture.
    Jpeg,
    /// A scan as a TIFF file, which may have many pages.
    Tiff,
    /// Declared by callers who do not know the kind: the content decides.
    Unknown,
}

/// What a caller declares about a document's kind: `text/plain; charset=windows-1252`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declared {
    /// The kind.
    pub media_type: MediaType,
    /// The encoding of a text, when the caller named one.
    pub charset: Option<&'static Encoding>,
}

/// Why a content type cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MediaTypeError {
    /// No worker reads this kind of document.
    #[error("documents of type {0} cannot be read")]
    UnknownType(String),
    /// A character set that the WHATWG Encoding Standard does not name.
    #[error("the character set {0} is not known")]
    UnknownCharset(String),
}

/// Names of each kind: the first is the one that is shown. Registered names are from IANA's list of media types; the others are
/// what programs send.
const NAMES: [(MediaType, &[&str]); 13] = [
    (MediaType::Plain, &["text/plain"]),
    (MediaType::Markdown, &["text/markdown", "text/x-markdown"]),
    (MediaType::Pdf, &["application/pdf", "application/x-pdf"]),
    (
        MediaType::Docx,
        &["application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
    ),
    (MediaType::Odt, &["application/vnd.oasis.opendocument.text"]),
    (MediaType::Rtf, &["application/rtf", "text/rtf", "text/richtext"]),
    (MediaType::Html, &["text/html", "application/xhtml+xml"]),
    (MediaType::Mail, &["message/rfc822"]),
    (MediaType::Zip, &["application/zip", "application/x-zip-compressed"]),
    (MediaType::Png, &["image/png"]),
    (MediaType::Jpeg, &["image/jpeg", "image/jpg"]),
    (MediaType::Tiff, &["image/tiff"]),
    (MediaType::Unknown, &["application/octet-stream"]),
];

impl MediaType {
    /// The shown name of every kind.
    pub const NAMES: &'static [&'static str] = &[
        "text/plain",
        "text/markdown",
        "application/pdf",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.oasis.opendocument.text",
        "application/rtf",
        "text/html",
        "message/rfc822",
        "application/zip",
        "image/png",
        "image/jpeg",
        "image/tiff",
        "application/octet-stream",
    ];

    /// The type as shown, without parameters.
    pub fn as_str(self) -> &'static str {
        let known = NAMES.iter().find(|(kind, _)| *kind == self);
        known.map_or("application/octet-stream", |(_, names)| names[0])
    }
}

impl Declared {
    /// What is declared by a caller who knows nothing: the content decides.
    pub const UNKNOWN: Self = Self {
        media_type: MediaType::Unknown,
        charset: None,
    };

    /// Parses a `Content-Type` such as `text/plain; charset=utf-8`. Parameters other than the charset are ignored.
    pub fn parse(content_type: &str) -> Result<Self, MediaTypeError> {
        let mut parts = content_type.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default();
        let is_named = |names: &&[&str]| names.iter().any(|name| essence.eq_ignore_ascii_case(name));
        let known = NAMES.iter().find(|(_, names)| is_named(names));
        let (media_type, _) = known.ok_or_else(|| MediaTypeError::UnknownType(essence.to_owned()))?;
        let mut charset = None;
        for (name, value) in parts.filter_map(|parameter| parameter.split_once('=')) {
            if name.trim().eq_ignore_ascii_case("charset") {
                let label = value.trim().trim_matches('"');
                let known = Encoding::for_label(label.as_bytes());
                charset = Some(known.ok_or_else(|| MediaTypeError::UnknownCharset(label.to_owned()))?);
            }
        }
        Ok(Self {
            media_type: *media_type,
            charset,
        })
    }
}

/// The declaration as it is stored: UTF-8, which every release reads, is left out.
impl fmt::Display for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.media_type.as_str())?;
        match self.charset {
            Some(charset) if charset != encoding_rs::UTF_8 => write!(f, "; charset={}", charset.name().to_lowercase()),
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_names_and_reads_them() {
        for (kind, names) in NAMES {
            for name in names {
                let declared = Declared::parse(&name.to_uppercase()).unwrap();
                assert_eq!(declared.media_type, kind, "{name}");
            }
            assert_eq!(kind.as_str(), names[0]);
        }
        let shown = NAMES.map(|(_, names)| names[0]);
        assert_eq!(MediaType::NAMES, shown);
    }

    #[test]
    fn a_declaration_is_stored_as_it_is_read() {
        for (said, stored) in [
            ("Text/Plain;charset=UTF-8", "text/plain"),
            (
                "text/plain; charset=\"us-ascii\"; format=flowed",
                "text/plain; charset=windows-1252",
            ),
            ("text/html; charset=Shift_JIS", "text/html; charset=shift_jis"),
            ("application/x-pdf", "application/pdf"),
        ] {
            let declared = Declared::parse(said).unwrap();
            assert_eq!(declared.to_string(), stored);
            assert_eq!(Declared::parse(stored).unwrap().to_string(), stored);
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for (bad, error) in [
            ("", MediaTypeError::UnknownType(String::new())),
            ("image/gif", MediaTypeError::UnknownType("image/gif".into())),
            (
                "text/plain; charset=klingon",
                MediaTypeError::UnknownCharset("klingon".into()),
            ),
        ] {
            assert_eq!(Declared::parse(bad), Err(error), "{bad}");
        }
    }
}
