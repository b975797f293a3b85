//! What a document's styles say about hidden text and numbered lists.

use std::collections::HashMap;

use crate::parse::roles::Roles;
use crate::parse::xml::{Element, Event, Space, Xml};
use crate::refusal::{Format, Refusal};

/// Styles that a style may be based on, one on the other. Word's own chains have up to six.
const BASED_ON_MAX: usize = 16;
/// Styles that are read. Word stops at 4,079; text of whatever follows is shown and has no labels.
const STYLES_MAX: usize = 20_000;
/// Bytes of an identifier of a style or list, which Word makes of the name: a name has up to 253 characters. Each paragraph looks
/// its style up, so that longer ones would cost more than the bytes of the paragraph.
const IDENTIFIER_BYTES_MAX: usize = 253;

/// The styles of a document.
#[derive(Debug, Default)]
pub struct Styles {
    styles: HashMap<String, Style>,
}

/// What is read of a style.
#[derive(Debug, Default)]
struct Style {
    based_on: Option<String>,
    hides: Option<bool>,
    list: Option<String>,
    level: Option<u32>,
}

/// The list that paragraphs of a style belong to.
#[derive(Debug)]
pub struct StyleList<'s> {
    /// Identifier of the list.
    pub list: &'s str,
    /// The level in the list, if the style says so.
    pub level: Option<u32>,
    /// The style that names the list: the style that was asked for, or one that it is based on.
    pub named_by: &'s str,
}

/// What an open element of the list of styles is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    List,
    Style,
    ParagraphProperties,
    RunProperties,
    Numbering,
    Value,
    Skip,
}

impl Styles {
    /// Reads the part with the styles.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        let mut styles = Self::default();
        let mut roles = Roles::default();
        let mut id = String::new();
        let mut style = Style::default();
        let mut xml = Xml::new(text, Format::Docx);
        while let Some(event) = xml.read()? {
            match event {
                Event::Start(_) if roles.skips() => roles.push(Role::Skip),
                Event::Start(element) => match style.role_of(&element, roles.last()) {
                    Role::Skip => roles.push_skipped(Role::Skip),
                    role => {
                        if role == Role::Style {
                            id = identifier(element.attribute(Space::Word, b"styleId")).unwrap_or_default();
                        }
                        roles.push(role);
                    }
                },
                Event::End => {
                    if roles.pop() == Some(Role::Style) {
                        styles.add(std::mem::take(&mut id), std::mem::take(&mut style));
                    }
                }
                Event::Text(_) => {}
            }
        }
        Ok(styles)
    }

    fn add(&mut self, id: String, style: Style) {
        if self.styles.len() < STYLES_MAX {
            self.styles.insert(id, style);
        }
    }

    /// Whether text of a style is hidden.
    pub fn hides(&self, style: &str) -> bool {
        self.chain(style).find_map(|(_, style)| style.hides).unwrap_or(false)
    }

    /// The list that paragraphs of a style belong to.
    pub fn list<'s>(&'s self, style: &'s str) -> Option<StyleList<'s>> {
        self.chain(style).find_map(|(named_by, style)| {
            let list = style.list.as_deref()?;
            let level = style.level;
            Some(StyleList { list, level, named_by })
        })
    }

    /// A style and the styles that it is based on.
    fn chain<'s>(&'s self, style: &'s str) -> impl Iterator<Item = (&'s str, &'s Style)> {
        let mut next = Some(style);
        let chain = std::iter::from_fn(move || {
            let id = next?;
            let style = self.styles.get(id)?;
            next = style.based_on.as_deref();
            Some((id, style))
        });
        chain.take(BASED_ON_MAX)
    }
}

impl Style {
    fn role_of(&mut self, element: &Element<'_, '_>, around: Option<Role>) -> Role {
        let value = || element.attribute(Space::Word, b"val");
        match (around, element.name()) {
            (None, (Space::Word, b"styles")) => Role::List,
            (Some(Role::List), (Space::Word, b"style")) => Role::Style,
            (Some(Role::Style), (Space::Word, b"pPr")) => Role::ParagraphProperties,
            (Some(Role::Style), (Space::Word, b"rPr")) => Role::RunProperties,
            (Some(Role::ParagraphProperties), (Space::Word, b"numPr")) => Role::Numbering,
            (Some(Role::Style), (Space::Word, b"basedOn")) => {
                self.based_on = identifier(value());
                Role::Value
            }
            (Some(Role::RunProperties), (Space::Word, b"vanish")) => {
                self.hides = Some(super::toggle::is_on(element));
                Role::Value
            }
            (Some(Role::Numbering), (Space::Word, b"numId")) => {
                self.list = identifier(value());
                Role::Value
            }
            (Some(Role::Numbering), (Space::Word, b"ilvl")) => {
                self.level = element.number(Space::Word, b"val");
                Role::Value
            }
            _ => Role::Skip,
        }
    }
}

/// An identifier that is short enough to be looked up again and again.
pub(super) fn identifier(value: Option<String>) -> Option<String> {
    value.filter(|value| value.len() <= IDENTIFIER_BYTES_MAX)
}
