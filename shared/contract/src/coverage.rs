//! What of a document was read, and how: nothing is left out without a word.

use serde::{Deserialize, Serialize};

use crate::language::TextLanguage;
use crate::words;

/// What of a document was read, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Coverage {
    /// What the document is by its content, as a media type.
    pub media_type: String,
    /// The media type that was declared, when the content is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<String>,
    /// The encoding of a text's bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// The pages, of documents that have some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<PageCoverage>,
    /// The files within a mail or an archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<FileCoverage>,
    /// The language of the text; missing in results of a release that did not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<TextLanguage>,
    /// What else a reader of the result should know, a word each: see [`Remark`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

impl Coverage {
    /// This coverage with the language of the text, and a remark if the model reads others only.
    pub fn in_language(mut self, language: TextLanguage) -> Self {
        if language.is_other() {
            self.remarks.push(Remark::OtherLanguage.as_str().to_owned());
        }
        self.language = Some(language);
        self
    }
}

/// The encoding of a text, and how it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Encoding {
    /// The encoding's name in the WHATWG Encoding Standard.
    pub name: String,
    /// How the encoding is known: `declared`, `byte_order_mark`, `utf_8`, `meta`, `detected`.
    pub by: String,
    /// Characters that could not be read; each is U+FFFD in the text.
    pub lost: u64,
}

/// What became of the files within a mail or an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FileCoverage {
    /// Files that became documents of their own: this document's children.
    pub documents: u32,
    /// Files that could not be unpacked.
    pub refused: u32,
    /// Files that were not unpacked, since they are nested too deep.
    pub not_opened: u32,
    /// Pictures that are shown within the text, such as logos.
    pub pictures_left_out: u32,
}

/// How the pages of a document were read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PageCoverage {
    /// Pages of the document.
    pub total: u32,
    /// Pages whose text layer was read.
    pub read: u32,
    /// Pages that were read by OCR.
    pub by_ocr: u32,
    /// How sure OCR is of the average character of the average such page, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ocr_confidence: Option<u8>,
    /// Pages without text, by why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without_text: Vec<WithoutText>,
}

/// Pages without text, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct WithoutText {
    /// Why: `empty`, `no_text_layer`, `undecodable`, `unreadable`, `ocr_failed`, `ocr_limit` or `not_asked`.
    pub why: String,
    /// How many.
    pub count: u32,
    /// Which, as `2-9,12`; only the first hundred ranges are named.
    pub pages: String,
}

words!(
    /// What a reader of a result should know of a document.
    Remark {
        /// The PDF is an XFA form, whose content only a viewer with XFA shows.
        XfaForm = "xfa_form",
        /// The text is in a language that the model does not read, so the model's entities may be wrong or missing.
        OtherLanguage = "other_language",
    }
);
