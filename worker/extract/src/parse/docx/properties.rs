//! The properties of paragraphs, runs, rows and cells, as far as they decide on the text. Former properties, which tracked changes
//! keep, do not count.

use super::numbering::Numbered;
use super::story::{Reading, Role};
use super::toggle::is_on;
use crate::parse::xml::{Element, Space};
use crate::refusal::Refusal;

impl Reading<'_, '_> {
    pub(super) fn paragraph_property(&mut self, name: &[u8], element: &Element<'_, '_>) -> Role {
        let value = || element.attribute(Space::Word, b"val");
        match name {
            b"pStyle" => self.story.paragraph.style = value(),
            b"numPr" => return Role::ParagraphProperties,
            b"numId" => self.story.paragraph.list = value(),
            b"ilvl" => self.story.paragraph.level = element.number(Space::Word, b"val"),
            b"rPr" => return Role::MarkProperties,
            // A large first letter is a paragraph of its own to Word, and a part of the next word to everyone else.
            b"framePr" if is_large_letter(element) => self.without_mark(),
            b"sectPr" => self.at_section_end(),
            _ => {}
        }
        Role::Skip
    }

    /// A property of a paragraph's mark. Without the mark, the next paragraph continues the line. A hidden mark is Word's style
    /// separator, which lets a heading run into its paragraph.
    pub(super) fn mark_property(&mut self, name: &[u8], element: &Element<'_, '_>) -> Role {
        let is_deleted = matches!(name, b"del" | b"moveFrom");
        self.story.paragraph.is_deleted |= is_deleted;
        if is_deleted || (name == b"vanish" && is_on(element)) {
            self.without_mark();
        }
        Role::Skip
    }

    pub(super) fn run_property(&mut self, name: &[u8], element: &Element<'_, '_>) -> Role {
        match name {
            b"rStyle" => self.story.run.style = element.attribute(Space::Word, b"val"),
            b"vanish" => self.story.run.hidden = Some(is_on(element)),
            _ => {}
        }
        Role::Skip
    }

    pub(super) fn row_property(&mut self, name: &[u8], element: &Element<'_, '_>) -> Role {
        match name {
            b"gridBefore" => {
                let columns = element.number(Space::Word, b"val");
                self.flow.skip_columns(columns.unwrap_or(0));
            }
            b"del" => {
                self.flow.forget_row();
                self.story.roles.skip_rest_of(|role| role == Role::Row);
            }
            _ => {}
        }
        Role::Skip
    }

    /// A property of a cell. A cell that continues the one above or before has a paragraph of its own that nobody sees.
    pub(super) fn cell_property(&mut self, name: &[u8], element: &Element<'_, '_>) -> Role {
        let is_gone = match name {
            b"cellDel" => true,
            b"vMerge" | b"hMerge" => element
                .attribute(Space::Word, b"val")
                .is_none_or(|value| value == "continue"),
            _ => false,
        };
        if is_gone {
            self.story.roles.skip_rest_of(|role| role == Role::Cell);
        }
        if name == b"gridSpan" {
            let columns = element.number(Space::Word, b"val");
            self.flow.widen_cell(columns.unwrap_or(1));
        }
        Role::Skip
    }

    pub(super) fn form_property(&mut self, name: &[u8], element: &Element<'_, '_>) -> Role {
        let is_tick = self.story.role() == Role::Tick;
        let form = &mut self.story.form;
        let number = || match is_tick {
            true => Some(u32::from(is_on(element))),
            false => element.number(Space::Word, b"val"),
        };
        match name {
            b"listEntry" => form.entries.extend(element.attribute(Space::Word, b"val")),
            b"default" => form.default = number(),
            b"result" | b"checked" => form.chosen = number(),
            _ => {}
        }
        Role::Skip
    }

    /// Labels the paragraph, or leaves the paragraph out if its style hides it.
    pub(super) fn end_paragraph_properties(&mut self) -> Result<(), Refusal> {
        if !matches!(self.story.role(), Role::Paragraph { .. }) {
            return Ok(());
        }
        let paragraph = std::mem::take(&mut self.story.paragraph);
        if paragraph.is_deleted {
            return Ok(());
        }
        let style = paragraph.style.as_deref();
        if style.is_some_and(|style| self.shared.styles.hides(style)) {
            self.story
                .roles
                .skip_rest_of(|role| matches!(role, Role::Paragraph { .. }));
            return Ok(());
        }
        let numbered = Numbered {
            style,
            list: paragraph.list.as_deref(),
            level: paragraph.level,
        };
        let label = self.shared.numbering.label(&self.shared.styles, &numbered);
        self.flow.label(&label.unwrap_or_default())
    }

    pub(super) fn end_run_properties(&mut self) {
        let run = std::mem::take(&mut self.story.run);
        let by_style = || run.style.is_some_and(|style| self.shared.styles.hides(&style));
        if run.hidden.unwrap_or_else(by_style) {
            self.story.roles.skip_rest_of(|role| role == Role::Run);
        }
    }

    fn without_mark(&mut self) {
        let joins = self.story.roles.innermost_mut(|role| match role {
            Role::Paragraph { joins, .. } => Some(joins),
            _ => None,
        });
        if let Some(joins) = joins {
            *joins = true;
        }
    }

    fn at_section_end(&mut self) {
        let ends = self.story.roles.innermost_mut(|role| match role {
            Role::Paragraph { ends_section, .. } => Some(ends_section),
            _ => None,
        });
        if let Some(ends) = ends {
            *ends = true;
        }
    }
}

/// Whether the frame of a paragraph makes the paragraph a large first letter.
fn is_large_letter(frame: &Element<'_, '_>) -> bool {
    frame
        .attribute(Space::Word, b"dropCap")
        .is_some_and(|cap| cap != "none")
}
