//! How a document's lists are numbered: the definitions, as the part of numberings has them. `numbering.rs` counts.

use std::collections::HashMap;

use super::styles::identifier;
use crate::parse::xml::{Element, Event, Space, Xml};
use crate::refusal::{Format, Refusal};

/// Levels of a list: Word has nine.
pub const LEVELS: usize = 9;

/// Definitions that are read. Word stops at 2,047 lists; whatever follows has no labels.
const DEFINITIONS_MAX: usize = 20_000;

/// The definitions of all lists.
#[derive(Debug, Default)]
pub struct Lists {
    /// Shapes of lists, which lists share.
    pub shapes: HashMap<String, Shape>,
    /// The lists.
    pub lists: HashMap<String, List>,
}

/// How the levels of a list look.
#[derive(Debug, Default)]
pub struct Shape {
    /// The levels that are defined.
    pub levels: [Option<Level>; LEVELS],
    /// The style whose list has the levels instead.
    pub style: Option<String>,
}

/// A list: a shape, and what differs from the shape.
#[derive(Debug, Default)]
pub struct List {
    /// Identifier of the shape.
    pub shape: String,
    /// Levels that look otherwise.
    pub levels: [Option<Level>; LEVELS],
    /// Levels that begin anew with a number when the list begins.
    pub starts: [Option<u32>; LEVELS],
}

/// How one level looks.
#[derive(Debug, Default, Clone)]
pub struct Level {
    /// The first number.
    pub start: Option<u32>,
    /// How numbers are written: `decimal`, `lowerRoman`.
    pub format: String,
    /// The label, with `%1` for the number of the first level.
    pub text: String,
    /// What stands between label and text: `tab`, `space`, `nothing`.
    pub suffix: String,
    /// After which level, from 1 on, the numbers begin anew; 0 for never.
    pub restart: Option<u32>,
    /// The paragraph style that belongs to the level.
    pub style: Option<String>,
    /// Whether all numbers of the label are written in digits.
    pub in_digits: bool,
}

impl Lists {
    /// Reads the part of numberings.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        let mut definition = Definition::default();
        let mut xml = Xml::new(text, Format::Docx);
        while let Some(event) = xml.read()? {
            if let Event::Start(element) = event
                && element.space == Space::Word
            {
                definition.take(&element);
            }
            if definition.lists.shapes.len() + definition.lists.lists.len() > DEFINITIONS_MAX {
                break;
            }
        }
        Ok(definition.lists)
    }
}

/// The place of the part that is being read. Elements of a definition are told by the last element that opened one.
#[derive(Debug, Default)]
struct Definition {
    lists: Lists,
    id: String,
    is_shape: bool,
    level: usize,
}

impl Definition {
    fn take(&mut self, element: &Element<'_, '_>) {
        let (_, name) = element.name();
        let value = || element.attribute(Space::Word, b"val");
        match name {
            b"abstractNum" => self.open(true, element.attribute(Space::Word, b"abstractNumId")),
            b"num" => self.open(false, element.attribute(Space::Word, b"numId")),
            b"lvl" => {
                self.open_level(element);
                self.level_slot().map(|level| level.insert(Level::default()));
            }
            b"lvlOverride" => self.open_level(element),
            b"numStyleLink" if self.is_shape => self.shape().style = identifier(value()),
            b"abstractNumId" if !self.is_shape => self.list().shape = identifier(value()).unwrap_or_default(),
            b"startOverride" if !self.is_shape => {
                let (level, start) = (self.level, element.number(Space::Word, b"val"));
                if let Some(slot) = self.list().starts.get_mut(level) {
                    *slot = start;
                }
            }
            _ => {
                if let Some(level) = self.level_slot().and_then(Option::as_mut) {
                    level.take(name, element);
                }
            }
        }
    }

    fn open(&mut self, is_shape: bool, id: Option<String>) {
        self.is_shape = is_shape;
        self.id = identifier(id).unwrap_or_default();
        self.level = LEVELS;
    }

    fn open_level(&mut self, element: &Element<'_, '_>) {
        let level = element.number(Space::Word, b"ilvl").unwrap_or(0);
        self.level = usize::try_from(level).unwrap_or(LEVELS);
    }

    fn shape(&mut self) -> &mut Shape {
        self.lists.shapes.entry(self.id.clone()).or_default()
    }

    fn list(&mut self) -> &mut List {
        self.lists.lists.entry(self.id.clone()).or_default()
    }

    fn level_slot(&mut self) -> Option<&mut Option<Level>> {
        let level = self.level;
        if level >= LEVELS {
            return None;
        }
        let levels = if self.is_shape {
            &mut self.shape().levels
        } else {
            &mut self.list().levels
        };
        levels.get_mut(level)
    }
}

impl Level {
    fn take(&mut self, name: &[u8], element: &Element<'_, '_>) {
        let value = || element.attribute(Space::Word, b"val");
        match name {
            b"start" => self.start = element.number(Space::Word, b"val"),
            b"numFmt" => self.format = value().unwrap_or_default(),
            b"lvlText" => self.text = value().unwrap_or_default(),
            b"suff" => self.suffix = value().unwrap_or_default(),
            b"lvlRestart" => self.restart = element.number(Space::Word, b"val"),
            b"pStyle" => self.style = identifier(value()),
            b"isLgl" => self.in_digits = super::toggle::is_on(element),
            _ => {}
        }
    }
}
