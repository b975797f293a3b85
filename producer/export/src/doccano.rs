//! A line of doccano's JSONL for sequence labelling: `text`, and `label` as a list of start, end and label. doccano keeps other
//! fields as the example's metadata. A field an entity has no place in it.
//!
//! doccano's server is Python and counts Unicode scalar values.

use crate::document::Document;
use crate::found::Found;
use crate::json::push;
use crate::text_first::Shape;

pub(crate) const SHAPE: Shape = Shape {
    head,
    between,
    entity,
    tail: "]}\n",
};

fn head(out: &mut Vec<u8>, document: &Document) {
    out.extend_from_slice(b"{\"title\":");
    push(out, &document.title());
    out.extend_from_slice(b",\"document_id\":");
    push(out, &document.id.to_string());
    out.extend_from_slice(b",\"job_id\":");
    push(out, &document.job.to_string());
    out.extend_from_slice(b",\"model\":");
    push(out, &document.model);
    out.extend_from_slice(b",\"text\":\"");
}

fn between(out: &mut Vec<u8>, _: &Document) {
    out.extend_from_slice(b"\",\"label\":[");
}

fn entity(out: &mut Vec<u8>, Found { entity, .. }: &Found, _: &Document) {
    push(out, &(entity.span.start, entity.span.end, &entity.label));
}
