//! The formats, with what HTTP says of each.

use docket_contract::words;

words!(
    /// A format that entities are exported in.
    Format {
        /// A line of JSON an entity, with the fields that the API's entities have.
        Jsonl = "jsonl",
        /// A row an entity (RFC 4180).
        Csv = "csv",
        /// A page of W3C Web Annotations in JSON-LD.
        WebAnnotation = "web-annotation",
        /// A task of Label Studio with predictions.
        LabelStudio = "label-studio",
        /// A line of doccano's JSONL.
        Doccano = "doccano",
        /// A line of the JSONL of spaCy and Prodigy.
        Spacy = "spacy",
        /// A ZIP that OpenContracts imports.
        OpenContracts = "opencontracts",
        /// A ZIP with the text and the annotations of brat.
        Brat = "brat",
        /// Words with BIO tags, in the columns of CoNLL-2003.
        Conll = "conll",
    }
);

impl Format {
    /// The format of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.as_str() == name)
    }

    /// The media type of the bytes.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jsonl | Self::Doccano | Self::Spacy => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::WebAnnotation => "application/ld+json; profile=\"http://www.w3.org/ns/anno.jsonld\"",
            Self::LabelStudio => "application/json",
            Self::OpenContracts | Self::Brat => "application/zip",
            Self::Conll => "text/plain; charset=utf-8",
        }
    }

    /// What a file's name ends with, behind a dot.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::WebAnnotation => "annotations.jsonld",
            Self::LabelStudio => "label-studio.json",
            Self::Doccano => "doccano.jsonl",
            Self::Spacy => "spacy.jsonl",
            Self::OpenContracts => "opencontracts.zip",
            Self::Brat => "brat.zip",
            Self::Conll => "conll",
        }
    }
}
