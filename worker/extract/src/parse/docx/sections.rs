//! Which headers and footers a document's sections name. A section names them at its end, and a reader sees the headers before the
//! section, so the main part is looked through once before the text is read.

use crate::parse::xml::{Element, Event, Space, Xml};
use crate::refusal::{Format, Refusal};

/// A section of the document.
#[derive(Debug, Default)]
pub struct Section {
    /// Identifiers of the headers: of the first page, of all pages, of even pages.
    pub headers: Vec<String>,
    /// Identifiers of the footers, likewise.
    pub footers: Vec<String>,
}

/// What a section names: where on the page, on which pages, by which identifier.
struct Reference {
    in_footer: bool,
    order: u8,
    id: String,
}

/// All sections of a main part, in order.
pub fn find(text: &str) -> Result<Vec<Section>, Refusal> {
    let mut xml = Xml::new(text, Format::Docx);
    let mut sections = Vec::new();
    let mut references: Vec<Reference> = Vec::new();
    // Depth below the section's properties: such an element holds former properties too, which name nothing.
    let mut depth = 0_usize;
    while let Some(event) = xml.read()? {
        match event {
            Event::Start(element) if depth > 0 => {
                depth += 1;
                references.extend(reference(&element).filter(|_| depth == 2));
            }
            Event::Start(element) if element.name() == (Space::Word, b"sectPr") => depth = 1,
            Event::End if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    sections.push(section(std::mem::take(&mut references)));
                }
            }
            Event::Start(_) | Event::End | Event::Text(_) => {}
        }
    }
    Ok(sections)
}

fn reference(element: &Element<'_, '_>) -> Option<Reference> {
    let in_footer = match element.name() {
        (Space::Word, b"headerReference") => false,
        (Space::Word, b"footerReference") => true,
        _ => return None,
    };
    let order = match element.attribute(Space::Word, b"type").as_deref() {
        Some("first") => 0,
        Some("even") => 2,
        _ => 1,
    };
    let id = element.attribute(Space::Relationship, b"id")?;
    Some(Reference { in_footer, order, id })
}

fn section(mut references: Vec<Reference>) -> Section {
    references.sort_by_key(|reference| reference.order);
    let mut section = Section::default();
    for Reference { in_footer, id, .. } in references {
        let list = if in_footer {
            &mut section.footers
        } else {
            &mut section.headers
        };
        list.push(id);
    }
    section
}
