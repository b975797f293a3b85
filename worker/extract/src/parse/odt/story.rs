//! One pass over a part of an ODT. Notes and comments stand within the sentences that they belong to, and headers stand among the
//! styles, so each pass takes the text of one region and passes over the rest.

use super::styles::Styles;
use crate::parse::flow::Flow;
use crate::parse::roles::Roles;
use crate::parse::xml::{Element, Event, Space, Xml};
use crate::refusal::Refusal;

/// Blanks that one element may stand for. Writers of files indent with some tens.
const BLANKS_MAX: u32 = 1_000;

/// The text that a pass takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The body without notes and comments.
    Body,
    /// Footnotes.
    Footnotes,
    /// Endnotes.
    Endnotes,
    /// Comments.
    Comments,
    /// Headers of all kinds of pages.
    Headers,
    /// Footers of all kinds of pages.
    Footers,
}

/// What an open element is to the pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The element says nothing, and what stands within counts.
    Plain,
    /// Neither the element nor anything within counts.
    Skip,
    /// The element holds text of the region.
    Target,
    Paragraph,
    /// A frame or drawing within a paragraph. Only the paragraphs within are text.
    Shape,
    Frame,
    Table,
    Row,
    Cell,
    /// The name of a comment's author.
    Author,
}

/// A pass over a part.
struct Story<'s, 'w> {
    target: Target,
    styles: &'s Styles,
    flow: &'s mut Flow<'w>,
    roles: Roles<Role>,
    /// How many elements are open that hold text of the region.
    targets: usize,
    /// Whether a further blank of the file would not be seen.
    after_blank: bool,
    author: String,
}

/// Takes the text of a region from a part.
pub fn read(xml: &mut Xml<'_>, target: Target, styles: &Styles, flow: &mut Flow<'_>) -> Result<(), Refusal> {
    let mut story = Story {
        target,
        styles,
        flow,
        roles: Roles::default(),
        targets: 0,
        after_blank: true,
        author: String::new(),
    };
    while let Some(event) = xml.read()? {
        match event {
            Event::Start(element) => story.start(&element)?,
            Event::End => story.end()?,
            Event::Text(text) => story.text(&text)?,
        }
    }
    Ok(())
}

impl Story<'_, '_> {
    fn start(&mut self, element: &Element<'_, '_>) -> Result<(), Refusal> {
        if self.roles.skips() {
            self.roles.push(Role::Plain);
            return Ok(());
        }
        match self.role_of(element)? {
            Role::Skip => self.roles.push_skipped(Role::Skip),
            role => self.roles.push(role),
        }
        Ok(())
    }

    fn role_of(&mut self, element: &Element<'_, '_>) -> Result<Role, Refusal> {
        match element.name() {
            (Space::Office, name) => self.office(name),
            (Space::Style | Space::LibreOffice, b"header" | b"header-left" | b"header-first") => {
                self.margin(Target::Headers, element)
            }
            (Space::Style | Space::LibreOffice, b"footer" | b"footer-left" | b"footer-first") => {
                self.margin(Target::Footers, element)
            }
            (Space::Text, name) => self.of_text(name, element),
            (Space::DublinCore, b"creator") if self.target == Target::Comments => Ok(Role::Author),
            _ if self.targets == 0 => Ok(Role::Plain),
            (Space::Table, name) => self.of_table(name, element),
            (Space::Drawing, name) => self.of_drawing(name),
            (Space::Other, _) if self.roles.last() == Some(Role::Shape) => Ok(Role::Skip),
            _ => Ok(Role::Plain),
        }
    }

    fn office(&mut self, name: &[u8]) -> Result<Role, Refusal> {
        match name {
            b"text" => self.target_or(Target::Body, Role::Plain),
            b"annotation" => self.target_or(Target::Comments, Role::Skip),
            b"forms" | b"scripts" | b"binary-data" | b"event-listeners" => Ok(Role::Skip),
            _ => Ok(Role::Plain),
        }
    }

    /// A header or footer among the styles.
    fn margin(&mut self, target: Target, element: &Element<'_, '_>) -> Result<Role, Refusal> {
        if element
            .attribute(Space::Style, b"display")
            .is_some_and(|display| display == "false")
        {
            return Ok(Role::Skip);
        }
        self.target_or(target, Role::Skip)
    }

    fn target_or(&mut self, target: Target, otherwise: Role) -> Result<Role, Refusal> {
        if self.target != target {
            return Ok(otherwise);
        }
        self.targets += 1;
        self.flow.begin_frame().map(|()| Role::Target)
    }

    fn of_text(&mut self, name: &[u8], element: &Element<'_, '_>) -> Result<Role, Refusal> {
        let is =
            |attribute: &[u8], value: &str| element.attribute(Space::Text, attribute).is_some_and(|is| is == value);
        if is(b"is-hidden", "true") && name == b"hidden-paragraph" {
            self.flow.forget_paragraph();
            self.roles.skip_rest_of(|role| role == Role::Paragraph);
        }
        if is(b"display", "none") || is(b"is-hidden", "true") {
            return Ok(Role::Skip);
        }
        match name {
            b"tracked-changes" | b"note-citation" | b"ruby-text" => Ok(Role::Skip),
            b"note" => Ok(self.note(is(b"note-class", "endnote"))),
            b"note-body" => match self.target {
                Target::Footnotes | Target::Endnotes => self.target_or(self.target, Role::Skip),
                _ => Ok(Role::Plain),
            },
            _ if self.targets == 0 => Ok(Role::Plain),
            b"p" | b"h" if self.is_hidden(element, "paragraph") => Ok(Role::Skip),
            b"span" if self.is_hidden(element, "text") => Ok(Role::Skip),
            b"p" | b"h" => {
                self.flow.begin_paragraph();
                self.after_blank = true;
                Ok(Role::Paragraph)
            }
            b"s" => self.blanks(element.number(Space::Text, b"c").unwrap_or(1)),
            b"tab" => self.add('\t'),
            b"line-break" => self.add('\n'),
            _ => Ok(Role::Plain),
        }
    }

    fn note(&self, is_endnote: bool) -> Role {
        match self.target {
            Target::Footnotes if !is_endnote => Role::Plain,
            Target::Endnotes if is_endnote => Role::Plain,
            // A comment may stand in a note.
            Target::Comments => Role::Plain,
            _ => Role::Skip,
        }
    }

    fn is_hidden(&self, element: &Element<'_, '_>, family: &str) -> bool {
        let style = element.attribute(Space::Text, b"style-name");
        style.is_some_and(|style| self.styles.hides(family, style))
    }

    fn of_table(&mut self, name: &[u8], element: &Element<'_, '_>) -> Result<Role, Refusal> {
        let repeated = |name: &[u8]| element.number(Space::Table, name).unwrap_or(1).max(1);
        match name {
            b"table" => self.flow.begin_table().map(|()| Role::Table),
            // A row or cell that is repeated counts so many times, and its text stands once.
            b"table-row" => self
                .flow
                .begin_row(repeated(b"number-rows-repeated"))
                .map(|()| Role::Row),
            b"table-cell" => {
                self.flow.begin_cell()?;
                self.flow.widen_cell(repeated(b"number-columns-repeated"));
                Ok(Role::Cell)
            }
            // A cell that another one covers: the other one has the text.
            b"covered-table-cell" => {
                self.flow.skip_columns(repeated(b"number-columns-repeated"));
                Ok(Role::Skip)
            }
            _ => Ok(Role::Plain),
        }
    }

    fn of_drawing(&mut self, name: &[u8]) -> Result<Role, Refusal> {
        match name {
            b"text-box" => self.flow.begin_frame().map(|()| Role::Frame),
            // A formula or table that is a document of its own.
            b"object" | b"object-ole" => Ok(Role::Skip),
            _ => Ok(Role::Shape),
        }
    }

    fn blanks(&mut self, count: u32) -> Result<Role, Refusal> {
        for _ in 0..count.min(BLANKS_MAX) {
            self.flow.push(' ')?;
        }
        self.after_blank = false;
        Ok(Role::Plain)
    }

    fn add(&mut self, c: char) -> Result<Role, Refusal> {
        self.after_blank = false;
        self.flow.push(c)?;
        Ok(Role::Plain)
    }

    /// Adds text of a paragraph. Blanks of the file count as one: there are elements for more.
    fn text(&mut self, text: &str) -> Result<(), Refusal> {
        if self.roles.skips() {
            return Ok(());
        }
        match self.roles.last() {
            Some(Role::Author) => self.author.push_str(text),
            Some(Role::Paragraph | Role::Plain) if self.targets > 0 => {
                for c in text.chars() {
                    let is_blank = matches!(c, ' ' | '\t' | '\n' | '\r');
                    if !(is_blank && self.after_blank) {
                        self.flow.push(if is_blank { ' ' } else { c })?;
                    }
                    self.after_blank = is_blank;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Refusal> {
        match self.roles.pop() {
            Some(Role::Target) => {
                self.targets = self.targets.saturating_sub(1);
                self.flow.close()?;
                self.flow.lead(String::new());
            }
            Some(Role::Paragraph | Role::Frame | Role::Table | Role::Row | Role::Cell) => {
                self.after_blank = false;
                self.flow.close()?;
            }
            Some(Role::Author) => {
                let author = std::mem::take(&mut self.author);
                if !author.trim().is_empty() {
                    self.flow.lead(format!("{}: ", author.trim()));
                }
            }
            Some(Role::Plain | Role::Skip | Role::Shape) | None => {}
        }
        Ok(())
    }
}
