//! A ZIP with the files of brat: `ID.txt`, `ID.ann` in its standoff format, and `annotation.conf` with the labels.
//!
//! brat's server is Python and counts Unicode scalar values. An annotation stands on one line of the `.ann` file, so an entity
//! with a line break in it becomes a discontinuous annotation: fragments, which brat shows as one entity.

use std::fmt::Write as _;

use crate::archive::Archive;
use crate::document::Document;
use crate::found::{Details, Found};
use crate::json;
use crate::label::{self, Labels};
use crate::part::{ExportError, Part, Want, Writer};

/// What Python's `splitlines` takes for the end of a line and JSON does not escape by itself.
const LINE_ENDS_IN_JSON: [(char, &str); 3] = [('\u{85}', "\\u0085"), ('\u{2028}', "\\u2028"), ('\u{2029}', "\\u2029")];

/// Where the format is.
#[derive(Clone, Copy)]
enum Step {
    Begin,
    Text,
    Entities,
    Done,
}

pub(crate) struct Brat {
    document: Document,
    archive: Archive,
    labels: Labels,
    step: Step,
}

impl Brat {
    pub fn new(document: Document) -> Self {
        Self {
            document,
            archive: Archive::new(),
            labels: Labels::default(),
            step: Step::Begin,
        }
    }

    fn end(&mut self) -> Result<(), ExportError> {
        self.archive.begin("annotation.conf".to_owned())?;
        let mut conf = "[entities]\n".to_owned();
        for label in self.labels.iter() {
            conf.push_str(label);
            conf.push('\n');
        }
        conf.push_str("\n[relations]\n\n[events]\n\n[attributes]\n");
        self.archive.append(conf.as_bytes())?;
        self.archive.end()
    }
}

impl Writer for Brat {
    fn wants(&self) -> Want {
        match self.step {
            Step::Begin | Step::Text => Want::Text,
            Step::Entities => Want::Entity,
            Step::Done => Want::Nothing,
        }
    }

    fn take(&mut self, part: Part<'_>, out: &mut Vec<u8>) -> Result<(), ExportError> {
        if let Step::Begin = self.step {
            self.archive.begin(format!("{}.txt", self.document.id))?;
            self.step = Step::Text;
        }
        match (part, self.step) {
            (Part::Text(piece), Step::Text) => self.archive.append(piece.as_bytes())?,
            (Part::TextEnd, Step::Text) => {
                self.archive.begin(format!("{}.ann", self.document.id))?;
                self.step = Step::Entities;
            }
            (Part::Entity(found), Step::Entities) => {
                let label = label::word(&found.entity.label);
                let lines = annotation(&found, &label, &self.document);
                self.archive.append(&lines)?;
                self.labels.add(&label);
            }
            (Part::EntityEnd, Step::Entities) => {
                self.end()?;
                self.step = Step::Done;
            }
            _ => return Err(ExportError::NotWanted),
        }
        self.archive.drain(out);
        Ok(())
    }
}

/// The lines of an entity: the annotation, and a note with all that brat has no field for.
fn annotation(found: &Found, label: &str, document: &Document) -> Vec<u8> {
    let number = found.ordinal;
    let (mut places, mut words) = (String::new(), String::new());
    for (start, fragment) in fragments(&found.entity.text) {
        let start = found.entity.span.start + start;
        let end = start + u32::try_from(fragment.chars().count()).unwrap_or(u32::MAX);
        let (semicolon, blank) = if places.is_empty() { ("", "") } else { (";", " ") };
        let _ = write!(places, "{semicolon}{start} {end}");
        words = words + blank + fragment;
    }
    if places.is_empty() {
        return Vec::new();
    }
    let mut note = Vec::new();
    json::push(&mut note, &Details::of(&found.entity, document));
    let mut note = String::from_utf8_lossy(&note).into_owned();
    for (line_end, escaped) in LINE_ENDS_IN_JSON {
        note = note.replace(line_end, escaped);
    }
    format!("T{number}\t{label} {places}\t{words}\n#{number}\tAnnotatorNotes T{number}\t{note}\n").into_bytes()
}

/// The parts of an entity's text between characters that a line of the `.ann` file cannot hold, each with the number of characters
/// before it.
fn fragments(text: &str) -> impl Iterator<Item = (u32, &str)> {
    let breaks = |c: char| c.is_control() || c == '\u{2028}' || c == '\u{2029}';
    let mut chars = 0;
    let parts = text.split(breaks).map(move |fragment| {
        let start = chars;
        chars += u32::try_from(fragment.chars().count()).unwrap_or(u32::MAX) + 1;
        (start, fragment)
    });
    parts.filter(|(_, fragment)| !fragment.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_is_divided_where_its_lines_are() {
        let all = |text| fragments(text).collect::<Vec<_>>();
        assert_eq!(all("one"), [(0, "one")]);
        assert_eq!(all("é😀\r\n b\tc"), [(0, "é😀"), (4, " b"), (7, "c")]);
        assert_eq!(all("a\u{2028}\n \nb"), [(0, "a"), (5, "b")]);
        assert_eq!(all("\n"), []);
    }
}
