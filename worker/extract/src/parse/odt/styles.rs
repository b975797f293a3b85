//! Which styles of an ODT hide their text.

use std::collections::HashMap;

use crate::parse::xml::{Element, Event, Space, Xml};
use crate::refusal::{Format, Refusal};

/// Styles that a style may be based on, one on the other. LibreOffice's own chains have up to four.
const BASED_ON_MAX: usize = 16;
/// Bytes of a style's name. Each paragraph looks its style up, so that longer names would cost more than the bytes of the
/// paragraph; LibreOffice's own names have 40 at most.
const NAME_BYTES_MAX: usize = 256;

/// The styles of a document.
#[derive(Debug, Default, Clone)]
pub struct Styles {
    /// The styles by family and name.
    styles: HashMap<(String, String), Style>,
}

/// What is read of a style.
#[derive(Debug, Default, Clone)]
struct Style {
    hides: Option<bool>,
    parent: Option<String>,
}

impl Styles {
    /// Adds the styles of a part. They stand before the text. A style of a known name replaces the known one.
    pub fn read(&mut self, text: &str) -> Result<(), Refusal> {
        let mut xml = Xml::new(text, Format::Odt);
        let mut open = None;
        while let Some(event) = xml.read()? {
            let Event::Start(element) = event else { continue };
            match element.name() {
                (Space::Office, b"body") => break,
                (Space::Style, b"style") => open = self.add(&element),
                (Space::Style, b"text-properties") => {
                    let display = element.attribute(Space::Text, b"display");
                    if let Some(style) = open.as_ref().and_then(|key| self.styles.get_mut(key)) {
                        style.hides = display.map(|display| display == "none").or(style.hides);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn add(&mut self, element: &Element<'_, '_>) -> Option<(String, String)> {
        let name = |name: &[u8]| {
            let value = element.attribute(Space::Style, name);
            value.filter(|value| value.len() <= NAME_BYTES_MAX)
        };
        let key = (name(b"family")?, name(b"name")?);
        let style = Style {
            hides: None,
            parent: name(b"parent-style-name"),
        };
        self.styles.insert(key.clone(), style);
        Some(key)
    }

    /// Whether text of a style is hidden.
    pub fn hides(&self, family: &str, name: String) -> bool {
        let mut key = (family.to_owned(), name);
        for _ in 0..BASED_ON_MAX {
            let Some(style) = self.styles.get(&key) else {
                return false;
            };
            match (style.hides, &style.parent) {
                (Some(hides), _) => return hides,
                (None, Some(parent)) => key.1.clone_from(parent),
                (None, None) => return false,
            }
        }
        false
    }
}
