//! An export at work: one format, and the bytes that are ready.

use crate::brat::Brat;
use crate::conll::Conll;
use crate::csv::Csv;
use crate::document::Document;
use crate::format::Format;
use crate::jsonl::Jsonl;
use crate::open_contracts::OpenContracts;
use crate::part::{ExportError, Part, Want, Writer};
use crate::text_first::TextFirst;
use crate::web_annotation::WebAnnotation;
use crate::{doccano, label_studio, spacy};

/// An export that is being made.
pub struct Export {
    writer: Box<dyn Writer>,
    ready: Vec<u8>,
}

impl Export {
    /// Begins an export.
    pub fn new(format: Format, document: Document) -> Self {
        let mut ready = Vec::new();
        let writer: Box<dyn Writer> = match format {
            Format::Jsonl => Box::new(Jsonl::new(document)),
            Format::Csv => Box::new(Csv::new(document, &mut ready)),
            Format::WebAnnotation => Box::new(WebAnnotation::new(document, &mut ready)),
            Format::LabelStudio => Box::new(TextFirst::new(label_studio::SHAPE, document, &mut ready)),
            Format::Doccano => Box::new(TextFirst::new(doccano::SHAPE, document, &mut ready)),
            Format::Spacy => Box::new(TextFirst::new(spacy::SHAPE, document, &mut ready)),
            Format::OpenContracts => Box::new(OpenContracts::new(document)),
            Format::Brat => Box::new(Brat::new(document)),
            Format::Conll => Box::new(Conll::new(&mut ready)),
        };
        Self { writer, ready }
    }

    /// The part that comes next.
    pub fn wants(&self) -> Want {
        self.writer.wants()
    }

    /// Takes the part that was wanted.
    pub fn take(&mut self, part: Part<'_>) -> Result<(), ExportError> {
        self.writer.take(part, &mut self.ready)
    }

    /// How many bytes are ready.
    pub fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Hands out the bytes that are ready.
    pub fn hand_out(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.ready)
    }
}
