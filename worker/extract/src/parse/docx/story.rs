//! One story of a DOCX: the body, a header, a footer, the notes, the comments. All are written in the same language.
//!
//! What a reader of the accepted document sees is text: insertions are in, deletions are out, hidden text is out. An element is
//! told by its name and by the role of the element around it, so that a tabulator in a text and the definition of one are two
//! things.

use std::collections::HashSet;

use super::fields::{Fields, FormField};
use super::numbering::Numbering;
use super::styles::Styles;
use crate::parse::flow::Flow;
use crate::parse::roles::Roles;
use crate::parse::xml::{Element, Event, Space, Xml};
use crate::refusal::Refusal;

/// What all stories of a document share.
#[derive(Debug, Default)]
pub struct Shared {
    /// The document's styles.
    pub styles: Styles,
    /// The document's numbered lists.
    pub numbering: Numbering,
    /// Identifiers of the footnotes that the text refers to.
    pub footnotes: HashSet<String>,
    /// Identifiers of the endnotes that the text refers to.
    pub endnotes: HashSet<String>,
    /// Identifiers of the comments that the text refers to.
    pub comments: HashSet<String>,
}

/// Why the reading of a story paused.
#[derive(Debug, PartialEq, Eq)]
pub enum Pause {
    /// A section ended, and another one follows.
    Section,
    /// The story ended.
    End,
}

/// What an open element is to the story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The element says nothing, and what stands within counts.
    Plain,
    /// Neither the element nor anything within counts.
    Skip,
    Paragraph {
        /// Whether the paragraph's mark is deleted or hidden, so that the next paragraph continues this one.
        joins: bool,
        ends_section: bool,
    },
    ParagraphProperties,
    /// Properties of the paragraph's mark.
    MarkProperties,
    Run,
    RunProperties,
    Text,
    Table,
    Row,
    RowProperties,
    Cell,
    CellProperties,
    /// A text box or a note.
    Frame,
    /// Alternatives, and whether one of them was taken.
    Alternatives {
        taken: bool,
    },
    /// An alternative, and how many characters the story had before.
    Alternative {
        seen: u64,
    },
    DropDown,
    Tick,
}

/// A story that is being read.
#[derive(Debug, Default)]
pub struct Story {
    pub(super) roles: Roles<Role>,
    pub(super) fields: Fields,
    pub(super) form: FormField,
    pub(super) paragraph: ParagraphStyle,
    pub(super) run: RunStyle,
    /// Whether the story is a list of notes or comments, of which only those that the text refers to count.
    pub(super) in_notes: bool,
}

/// What the properties of the paragraph say that is read.
#[derive(Debug, Default)]
pub(super) struct ParagraphStyle {
    pub(super) style: Option<String>,
    pub(super) list: Option<String>,
    pub(super) level: Option<u32>,
    /// Whether the paragraph's mark is deleted: the label of the next paragraph counts.
    pub(super) is_deleted: bool,
}

/// What the properties of the run say that is read.
#[derive(Debug, Default)]
pub(super) struct RunStyle {
    pub(super) style: Option<String>,
    pub(super) hidden: Option<bool>,
}

/// A story together with what it is written to.
pub(super) struct Reading<'r, 'w> {
    pub(super) story: &'r mut Story,
    pub(super) flow: &'r mut Flow<'w>,
    pub(super) shared: &'r mut Shared,
}

impl Story {
    /// The body, a header or a footer.
    pub fn text() -> Self {
        Self::default()
    }

    /// Notes or comments.
    pub fn notes() -> Self {
        Self {
            in_notes: true,
            ..Self::default()
        }
    }

    /// Reads on until a section or the story ends.
    pub fn read(&mut self, xml: &mut Xml<'_>, flow: &mut Flow<'_>, shared: &mut Shared) -> Result<Pause, Refusal> {
        let mut reading = Reading {
            story: self,
            flow,
            shared,
        };
        while let Some(event) = xml.read()? {
            match event {
                Event::Start(element) => reading.start(&element)?,
                Event::End => {
                    if reading.end()? && reading.flow.is_idle() {
                        return Ok(Pause::Section);
                    }
                }
                Event::Text(text) => reading.text(&text)?,
            }
        }
        Ok(Pause::End)
    }

    /// The role of the innermost element.
    pub(super) fn role(&self) -> Role {
        self.roles.last().unwrap_or(Role::Plain)
    }
}

impl Reading<'_, '_> {
    fn start(&mut self, element: &Element<'_, '_>) -> Result<(), Refusal> {
        if element.name() == (Space::Word, b"fldChar") {
            // Marks count in deleted and hidden text too: the other marks of the field may stand outside.
            let kind = element.attribute(Space::Word, b"fldCharType");
            self.story.fields.mark(kind.as_deref().unwrap_or_default());
        }
        if self.story.roles.skips() {
            self.story.roles.push(Role::Plain);
            return Ok(());
        }
        match self.role_of(element)? {
            Role::Skip => self.story.roles.push_skipped(Role::Skip),
            role => self.story.roles.push(role),
        }
        Ok(())
    }

    fn role_of(&mut self, element: &Element<'_, '_>) -> Result<Role, Refusal> {
        match element.name() {
            (Space::Word, name) => match self.story.role() {
                Role::ParagraphProperties => Ok(self.paragraph_property(name, element)),
                Role::MarkProperties => Ok(self.mark_property(name, element)),
                Role::RunProperties => Ok(self.run_property(name, element)),
                Role::RowProperties => Ok(self.row_property(name, element)),
                Role::CellProperties => Ok(self.cell_property(name, element)),
                Role::DropDown | Role::Tick => Ok(self.form_property(name, element)),
                _ => self.content(name, element),
            },
            (Space::Compatibility, name) => Ok(self.alternative(name)),
            (Space::Math, b"t") | (Space::OfficeDrawing, b"t") => Ok(Role::Text),
            (Space::Math, b"den") => self.add("/"),
            (Space::OfficeDrawing, b"br") => self.add("\n"),
            (Space::OfficeDrawing, b"p") => Ok(self.begin_paragraph()),
            _ => Ok(Role::Plain),
        }
    }

    /// Alternatives for programs of different age: the first that has text is read, and a text box is not read twice.
    fn alternative(&mut self, name: &[u8]) -> Role {
        match (name, self.story.role()) {
            (b"AlternateContent", _) => Role::Alternatives { taken: false },
            (b"Choice" | b"Fallback", Role::Alternatives { taken: true }) => Role::Skip,
            (b"Choice" | b"Fallback", _) => Role::Alternative { seen: self.flow.seen() },
            _ => Role::Plain,
        }
    }

    fn text(&mut self, text: &str) -> Result<(), Refusal> {
        let story = &self.story;
        if story.roles.skips() || story.role() != Role::Text || story.fields.hide_text() {
            return Ok(());
        }
        self.push_run_text(text)
    }

    /// Ends the innermost element, and says whether a section ends with it.
    fn end(&mut self) -> Result<bool, Refusal> {
        let Some(role) = self.story.roles.pop() else {
            return Ok(false);
        };
        match role {
            Role::Paragraph { joins, ends_section } => {
                self.story.fields.end_paragraph();
                if joins {
                    self.flow.join()?;
                } else {
                    self.flow.close()?;
                }
                return Ok(ends_section);
            }
            Role::Table | Role::Row | Role::Cell => self.flow.close()?,
            Role::Frame => {
                self.flow.close()?;
                if self.story.in_notes && self.flow.is_idle() {
                    self.flow.lead(String::new());
                }
            }
            Role::ParagraphProperties => self.end_paragraph_properties()?,
            Role::RunProperties => self.end_run_properties(),
            Role::Alternative { seen } => self.end_alternative(seen),
            Role::DropDown | Role::Tick => self.end_form(role)?,
            Role::Plain | Role::Skip | Role::MarkProperties | Role::Run | Role::Text => {}
            Role::RowProperties | Role::CellProperties | Role::Alternatives { .. } => {}
        }
        Ok(false)
    }

    fn end_alternative(&mut self, seen: u64) {
        let has_text = self.flow.seen() > seen;
        if let Some(Role::Alternatives { taken }) = self.story.roles.last_mut() {
            *taken |= has_text;
        }
    }
}
