//! What the JSON formats of annotation tools share: the text first, as one string, and then a list of entities.

use crate::document::Document;
use crate::found::Found;
use crate::json;
use crate::part::{ExportError, Part, Want, Writer};

/// What a format writes around the text and for each entity.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// Writes what is before the text, up to its opening quotation mark.
    pub head: fn(&mut Vec<u8>, &Document),
    /// Writes what is between the text and the first entity, from the text's closing quotation mark on.
    pub between: fn(&mut Vec<u8>, &Document),
    /// Writes an entity, without a comma.
    pub entity: fn(&mut Vec<u8>, &Found, &Document),
    /// What is after the last entity.
    pub tail: &'static str,
}

/// Where the format is.
enum Step {
    Text,
    Entities { some: bool },
    Done,
}

pub(crate) struct TextFirst {
    shape: Shape,
    document: Document,
    step: Step,
}

impl TextFirst {
    pub fn new(shape: Shape, document: Document, out: &mut Vec<u8>) -> Self {
        (shape.head)(out, &document);
        Self {
            shape,
            document,
            step: Step::Text,
        }
    }
}

impl Writer for TextFirst {
    fn wants(&self) -> Want {
        match self.step {
            Step::Text => Want::Text,
            Step::Entities { .. } => Want::Entity,
            Step::Done => Want::Nothing,
        }
    }

    fn take(&mut self, part: Part<'_>, out: &mut Vec<u8>) -> Result<(), ExportError> {
        match (part, &mut self.step) {
            (Part::Text(piece), Step::Text) => json::push_piece(out, piece),
            (Part::TextEnd, Step::Text) => {
                (self.shape.between)(out, &self.document);
                self.step = Step::Entities { some: false };
            }
            (Part::Entity(found), Step::Entities { some }) => {
                if std::mem::replace(some, true) {
                    out.push(b',');
                }
                (self.shape.entity)(out, &found, &self.document);
            }
            (Part::EntityEnd, Step::Entities { .. }) => {
                out.extend_from_slice(self.shape.tail.as_bytes());
                self.step = Step::Done;
            }
            _ => return Err(ExportError::NotWanted),
        }
        Ok(())
    }
}
