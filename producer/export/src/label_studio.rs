//! A task of Label Studio with predictions, in the list that its import takes.
//!
//! Label Studio's editor counts Unicode scalar values, and CR and LF as one each: `web/libs/editor/src/tags/object/RichText`,
//! `domManager.ts` and `view.jsx` in HumanSignal/label-studio. Old releases counted UTF-16
//! (HumanSignal/label-studio-frontend, pull request 308).

use serde::Serialize;

use crate::document::Document;
use crate::found::{Details, Found};
use crate::json::push;
use crate::text_first::Shape;

pub(crate) const SHAPE: Shape = Shape {
    head,
    between,
    entity,
    tail: "]}]}]\n",
};

/// The control and the text of the labelling configuration that a prediction belongs to.
const CONTROL: &str = "label";
const TEXT: &str = "text";

#[derive(Serialize)]
struct Region<'a> {
    id: String,
    from_name: &'static str,
    to_name: &'static str,
    r#type: &'static str,
    value: Value<'a>,
    score: f32,
    meta: Details<'a>,
}

#[derive(Serialize)]
struct Value<'a> {
    start: u32,
    end: u32,
    text: &'a str,
    labels: [&'a str; 1],
}

fn head(out: &mut Vec<u8>, document: &Document) {
    out.extend_from_slice(b"[{\"data\":{\"title\":");
    push(out, &document.title());
    out.extend_from_slice(b",\"document_id\":");
    push(out, &document.id.to_string());
    out.extend_from_slice(b",\"job_id\":");
    push(out, &document.job.to_string());
    out.extend_from_slice(b",\"text\":\"");
}

fn between(out: &mut Vec<u8>, document: &Document) {
    out.extend_from_slice(b"\"},\"predictions\":[{\"model_version\":");
    push(out, &document.model);
    out.extend_from_slice(b",\"result\":[");
}

fn entity(out: &mut Vec<u8>, found: &Found, document: &Document) {
    let entity = &found.entity;
    let region = Region {
        id: found.ordinal.to_string(),
        from_name: CONTROL,
        to_name: TEXT,
        r#type: "labels",
        value: Value {
            start: entity.span.start,
            end: entity.span.end,
            text: &entity.text,
            labels: [&entity.label],
        },
        score: entity.score,
        meta: Details::of(entity, document),
    };
    push(out, &region);
}
