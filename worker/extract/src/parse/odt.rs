//! Reads OpenDocument text: packages (`.odt`, `.ott`) and single files of XML (`.fodt`).
//!
//! The text is what a reader sees: the headers of all page styles, the body, the footers, then the footnotes, the endnotes and the
//! comments. Tracked insertions are in, tracked deletions and hidden text are out. Numbers of lists are not in the file and are not
//! computed.

mod story;
mod styles;
#[cfg(test)]
mod tests;

use docket_contract::place::Region;

use self::story::Target;
use self::styles::Styles;
use super::flow::Flow;
use super::package::Package;
use super::xml::{self, Event, Space, Xml};
use crate::limits::Limits;
use crate::refusal::{Format, Problem, Refusal};
use crate::writer::Writer;

/// Reads an OpenDocument text into a writer.
pub fn read(bytes: &[u8], writer: &mut Writer, limits: &Limits) -> Result<(), Refusal> {
    let mut flow = Flow::new(writer, limits);
    if is_flat(bytes) {
        let text = xml::decode(bytes.to_vec());
        return read_text(&text, &text, &mut flow);
    }
    let mut package = Package::open(bytes, Format::Odt, limits)?;
    refuse_encrypted(&mut package)?;
    let missing = Refusal::malformed(Format::Odt, Problem::MissingPart);
    let content = xml::decode(package.part("content.xml")?.ok_or(missing)?);
    let styles = xml::decode(package.part("styles.xml")?.unwrap_or_default());
    read_text(&content, &styles, &mut flow)
}

/// Whether a file is one of XML: such a file begins with `<`, after a mark of byte order at most.
fn is_flat(bytes: &[u8]) -> bool {
    let marks: [&[u8]; 5] = [b"<", b"\xEF\xBB\xBF<", b"\xFF\xFE<\0", b"\xFE\xFF\0<", b"\0<"];
    marks.iter().any(|mark| bytes.starts_with(mark))
}

/// Refuses a package with encrypted parts, which its list of files tells.
fn refuse_encrypted(package: &mut Package<'_>) -> Result<(), Refusal> {
    let Some(manifest) = package.part("META-INF/manifest.xml")? else {
        return Ok(());
    };
    let text = xml::decode(manifest);
    let mut xml = Xml::with_doc_type(&text, Format::Odt);
    while let Some(event) = xml.read()? {
        if let Event::Start(element) = event
            && element.name() == (Space::Manifest, b"encryption-data")
        {
            return Err(Refusal::Encrypted);
        }
    }
    Ok(())
}

/// Reads a document whose text and whose styles stand in two parts or in one.
fn read_text(content: &str, styles: &str, flow: &mut Flow<'_>) -> Result<(), Refusal> {
    let has = Contents::find(content)?;
    let mut of_margins = Styles::default();
    of_margins.read(styles)?;
    let mut of_text = of_margins.clone();
    of_text.read(content)?;
    let passes = [
        (true, Region::Header, Target::Headers),
        (true, Region::Body, Target::Body),
        (true, Region::Footer, Target::Footers),
        (has.notes, Region::Footnote, Target::Footnotes),
        (has.notes, Region::Endnote, Target::Endnotes),
        (has.comments, Region::Comment, Target::Comments),
    ];
    for (_, region, target) in passes.into_iter().filter(|(has, ..)| *has) {
        flow.enter(region)?;
        match target {
            Target::Headers | Target::Footers => {
                story::read(&mut Xml::new(styles, Format::Odt), target, &of_margins, flow)?;
            }
            _ => story::read(&mut Xml::new(content, Format::Odt), target, &of_text, flow)?,
        }
    }
    flow.enter(Region::Body)
}

/// What a text has that takes a pass of its own.
#[derive(Debug, Default)]
struct Contents {
    notes: bool,
    comments: bool,
}

impl Contents {
    /// Looks a text through, and refuses what is no text, such as a table of Calc.
    fn find(content: &str) -> Result<Self, Refusal> {
        let mut xml = Xml::new(content, Format::Odt);
        let mut contents = Self::default();
        let mut is_text = false;
        while let Some(event) = xml.read()? {
            let Event::Start(element) = event else { continue };
            match element.name() {
                (Space::Office, b"text") => is_text = true,
                (Space::Office, b"annotation") => contents.comments = true,
                (Space::Text, b"note") => contents.notes = true,
                _ => {}
            }
        }
        let structure = Refusal::malformed(Format::Odt, Problem::Structure);
        if is_text { Ok(contents) } else { Err(structure) }
    }
}
