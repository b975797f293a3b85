//! The namespaces that readers know.

/// A namespace that readers know, or that says so little that no reader needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Space {
    /// No namespace.
    None,
    /// WordprocessingML.
    Word,
    /// Formulas of Office.
    Math,
    /// Drawings of Office.
    OfficeDrawing,
    /// Alternatives for programs of different age.
    Compatibility,
    /// Attributes that name a relationship.
    Relationship,
    /// The list of a part's relationships.
    Relationships,
    /// OpenDocument: the document as a whole.
    Office,
    /// OpenDocument: text.
    Text,
    /// OpenDocument: tables.
    Table,
    /// OpenDocument: styles.
    Style,
    /// OpenDocument: drawings.
    Drawing,
    /// OpenDocument: what LibreOffice adds.
    LibreOffice,
    /// OpenDocument: the list of files.
    Manifest,
    /// Dublin Core: names and dates.
    DublinCore,
    /// Any other namespace.
    Other,
}

impl Space {
    /// The namespace of a URI. Strict files of Office have URIs of their own.
    pub(super) fn of(uri: &[u8]) -> Self {
        match uri {
            b"" => Self::None,
            b"http://schemas.openxmlformats.org/wordprocessingml/2006/main"
            | b"http://purl.oclc.org/ooxml/wordprocessingml/main" => Self::Word,
            b"http://schemas.openxmlformats.org/officeDocument/2006/math"
            | b"http://purl.oclc.org/ooxml/officeDocument/math" => Self::Math,
            b"http://schemas.openxmlformats.org/drawingml/2006/main" | b"http://purl.oclc.org/ooxml/drawingml/main" => {
                Self::OfficeDrawing
            }
            b"http://schemas.openxmlformats.org/markup-compatibility/2006" => Self::Compatibility,
            b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
            | b"http://purl.oclc.org/ooxml/officeDocument/relationships" => Self::Relationship,
            b"http://schemas.openxmlformats.org/package/2006/relationships" => Self::Relationships,
            b"urn:oasis:names:tc:opendocument:xmlns:office:1.0" => Self::Office,
            b"urn:oasis:names:tc:opendocument:xmlns:text:1.0" => Self::Text,
            b"urn:oasis:names:tc:opendocument:xmlns:table:1.0" => Self::Table,
            b"urn:oasis:names:tc:opendocument:xmlns:style:1.0" => Self::Style,
            b"urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" => Self::Drawing,
            b"urn:org:documentfoundation:names:experimental:office:xmlns:loext:1.0" => Self::LibreOffice,
            b"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" => Self::Manifest,
            b"http://purl.org/dc/elements/1.1/" => Self::DublinCore,
            _ => Self::Other,
        }
    }
}
