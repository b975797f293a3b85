//! The elements of a story that are text or hold text.

use super::fields::FormField;
use super::story::{ParagraphStyle, Reading, Role, RunStyle};
use super::symbol;
use crate::parse::xml::{Element, Space};
use crate::refusal::Refusal;

impl Reading<'_, '_> {
    /// What an element is that stands in no properties.
    pub(super) fn content(&mut self, name: &[u8], element: &Element<'_, '_>) -> Result<Role, Refusal> {
        match name {
            b"p" => Ok(self.begin_paragraph()),
            b"pPr" => Ok(self.begin_paragraph_properties()),
            b"r" => Ok(Role::Run),
            b"rPr" => Ok(self.begin_run_properties()),
            b"t" => Ok(Role::Text),
            b"tbl" => self.flow.begin_table().map(|()| Role::Table),
            b"tr" => self.flow.begin_row(1).map(|()| Role::Row),
            b"trPr" => Ok(Role::RowProperties),
            b"tc" => self.flow.begin_cell().map(|()| Role::Cell),
            b"tcPr" => Ok(Role::CellProperties),
            b"txbxContent" => self.flow.begin_frame().map(|()| Role::Frame),
            b"footnote" | b"endnote" | b"comment" if self.story.in_notes => self.note(name, element),
            b"ddList" => Ok(self.begin_form(Role::DropDown)),
            b"checkBox" => Ok(self.begin_form(Role::Tick)),
            // Deletions; properties of other things; instructions of fields; how the word below is pronounced.
            b"del" | b"moveFrom" | b"delText" | b"instrText" | b"delInstrText" | b"rt" | b"binData" => Ok(Role::Skip),
            b"tblPr" | b"tblPrEx" | b"tblGrid" | b"sdtPr" | b"sdtEndPr" | b"sectPr" | b"rubyPr" => Ok(Role::Skip),
            _ => self.inline(name, element),
        }
    }

    /// What an element of a run is.
    fn inline(&mut self, name: &[u8], element: &Element<'_, '_>) -> Result<Role, Refusal> {
        match name {
            b"tab" | b"ptab" => self.add("\t"),
            b"br" | b"cr" => self.add("\n"),
            // A plain hyphen: a name with one must be the same name however its line is broken.
            b"noBreakHyphen" => self.add("-"),
            b"sym" => self.symbol(element),
            b"footnoteReference" | b"endnoteReference" | b"commentReference" | b"commentRangeStart" => {
                self.refer(name, element);
                Ok(Role::Plain)
            }
            _ => Ok(Role::Plain),
        }
    }

    pub(super) fn begin_paragraph(&mut self) -> Role {
        self.flow.begin_paragraph();
        Role::Paragraph {
            joins: false,
            ends_section: false,
        }
    }

    fn begin_paragraph_properties(&mut self) -> Role {
        if !matches!(self.story.role(), Role::Paragraph { .. }) {
            return Role::Skip;
        }
        self.story.paragraph = ParagraphStyle::default();
        Role::ParagraphProperties
    }

    fn begin_run_properties(&mut self) -> Role {
        if self.story.role() != Role::Run {
            return Role::Skip;
        }
        self.story.run = RunStyle::default();
        Role::RunProperties
    }

    fn begin_form(&mut self, role: Role) -> Role {
        self.story.form = FormField::default();
        role
    }

    /// A note or a comment in its list. A comment begins with the name of its author, who is part of what a reader sees.
    fn note(&mut self, name: &[u8], element: &Element<'_, '_>) -> Result<Role, Refusal> {
        let wanted = match name {
            b"footnote" => &self.shared.footnotes,
            b"endnote" => &self.shared.endnotes,
            _ => &self.shared.comments,
        };
        let id = element.attribute(Space::Word, b"id");
        if !id.is_some_and(|id| wanted.contains(&id)) {
            return Ok(Role::Skip);
        }
        self.flow.begin_frame()?;
        let author = element.attribute(Space::Word, b"author").unwrap_or_default();
        if !author.trim().is_empty() {
            self.flow.lead(format!("{}: ", author.trim()));
        }
        Ok(Role::Frame)
    }

    fn refer(&mut self, name: &[u8], element: &Element<'_, '_>) {
        let wanted = match name {
            b"footnoteReference" => &mut self.shared.footnotes,
            b"endnoteReference" => &mut self.shared.endnotes,
            _ => &mut self.shared.comments,
        };
        wanted.extend(element.attribute(Space::Word, b"id"));
    }

    fn symbol(&mut self, element: &Element<'_, '_>) -> Result<Role, Refusal> {
        let font = element.attribute(Space::Word, b"font").unwrap_or_default();
        let code = element.attribute(Space::Word, b"char");
        let code = code.and_then(|code| u32::from_str_radix(&code, 16).ok());
        match code.and_then(|code| symbol::character(&font, code)) {
            Some(c) => self.add(c.encode_utf8(&mut [0; 4])),
            None => Ok(Role::Plain),
        }
    }

    /// Adds text that an element stands for.
    pub(super) fn add(&mut self, text: &str) -> Result<Role, Refusal> {
        if !self.story.fields.hide_text() {
            self.flow.push_str(text)?;
        }
        Ok(Role::Plain)
    }

    /// Adds text of a run. Line ends and tabulators of the file are blanks to Word, which has elements for both.
    pub(super) fn push_run_text(&mut self, text: &str) -> Result<(), Refusal> {
        let is_special = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{f000}'..='\u{f0ff}');
        if !text.contains(is_special) {
            return self.flow.push_str(text);
        }
        for c in text.chars() {
            match c {
                '\t' | '\n' | '\r' => self.flow.push(' ')?,
                c => symbol::in_text(c).map_or(Ok(()), |c| self.flow.push(c))?,
            }
        }
        Ok(())
    }

    /// Writes what a field of a form shows. The field has no result, so the text stands where the field begins.
    pub(super) fn end_form(&mut self, role: Role) -> Result<(), Refusal> {
        let form = std::mem::take(&mut self.story.form);
        match role {
            Role::Tick => self.flow.push(form.tick()),
            _ => self.flow.push_str(&form.entry().unwrap_or_default()),
        }
    }
}
