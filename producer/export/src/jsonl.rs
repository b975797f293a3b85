//! A line of JSON an entity, with the fields that the API's entities have.

use serde::Serialize;

use crate::document::Document;
use crate::found::{Details, Found};
use crate::json;
use crate::part::{ExportError, Part, Want, Writer};

#[derive(Serialize)]
struct Line<'a> {
    id: i32,
    label: &'a str,
    text: &'a str,
    start: u32,
    end: u32,
    start_byte: u32,
    end_byte: u32,
    #[serde(flatten)]
    details: Details<'a>,
}

pub(crate) struct Jsonl {
    document: Document,
    ended: bool,
}

impl Jsonl {
    pub fn new(document: Document) -> Self {
        Self { document, ended: false }
    }
}

impl Writer for Jsonl {
    fn wants(&self) -> Want {
        if self.ended { Want::Nothing } else { Want::Entity }
    }

    fn take(&mut self, part: Part<'_>, out: &mut Vec<u8>) -> Result<(), ExportError> {
        match part {
            Part::Entity(Found { ordinal, entity }) => {
                let line = Line {
                    id: ordinal,
                    label: &entity.label,
                    text: &entity.text,
                    start: entity.span.start,
                    end: entity.span.end,
                    start_byte: entity.span.start_byte,
                    end_byte: entity.span.end_byte,
                    details: Details::of(&entity, &self.document),
                };
                json::push(out, &line);
                out.push(b'\n');
            }
            Part::EntityEnd => self.ended = true,
            _ => return Err(ExportError::NotWanted),
        }
        Ok(())
    }
}
