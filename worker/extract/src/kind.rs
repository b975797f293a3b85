//! Kinds of documents that are told by their content, those included that are not read.

use serde::{Deserialize, Serialize};

/// What kind of document the bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// PDF.
    Pdf,
    /// Word's format since 2007.
    Docx,
    /// Excel's format since 2007.
    Xlsx,
    /// PowerPoint's format since 2007.
    Pptx,
    /// OpenDocument text.
    Odt,
    /// OpenDocument, but no text: a table, a presentation, a drawing.
    OpenDocument,
    /// An archive that is none of the above.
    Zip,
    /// Rich Text Format.
    Rtf,
    /// HTML.
    Html,
    /// A mail.
    Mail,
    /// Word's format before 2007.
    OldWord,
    /// Excel's format before 2007.
    OldExcel,
    /// PowerPoint's format before 2007.
    OldPowerPoint,
    /// A message that Outlook saved.
    OutlookMessage,
    /// A DOCX, XLSX or PPTX with a password.
    EncryptedOffice,
    /// A compound file that is none of the above.
    CompoundFile,
    /// A PNG picture.
    Png,
    /// A JPEG picture.
    Jpeg,
    /// A TIFF picture.
    Tiff,
    /// A GIF picture.
    Gif,
    /// A WebP picture.
    Webp,
    /// A BMP picture.
    Bmp,
    /// A HEIF or AVIF picture.
    Heif,
    /// Data compressed by gzip.
    Gzip,
    /// Another archive: 7z, RAR, xz, bzip2, Zstandard.
    OtherArchive,
    /// PostScript.
    PostScript,
    /// A program.
    Executable,
    /// Text without a structure.
    Text,
    /// Bytes that are none of these.
    Unknown,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pdf => "a PDF",
            Self::Docx => "a Word document (DOCX)",
            Self::Xlsx => "an Excel workbook (XLSX)",
            Self::Pptx => "a PowerPoint presentation (PPTX)",
            Self::Odt => "an OpenDocument text (ODT)",
            Self::OpenDocument => "an OpenDocument that is no text",
            Self::Zip => "a ZIP archive",
            Self::Rtf => "a Rich Text document (RTF)",
            Self::Html => "an HTML page",
            Self::Mail => "a mail",
            Self::OldWord => "a Word document from before 2007 (DOC)",
            Self::OldExcel => "an Excel workbook from before 2007 (XLS)",
            Self::OldPowerPoint => "a PowerPoint presentation from before 2007 (PPT)",
            Self::OutlookMessage => "an Outlook message (MSG)",
            Self::EncryptedOffice => "an encrypted Office document",
            Self::CompoundFile => "a compound file (OLE)",
            Self::Png => "a PNG picture",
            Self::Jpeg => "a JPEG picture",
            Self::Tiff => "a TIFF picture",
            Self::Gif => "a GIF picture",
            Self::Webp => "a WebP picture",
            Self::Bmp => "a BMP picture",
            Self::Heif => "a HEIF or AVIF picture",
            Self::Gzip => "data compressed by gzip",
            Self::OtherArchive => "an archive",
            Self::PostScript => "a PostScript document",
            Self::Executable => "a program",
            Self::Text => "a text",
            Self::Unknown => "of an unknown kind",
        })
    }
}
