//! A line of the JSONL that Prodigy reads, and that a few lines of Python make a spaCy `Doc` of: `text`, `spans`, `meta`.
//!
//! Both are Python and count Unicode scalar values.

use serde::Serialize;

use crate::document::Document;
use crate::found::{Details, Found};
use crate::json::push;
use crate::text_first::Shape;

pub(crate) const SHAPE: Shape = Shape {
    head,
    between,
    entity,
    tail: "]}\n",
};

#[derive(Serialize)]
struct Meta<'a> {
    title: String,
    document_id: String,
    job_id: String,
    model: &'a str,
}

#[derive(Serialize)]
struct Span<'a> {
    start: u32,
    end: u32,
    label: &'a str,
    text: &'a str,
    #[serde(flatten)]
    details: Details<'a>,
}

fn head(out: &mut Vec<u8>, document: &Document) {
    out.extend_from_slice(b"{\"meta\":");
    let meta = Meta {
        title: document.title(),
        document_id: document.id.to_string(),
        job_id: document.job.to_string(),
        model: &document.model,
    };
    push(out, &meta);
    out.extend_from_slice(b",\"text\":\"");
}

fn between(out: &mut Vec<u8>, _: &Document) {
    out.extend_from_slice(b"\",\"spans\":[");
}

fn entity(out: &mut Vec<u8>, Found { entity, .. }: &Found, document: &Document) {
    let span = Span {
        start: entity.span.start,
        end: entity.span.end,
        label: &entity.label,
        text: &entity.text,
        details: Details::of(entity, document),
    };
    push(out, &span);
}
