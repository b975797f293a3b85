//! A page of annotations by the W3C's Web Annotation Data Model, in JSON-LD. Each annotation names its place twice: by position,
//! and by quotation with the text around it.
//!
//! The model (section 4.2.5) counts Unicode code points.

use serde::Serialize;
use serde_json::json;

use crate::document::Document;
use crate::found::{Details, Found};
use crate::json::push;
use crate::part::{ExportError, Part, Want, Writer};
use crate::window::Window;

/// Characters quoted before and after an entity.
const AROUND_CHARS: usize = 32;
/// Bytes in which that many characters fit.
const AROUND_BYTES: usize = AROUND_CHARS * 4;

#[derive(Serialize)]
struct Annotation<'a> {
    id: String,
    r#type: &'static str,
    motivation: &'static str,
    body: Body<'a>,
    target: Target<'a>,
    details: Details<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    value: &'a str,
    purpose: &'static str,
}

#[derive(Serialize)]
struct Target<'a> {
    source: &'a str,
    selector: (Position, Quotation<'a>),
}

#[derive(Serialize)]
struct Position {
    r#type: &'static str,
    start: u32,
    end: u32,
}

#[derive(Serialize)]
struct Quotation<'a> {
    r#type: &'static str,
    exact: &'a str,
    prefix: &'a str,
    suffix: &'a str,
}

pub(crate) struct WebAnnotation {
    document: Document,
    source: String,
    window: Window,
    text_ended: bool,
    /// The entity whose text has not arrived yet.
    pending: Option<Found>,
    some: bool,
    ended: bool,
}

impl WebAnnotation {
    pub fn new(document: Document, out: &mut Vec<u8>) -> Self {
        let source = format!("urn:docket:document:{}", document.id);
        let collection = format!("urn:docket:analysis:{}", document.job);
        let terms = json!({
            "docket": "urn:docket:term:",
            "details": {"@id": "docket:details", "@type": "@json"},
        });
        out.extend_from_slice(b"{\"@context\":");
        push(out, &json!(["http://www.w3.org/ns/anno.jsonld", terms]));
        out.extend_from_slice(b",\"id\":");
        push(out, &format!("{collection}:entities"));
        out.extend_from_slice(b",\"type\":\"AnnotationPage\",\"partOf\":");
        push(
            out,
            &json!({"id": collection, "type": "AnnotationCollection", "label": document.title()}),
        );
        out.extend_from_slice(b",\"startIndex\":0,\"items\":[");
        Self {
            document,
            source,
            window: Window::default(),
            text_ended: false,
            pending: None,
            some: false,
            ended: false,
        }
    }

    /// Writes the entity that waits, once the text around it is there.
    fn write(&mut self, out: &mut Vec<u8>) -> Result<(), ExportError> {
        let reaches =
            |found: &mut Found| self.text_ended || self.window.end() >= found.entity.span.bytes().end + AROUND_BYTES;
        let Some(found) = self.pending.take_if(reaches) else {
            return Ok(());
        };
        let quotation = self
            .quotation(&found)
            .ok_or(ExportError::Misplaced { ordinal: found.ordinal })?;
        let entity = &found.entity;
        let annotation = Annotation {
            id: format!("urn:docket:analysis:{}:entity:{}", self.document.job, found.ordinal),
            r#type: "Annotation",
            motivation: "tagging",
            body: Body {
                r#type: "TextualBody",
                value: &entity.label,
                purpose: "tagging",
            },
            target: Target {
                source: &self.source,
                selector: (
                    Position {
                        r#type: "TextPositionSelector",
                        start: entity.span.start,
                        end: entity.span.end,
                    },
                    quotation,
                ),
            },
            details: Details::of(entity, &self.document),
        };
        if self.some {
            out.push(b',');
        }
        push(out, &annotation);
        self.some = true;
        Ok(())
    }

    fn quotation<'a>(&'a self, found: &'a Found) -> Option<Quotation<'a>> {
        let bytes = found.entity.span.bytes();
        let exact = self.window.get(bytes.clone())?;
        let before = self
            .window
            .before(bytes.start.saturating_sub(AROUND_BYTES), bytes.start)?;
        let after = self.window.after(bytes.end)?;
        let prefix = before.char_indices().nth_back(AROUND_CHARS - 1).map_or(0, |(at, _)| at);
        let suffix = after.char_indices().nth(AROUND_CHARS).map_or(after.len(), |(at, _)| at);
        (exact == found.entity.text).then_some(Quotation {
            r#type: "TextQuoteSelector",
            exact,
            prefix: &before[prefix..],
            suffix: &after[..suffix],
        })
    }
}

impl Writer for WebAnnotation {
    fn wants(&self) -> Want {
        match (self.ended, &self.pending) {
            (true, _) => Want::Nothing,
            (false, None) => Want::Entity,
            (false, Some(_)) => Want::Text,
        }
    }

    fn take(&mut self, part: Part<'_>, out: &mut Vec<u8>) -> Result<(), ExportError> {
        match part {
            Part::Text(piece) => {
                if let Some(found) = &self.pending {
                    self.window
                        .forget_before(found.entity.span.bytes().start.saturating_sub(AROUND_BYTES));
                }
                self.window.push(piece);
            }
            Part::TextEnd => self.text_ended = true,
            Part::Entity(found) => self.pending = Some(found),
            Part::EntityEnd => {
                out.extend_from_slice(b"]}\n");
                self.ended = true;
            }
            _ => return Err(ExportError::NotWanted),
        }
        self.write(out)
    }
}
