//! A row an entity (RFC 4180), with a header.
//!
//! A cell that begins with `=`, `+`, `-`, `@`, tab or CR would be a formula for a spreadsheet, so it gets an apostrophe before it.
//! So does a cell that begins with an apostrophe: whoever removes one from each cell that has one has the exact text.

use std::borrow::Cow;

use serde::Serialize;

use crate::document::Document;
use crate::found::{Details, Found};
use crate::part::{ExportError, Part, Want, Writer};

/// What a cell is written from.
type Row<'a> = (&'a Found, &'a Details<'a>);

/// Writes a cell.
type Cell = for<'a> fn(Row<'a>) -> Cow<'a, str>;

/// The columns, each with its cell. Lists and objects are cells of JSON.
const COLUMNS: &[(&str, Cell)] = &[
    ("id", |(found, _)| found.ordinal.to_string().into()),
    ("label", |(found, _)| Cow::from(&found.entity.label)),
    ("text", |(found, _)| Cow::from(&found.entity.text)),
    ("start", |(found, _)| found.entity.span.start.to_string().into()),
    ("end", |(found, _)| found.entity.span.end.to_string().into()),
    ("start_byte", |(found, _)| {
        found.entity.span.start_byte.to_string().into()
    }),
    ("end_byte", |(found, _)| found.entity.span.end_byte.to_string().into()),
    ("page", |(_, of)| number(of.page)),
    ("region", |(_, of)| of.region.into()),
    ("place", |(_, of)| json(of.place.as_ref())),
    ("boxes", |(_, of)| {
        json(Some(of.boxes).filter(|boxes| !boxes.is_empty()))
    }),
    ("score", |(_, of)| of.score.to_string().into()),
    ("source", |(_, of)| of.source.into()),
    ("recogniser", |(_, of)| of.recogniser.unwrap_or_default().into()),
    ("value", |(_, of)| of.value.map_or("", |value| value.get()).into()),
    ("canonical", |(_, of)| number(of.canonical)),
    ("carried_from", |(_, of)| number(of.carried_from)),
    ("model", |(_, of)| of.model.into()),
];

/// Begins what a spreadsheet takes for a formula, or what was escaped.
const FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\''];
/// In a cell with one of these, RFC 4180 wants quotation marks.
const QUOTED: [char; 4] = [',', '"', '\r', '\n'];

pub(crate) struct Csv {
    document: Document,
    ended: bool,
}

impl Csv {
    pub fn new(document: Document, out: &mut Vec<u8>) -> Self {
        row(out, COLUMNS.iter().map(|(name, _)| Cow::from(*name)));
        Self { document, ended: false }
    }
}

impl Writer for Csv {
    fn wants(&self) -> Want {
        if self.ended { Want::Nothing } else { Want::Entity }
    }

    fn take(&mut self, part: Part<'_>, out: &mut Vec<u8>) -> Result<(), ExportError> {
        match part {
            Part::Entity(found) => {
                let details = Details::of(&found.entity, &self.document);
                row(out, COLUMNS.iter().map(|(_, cell)| cell((&found, &details))));
            }
            Part::EntityEnd => self.ended = true,
            _ => return Err(ExportError::NotWanted),
        }
        Ok(())
    }
}

fn row<'a>(out: &mut Vec<u8>, cells: impl Iterator<Item = Cow<'a, str>>) {
    for (column, cell) in cells.enumerate() {
        if column > 0 {
            out.push(b',');
        }
        push(out, &cell);
    }
    out.extend_from_slice(b"\r\n");
}

fn push(out: &mut Vec<u8>, cell: &str) {
    let quoted = cell.contains(QUOTED);
    let mark: &[u8] = if quoted { b"\"" } else { b"" };
    out.extend_from_slice(mark);
    if cell.starts_with(FORMULA) {
        out.push(b'\'');
    }
    if quoted {
        out.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
    } else {
        out.extend_from_slice(cell.as_bytes());
    }
    out.extend_from_slice(mark);
}

/// A cell with a number, empty for none.
fn number(number: Option<u32>) -> Cow<'static, str> {
    number.map(|number| number.to_string()).unwrap_or_default().into()
}

/// A cell of JSON, empty for nothing.
fn json(value: Option<impl Serialize>) -> Cow<'static, str> {
    let mut cell = Vec::new();
    if let Some(value) = value {
        crate::json::push(&mut cell, &value);
    }
    String::from_utf8_lossy(&cell).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_every_cell_comes_back() {
        for (cell, written) in [
            ("plain", "plain"),
            ("", ""),
            ("=1+1", "'=1+1"),
            ("+49 221", "'+49 221"),
            ("-5", "'-5"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r\n=1", "\"'\r\n=1\""),
            ("'=1", "''=1"),
            ("a,b", "\"a,b\""),
            ("say \"=1\"", "\"say \"\"=1\"\"\""),
            ("\"=1\"", "\"\"\"=1\"\"\""),
        ] {
            let mut out = Vec::new();
            push(&mut out, cell);
            assert_eq!(String::from_utf8(out).unwrap(), written, "{cell:?}");
        }
    }
}
