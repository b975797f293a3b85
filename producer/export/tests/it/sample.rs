//! Documents to export, and the driving of an export.

use docket_contract::entity::{Entity, Source, Span};
use docket_contract::ids::{DocumentId, JobId};
use docket_contract::place::{Place, Region};
use docket_contract::text_map::{CharBox, Page, Reading};
use docket_export::{Document, Export, ExportError, Format, Found, Part, Want};

/// A text with an emoji, CR and LF, a combining mark, an entity over two lines, one within another, and a formula.
pub const TEXT: &str =
    "\u{1f600} Ada\r\nLovelace met Cafe\u{301} M\u{fc}ller GmbH, K\u{f6}ln, for $5.\n=SUM of K\u{f6}ln pays.\r\n";

/// What is exported, and the pieces that the text comes in.
#[derive(Debug)]
pub struct Sample {
    pub document: Document,
    pub text: String,
    pub pages: Vec<Page>,
    pub found: Vec<Found>,
    pub original: Vec<u8>,
}

impl Sample {
    /// The text with its entities, without pages.
    pub fn text() -> Self {
        let words = [
            ("PERSON", "Ada\r\nLovelace"),
            ("ORG", "Cafe\u{301} M\u{fc}ller GmbH, K\u{f6}ln"),
            ("PLACE", "K\u{f6}ln"),
            ("MONEY", "$5"),
            ("ORG", "=SUM of K\u{f6}ln"),
        ];
        let mut found = find(TEXT, &words);
        let money = &mut found[3].entity;
        money.source = Source::Recogniser;
        money.score = 1.0;
        money.recogniser = Some("money".into());
        money.value = Some(r#"{"kind":"money","amount":"5","sign":"$"}"#.into());
        for (at, line) in [(0, 1), (1, 2), (2, 2), (3, 2), (4, 3)] {
            found[at].entity.place = Some(Place::Line { line });
        }
        Self {
            document: document(Vec::new()),
            text: TEXT.to_owned(),
            pages: Vec::new(),
            found,
            original: Vec::new(),
        }
    }

    /// A PDF of two pages, with the same words on each.
    pub fn pdf() -> Self {
        let one = "Ada Lovelace met\nM\u{fc}ller GmbH\u{1f600}.";
        let text = format!("{one}\u{c}{one}");
        let length = (
            u32::try_from(one.len()).unwrap(),
            u32::try_from(one.chars().count()).unwrap(),
        );
        let pages: Vec<Page> = [(1, 0, 0), (2, length.0 + 1, length.1 + 1)]
            .map(|(number, byte, char)| page(number, one, byte, char))
            .into();
        let words = [("PERSON", "Ada Lovelace"), ("ORG", "M\u{fc}ller GmbH")];
        let mut found = find(&text, &[words, words].concat());
        for (at, entity) in found.iter_mut().enumerate() {
            let page = &pages[at / 2];
            entity.entity.page = Some(page.number);
            entity.entity.boxes = page.rectangles(entity.entity.span.start..entity.entity.span.end);
        }
        let without_boxes = |page: &Page| Page {
            boxes: Vec::new(),
            ..page.clone()
        };
        Self {
            document: document(pages.iter().map(without_boxes).collect()),
            text,
            pages,
            found,
            original: b"%PDF-1.7 as uploaded".to_vec(),
        }
    }

    /// The whole export, from text in pieces of so many characters.
    pub fn export(&self, format: Format, piece_chars: usize) -> Result<Vec<u8>, ExportError> {
        let mut export = Export::new(format, self.document.clone());
        let chars: Vec<char> = self.text.chars().collect();
        let (mut at, mut original_given) = (0, false);
        let mut found = self.found.iter().cloned();
        let mut bytes = Vec::new();
        loop {
            match export.wants() {
                Want::Text if at == chars.len() => {
                    export.take(Part::TextEnd)?;
                    at = 0;
                }
                Want::Text => {
                    let end = chars.len().min(at + piece_chars);
                    let piece: String = chars[at..end].iter().collect();
                    export.take(Part::Text(&piece))?;
                    at = end;
                }
                Want::Entity => export.take(found.next().map_or(Part::EntityEnd, Part::Entity))?,
                Want::Page(place) => {
                    let page = &self.pages[place];
                    let text = &self.text[page.bytes.start as usize..page.bytes.end as usize];
                    export.take(Part::Page(page, text))?;
                }
                Want::Original if original_given => export.take(Part::OriginalEnd)?,
                Want::Original => {
                    export.take(Part::Original(&self.original))?;
                    original_given = true;
                }
                Want::Nothing => break,
            }
            bytes.extend(export.hand_out());
        }
        Ok(bytes)
    }
}

fn document(pdf_pages: Vec<Page>) -> Document {
    Document {
        id: DocumentId("0192b5a0-0000-7000-8000-000000000001".parse().unwrap()),
        job: JobId("0192b5a0-0000-7000-8000-000000000002".parse().unwrap()),
        model: "ner-legal@2".to_owned(),
        file_name: Some("M\u{fc}ller.txt".to_owned()),
        pdf_pages,
    }
}

/// Entities of these words, each at its next place after the beginning of the one before.
fn find(text: &str, words: &[(&str, &str)]) -> Vec<Found> {
    let mut from = 0;
    let one = |(ordinal, (label, words)): (i32, &(&str, &str))| {
        let start = from + text[from..].find(words).unwrap();
        from = start + text[start..].chars().next().unwrap().len_utf8();
        Found {
            ordinal,
            entity: entity(text, label, start..start + words.len()),
        }
    };
    (1..).zip(words).map(one).collect()
}

/// An entity of these bytes of a text.
pub fn entity(text: &str, label: &str, bytes: std::ops::Range<usize>) -> Entity {
    let count = |count: usize| u32::try_from(count).unwrap();
    let before = &text[..bytes.start];
    let words = &text[bytes.clone()];
    let start = count(before.chars().count());
    Entity {
        label: label.to_owned(),
        text: words.to_owned(),
        span: Span {
            start,
            end: start + count(words.chars().count()),
            start_byte: count(bytes.start),
            end_byte: count(bytes.end),
            start_utf16: Some(count(before.encode_utf16().count())),
        },
        page: None,
        region: Region::Body,
        place: None,
        boxes: Vec::new(),
        score: 0.75,
        source: Source::Model,
        recogniser: None,
        value: None,
        canonical: None,
        carried_from: None,
        thing: None,
    }
}

/// A page whose characters stand in a grid of 10 by 20 points.
fn page(number: u32, text: &str, byte: u32, char: u32) -> Page {
    let (mut column, mut row) = (0_i16, 0_i16);
    let mut shape = |c: char| {
        let (left, top) = (column * 100, row * 200);
        (column, row) = if c == '\n' { (0, row + 1) } else { (column + 1, row) };
        if c.is_whitespace() {
            return CharBox::default();
        }
        CharBox {
            left,
            top,
            right: left + 100,
            bottom: top + 150,
        }
    };
    Page {
        number,
        bytes: byte..byte + u32::try_from(text.len()).unwrap(),
        chars: char..char + u32::try_from(text.chars().count()).unwrap(),
        width: 595.0,
        height: 842.0,
        reading: Reading::Text,
        confidence: None,
        boxes: text.chars().map(&mut shape).collect(),
    }
}
