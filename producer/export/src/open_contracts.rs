//! A ZIP that OpenContracts imports into a corpus: the document, beside it the annotations under the same name
//! (`OpenContractDocExport` in its `opencontractserver/types/dicts.py`), and `labels.json`.
//!
//! A PDF goes as it was uploaded, with the words of its pages (PAWLs) and an annotation of words for each entity. Every other
//! document goes as its text, with an annotation of characters for each entity. OpenContracts counts those in UTF-16
//! (`docs/architecture/data_model/annotation_json.md`).

use std::collections::BTreeMap;

use docket_contract::text_map::Rectangle;
use serde::Serialize;
use serde_json::json;

use crate::archive::Archive;
use crate::document::Document;
use crate::found::Found;
use crate::json;
use crate::label::Labels;
use crate::part::{ExportError, Part, Want, Writer};
use crate::pawls::{self, Token};

/// Colours of labels, in turn.
const COLOURS: [&str; 8] = [
    "#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#bcbd22", "#17becf",
];

/// Where the format is.
#[derive(Clone, Copy, PartialEq)]
enum Step {
    Content,
    Pages(usize),
    Entities,
    Original,
    Done,
}

#[derive(Serialize)]
struct Annotation<'a, P> {
    id: String,
    #[serde(rename = "annotationLabel")]
    label: &'a str,
    #[serde(rename = "rawText")]
    text: &'a str,
    page: usize,
    annotation_json: P,
    parent_id: Option<&'a str>,
    annotation_type: &'static str,
    structural: bool,
}

#[derive(Serialize)]
struct Words<'a> {
    bounds: Rectangle,
    #[serde(rename = "tokensJsons")]
    tokens: Vec<TokenId>,
    #[serde(rename = "rawText")]
    text: &'a str,
}

#[derive(Serialize)]
struct TokenId {
    #[serde(rename = "pageIndex")]
    page: usize,
    #[serde(rename = "tokenIndex")]
    token: usize,
}

#[derive(Serialize)]
struct Characters<'a> {
    start: u32,
    end: u32,
    text: &'a str,
}

pub(crate) struct OpenContracts {
    document: Document,
    archive: Archive,
    step: Step,
    begun: bool,
    /// The page whose tokens are known, by its place.
    page: Option<(usize, Vec<Token>)>,
    /// The entity whose page has not arrived yet.
    pending: Option<Found>,
    some: bool,
    labels: Labels,
}

impl OpenContracts {
    pub fn new(document: Document) -> Self {
        Self {
            document,
            archive: Archive::new(),
            step: Step::Content,
            begun: false,
            page: None,
            pending: None,
            some: false,
            labels: Labels::default(),
        }
    }

    fn is_pdf(&self) -> bool {
        !self.document.pdf_pages.is_empty()
    }

    fn begin(&mut self) -> Result<(), ExportError> {
        self.archive.begin(format!("{}.json", self.document.id))?;
        let mut head = b"{\"title\":".to_vec();
        json::push(&mut head, &self.document.title());
        head.extend_from_slice(b",\"description\":");
        json::push(&mut head, &format!("Analysed by {}", self.document.model));
        let file_type = if self.is_pdf() { "application/pdf" } else { "text/plain" };
        head.extend_from_slice(b",\"file_type\":");
        json::push(&mut head, &file_type);
        head.extend_from_slice(b",\"doc_labels\":[],\"relationships\":[],\"page_count\":");
        json::push(&mut head, &self.document.pdf_pages.len().max(1));
        head.extend_from_slice(b",\"content\":\"");
        self.archive.append(&head)
    }

    fn content_ended(&mut self) -> Result<(), ExportError> {
        self.archive.append(b"\",\"pawls_file_content\":[")?;
        self.step = Step::Pages(0);
        self.pages_ended()
    }

    fn pages_ended(&mut self) -> Result<(), ExportError> {
        if self.step == Step::Pages(self.document.pdf_pages.len()) {
            self.archive.append(b"],\"labelled_text\":[")?;
            self.step = Step::Entities;
        }
        Ok(())
    }

    fn entities_ended(&mut self) -> Result<(), ExportError> {
        self.archive.append(b"]}")?;
        self.archive.begin("labels.json".to_owned())?;
        let label_type = if self.is_pdf() { "TOKEN_LABEL" } else { "SPAN_LABEL" };
        let label = |(label, colour)| {
            let description = "An entity that Docket found";
            let fields = json!({
                "id": label, "text": label, "label_type": label_type, "description": description, "color": colour, "icon": "tag",
            });
            (label, fields)
        };
        let labels: BTreeMap<&str, _> = self.labels.iter().zip(COLOURS.into_iter().cycle()).map(label).collect();
        let labels = json!({"text_labels": labels, "doc_labels": {}});
        self.archive.append(labels.to_string().as_bytes())?;
        let ending = if self.is_pdf() { "pdf" } else { "txt" };
        self.archive.begin(format!("{}.{ending}", self.document.id))?;
        self.step = Step::Original;
        Ok(())
    }

    /// The place of the page on which an entity stands.
    fn place_of(&self, found: &Found) -> Option<usize> {
        let byte = found.entity.span.start_byte;
        let after = self.document.pdf_pages.partition_point(|page| page.bytes.start <= byte);
        after.checked_sub(1)
    }

    /// Writes the entity that waits, once its page is there.
    fn write(&mut self) -> Result<(), ExportError> {
        let Some(found) = self.pending.take() else {
            return Ok(());
        };
        let mut annotation = if self.some { b",".to_vec() } else { Vec::new() };
        if self.is_pdf() {
            let place = self.place_of(&found);
            match &self.page {
                Some((at, tokens)) if Some(*at) == place => push_words(&mut annotation, &found, *at, tokens)?,
                _ => {
                    self.pending = Some(found);
                    return Ok(());
                }
            }
        } else {
            push_characters(&mut annotation, &found)?;
        }
        self.some = true;
        self.labels.add(&found.entity.label);
        self.archive.append(&annotation)
    }

    fn entity(&mut self, found: Found) -> Result<(), ExportError> {
        if self.is_pdf() && self.place_of(&found).is_none() {
            let ordinal = found.ordinal;
            return Err(ExportError::Misplaced { ordinal });
        }
        self.pending = Some(found);
        self.write()
    }
}

impl Writer for OpenContracts {
    fn wants(&self) -> Want {
        match self.step {
            Step::Content => Want::Text,
            Step::Pages(place) => Want::Page(place),
            Step::Entities => match self.pending.as_ref().and_then(|found| self.place_of(found)) {
                Some(place) => Want::Page(place),
                None => Want::Entity,
            },
            Step::Original if self.is_pdf() => Want::Original,
            Step::Original => Want::Text,
            Step::Done => Want::Nothing,
        }
    }

    fn take(&mut self, part: Part<'_>, out: &mut Vec<u8>) -> Result<(), ExportError> {
        if !std::mem::replace(&mut self.begun, true) {
            self.begin()?;
        }
        match (part, self.step) {
            (Part::Text(piece), Step::Content) => {
                let mut escaped = Vec::new();
                json::push_piece(&mut escaped, piece);
                self.archive.append(&escaped)?;
            }
            (Part::TextEnd, Step::Content) => self.content_ended()?,
            (Part::Page(page, text), Step::Pages(place)) => {
                let mut written = if place > 0 { b",".to_vec() } else { Vec::new() };
                json::push(&mut written, &pawls::page(place, page, text));
                self.archive.append(&written)?;
                self.step = Step::Pages(place + 1);
                self.pages_ended()?;
            }
            (Part::Page(page, text), Step::Entities) => {
                let place = self.pending.as_ref().and_then(|found| self.place_of(found));
                self.page = place.map(|place| (place, pawls::tokens(page, text)));
                self.write()?;
            }
            (Part::Entity(found), Step::Entities) => self.entity(found)?,
            (Part::EntityEnd, Step::Entities) => self.entities_ended()?,
            (Part::Original(bytes), Step::Original) => self.archive.append(bytes)?,
            (Part::Text(piece), Step::Original) => self.archive.append(piece.as_bytes())?,
            (Part::OriginalEnd | Part::TextEnd, Step::Original) => {
                self.archive.end()?;
                self.step = Step::Done;
            }
            _ => return Err(ExportError::NotWanted),
        }
        self.archive.drain(out);
        Ok(())
    }
}

fn push_words(out: &mut Vec<u8>, found: &Found, page: usize, tokens: &[Token]) -> Result<(), ExportError> {
    let bytes = found.entity.span.bytes();
    let first = tokens.partition_point(|token| token.bytes.end <= bytes.start);
    let last = tokens.partition_point(|token| token.bytes.start < bytes.end);
    let Some(words @ [one, ..]) = tokens.get(first..last) else {
        return Err(ExportError::Misplaced { ordinal: found.ordinal });
    };
    let bounds = words.iter().map(|word| word.place).fold(one.place, pawls::union);
    let words = Words {
        bounds,
        tokens: (first..last).map(|token| TokenId { page, token }).collect(),
        text: &found.entity.text,
    };
    push(
        out,
        found,
        (page, "TOKEN_LABEL"),
        BTreeMap::from([(page.to_string(), words)]),
    );
    Ok(())
}

fn push_characters(out: &mut Vec<u8>, found: &Found) -> Result<(), ExportError> {
    let ordinal = found.ordinal;
    let start = found
        .entity
        .span
        .start_utf16
        .ok_or(ExportError::NotCounted { ordinal })?;
    let length = found.entity.text.encode_utf16().count();
    let characters = Characters {
        start,
        end: start.saturating_add(u32::try_from(length).unwrap_or(u32::MAX)),
        text: &found.entity.text,
    };
    push(out, found, (0, "SPAN_LABEL"), characters);
    Ok(())
}

fn push(out: &mut Vec<u8>, found: &Found, (page, kind): (usize, &'static str), annotation_json: impl Serialize) {
    let annotation = Annotation {
        id: found.ordinal.to_string(),
        label: &found.entity.label,
        text: &found.entity.text,
        page,
        annotation_json,
        parent_id: None,
        annotation_type: kind,
        structural: false,
    };
    json::push(out, &annotation);
}
