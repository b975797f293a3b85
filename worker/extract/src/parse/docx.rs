//! Reads Word's DOCX.
//!
//! The text is what a reader of the accepted document sees: section by section the headers, the text and the footers, then the
//! footnotes, the endnotes and the comments. A header or footer is written once, where its first section stands, and only if a
//! section names it. Notes and comments follow in the order of their lists, which Word keeps in the order of the text; those that
//! only deleted or hidden text refers to are left out.
//!
//! Not read, on purpose: charts and diagrams, descriptions of pictures, watermarks drawn as text art, documents embedded whole.

mod content;
mod fields;
mod lists;
mod numbering;
mod properties;
mod relationships;
mod sections;
mod story;
mod styles;
mod symbol;
#[cfg(test)]
mod tests;
mod toggle;

use std::collections::HashSet;

use docket_contract::place::Region;

use self::lists::Lists;
use self::numbering::Numbering;
use self::relationships::Relationships;
use self::sections::Section;
use self::story::{Pause, Shared, Story};
use self::styles::Styles;
use super::flow::Flow;
use super::package::Package;
use super::xml::{self, Event, Space, Xml};
use crate::limits::Limits;
use crate::refusal::{Format, Problem, Refusal};
use crate::writer::Writer;

/// Where the main part stands in files that do not say so.
const MAIN_PART: &str = "word/document.xml";

/// Reads a DOCX into a writer.
pub fn read(bytes: &[u8], writer: &mut Writer, limits: &Limits) -> Result<(), Refusal> {
    let mut package = Package::open(bytes, Format::Docx, limits)?;
    let of_package = Relationships::read(&mut package, "")?;
    let main = of_package.first("officeDocument").unwrap_or(MAIN_PART);
    let missing = Refusal::malformed(Format::Docx, Problem::MissingPart);
    let text = xml::decode(package.part(main)?.ok_or(missing)?);
    let mut document = Document {
        relationships: Relationships::read(&mut package, main)?,
        package,
        flow: Flow::new(writer, limits),
        shared: Shared::default(),
        written: HashSet::new(),
    };
    document.read_styles()?;
    document.read_body(&text)?;
    document.read_notes("footnotes", Region::Footnote)?;
    document.read_notes("endnotes", Region::Endnote)?;
    document.read_notes("comments", Region::Comment)
}

/// A document that is being read.
struct Document<'a, 'w> {
    package: Package<'a>,
    relationships: Relationships,
    flow: Flow<'w>,
    shared: Shared,
    /// Paths of the headers and footers that are written.
    written: HashSet<String>,
}

impl Document<'_, '_> {
    fn read_styles(&mut self) -> Result<(), Refusal> {
        if let Some(text) = self.text_of("styles")? {
            self.shared.styles = Styles::read(&text)?;
        }
        if let Some(text) = self.text_of("numbering")? {
            self.shared.numbering = Numbering::new(Lists::read(&text)?);
        }
        Ok(())
    }

    /// The first part of a kind, decoded.
    fn text_of(&mut self, kind: &str) -> Result<Option<String>, Refusal> {
        let Some(path) = self.relationships.first(kind) else {
            return Ok(None);
        };
        Ok(self.package.part(path)?.map(xml::decode))
    }

    fn read_body(&mut self, text: &str) -> Result<(), Refusal> {
        require_document(text)?;
        let mut sections = sections::find(text)?.into_iter();
        let mut section = sections.next();
        let mut xml = Xml::new(text, Format::Docx);
        let mut story = Story::text();
        loop {
            self.read_margins(Region::Header, section.as_ref())?;
            self.flow.enter(Region::Body)?;
            let pause = story.read(&mut xml, &mut self.flow, &mut self.shared)?;
            self.flow.enter(Region::Body)?;
            self.read_margins(Region::Footer, section.as_ref())?;
            if pause == Pause::End {
                break;
            }
            section = sections.next();
        }
        // A section whose end stands in deleted text has margins all the same.
        for section in sections {
            self.read_margins(Region::Header, Some(&section))?;
            self.read_margins(Region::Footer, Some(&section))?;
        }
        Ok(())
    }

    /// Reads the headers or footers of a section that no section before has named.
    fn read_margins(&mut self, region: Region, section: Option<&Section>) -> Result<(), Refusal> {
        let Some(section) = section else { return Ok(()) };
        let ids = if region == Region::Header {
            &section.headers
        } else {
            &section.footers
        };
        for id in ids {
            let path = self.relationships.target(id).map(str::to_owned);
            if let Some(path) = path.filter(|path| self.written.insert(path.to_ascii_lowercase())) {
                self.read_part(&path, region, Story::text())?;
            }
        }
        Ok(())
    }

    fn read_notes(&mut self, kind: &str, region: Region) -> Result<(), Refusal> {
        match self.relationships.first(kind).map(str::to_owned) {
            Some(path) => self.read_part(&path, region, Story::notes()),
            None => Ok(()),
        }
    }

    /// Reads a part as a region. A part that is named and missing has no text to lose.
    fn read_part(&mut self, path: &str, region: Region, mut story: Story) -> Result<(), Refusal> {
        let Some(part) = self.package.part(path)? else {
            return Ok(());
        };
        let text = xml::decode(part);
        let mut xml = Xml::new(&text, Format::Docx);
        self.flow.enter(region)?;
        while story.read(&mut xml, &mut self.flow, &mut self.shared)? != Pause::End {}
        self.flow.enter(region)
    }
}

/// Refuses a main part that is no document of Word, such as one of Excel.
fn require_document(text: &str) -> Result<(), Refusal> {
    let mut xml = Xml::new(text, Format::Docx);
    while let Some(event) = xml.read()? {
        if let Event::Start(element) = event {
            if element.name() == (Space::Word, b"document") {
                return Ok(());
            }
            break;
        }
    }
    Err(Refusal::malformed(Format::Docx, Problem::Structure))
}
