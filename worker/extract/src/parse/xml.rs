//! XML as packages hold it: elements and text, and nothing else. A thin layer over the tokenizer, which gives elements a meaning
//! by their namespace.
//!
//! Names are told by namespace and local name, and never by prefix: programs are free to write `ns0:p` for `w:p`, strict and
//! transitional files name one thing by two namespaces, and a `t` of Word, of a formula and of a drawing are three things.
//!
//! A declaration of a document type is refused. No entities but the five of XML itself and references to characters are known, so
//! a text never grows. Nesting and attributes have limits. The cost of every element is that of its bytes: a prefix is found by
//! hashing, not by searching the declarations.

mod decoding;
mod space;

use std::borrow::Cow;
use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event as Token};

pub use self::decoding::decode;
pub use self::space::Space;
use crate::limits::DEPTH_MAX;
use crate::refusal::{Format, Parts, Problem, Refusal};

/// Attributes of one element, namespaces among them: Word declares some 35 namespaces at the root, and no element of OpenDocument
/// has more than 150 attributes.
pub const ATTRIBUTES_MAX: usize = 1_000;

/// What comes next in a part.
#[derive(Debug)]
pub enum Event<'x, 'a> {
    /// An element begins.
    Start(Element<'x, 'a>),
    /// The innermost element ends.
    End,
    /// A piece of text. Neighbouring pieces belong together.
    Text(Cow<'a, str>),
}

/// An element that begins.
#[derive(Debug)]
pub struct Element<'x, 'a> {
    /// The namespace of the element.
    pub space: Space,
    start: BytesStart<'a>,
    scopes: &'x Scopes,
}

impl Element<'_, '_> {
    /// The namespace of the element and its name without the prefix.
    pub fn name(&self) -> (Space, &[u8]) {
        (self.space, self.start.local_name().into_inner())
    }

    /// The value of an attribute.
    pub fn attribute(&self, space: Space, name: &[u8]) -> Option<String> {
        let mut attributes = self.start.attributes();
        let attribute = attributes.with_checks(false).flatten().find(|attribute| {
            let (local, prefix) = attribute.key.decompose();
            // An attribute without a prefix has no namespace, whatever the default is.
            let of = prefix.map_or(Space::None, |prefix| self.scopes.space(prefix.into_inner()));
            of == space && local.into_inner() == name
        })?;
        attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .ok()
            .map(Cow::into_owned)
    }

    /// The value of an attribute that is a number. A number that is too large for us is the largest.
    pub fn number(&self, space: Space, name: &[u8]) -> Option<u32> {
        let value = self.attribute(space, name)?;
        let number: u64 = value.trim().parse().ok()?;
        Some(u32::try_from(number).unwrap_or(u32::MAX))
    }
}

/// A part that is being read.
#[derive(Debug)]
pub struct Xml<'a> {
    reader: Reader<&'a [u8]>,
    scopes: Scopes,
    format: Format,
    depth: usize,
    /// Whether the element that began last was written as an empty one, so that its end comes next.
    ends: bool,
    takes_doc_type: bool,
}

impl<'a> Xml<'a> {
    /// A reader of a part that was decoded. Mistakes are told as mistakes of a format.
    pub fn new(text: &'a str, format: Format) -> Self {
        Self {
            reader: Reader::from_str(text),
            scopes: Scopes::default(),
            format,
            depth: 0,
            ends: false,
            takes_doc_type: false,
        }
    }

    /// The same, for lists of OpenOffice 2, which all declare a document type. The declaration is passed over.
    pub fn with_doc_type(text: &'a str, format: Format) -> Self {
        Self {
            takes_doc_type: true,
            ..Self::new(text, format)
        }
    }

    /// Whatever comes next, or nothing at the end.
    pub fn read(&mut self) -> Result<Option<Event<'_, 'a>>, Refusal> {
        if std::mem::take(&mut self.ends) {
            return Ok(Some(self.end()));
        }
        loop {
            match self.reader.read_event().map_err(|_| self.broken())? {
                Token::Start(start) => return self.start(start).map(Some),
                Token::Empty(start) => {
                    self.ends = true;
                    return self.start(start).map(Some);
                }
                Token::End(_) => return Ok(Some(self.end())),
                Token::Text(text) => return text_event(text.decode()).ok_or_else(|| self.broken()).map(Some),
                Token::CData(text) => return text_event(text.decode()).ok_or_else(|| self.broken()).map(Some),
                Token::GeneralRef(reference) => {
                    let text = resolve(&reference).ok_or_else(|| self.broken())?;
                    return Ok(Some(Event::Text(text)));
                }
                Token::DocType(_) if !self.takes_doc_type => {
                    return Err(Refusal::malformed(self.format, Problem::DocType));
                }
                Token::Eof if self.depth > 0 => return Err(self.broken()),
                Token::Eof => return Ok(None),
                Token::Comment(_) | Token::Decl(_) | Token::PI(_) | Token::DocType(_) => {}
            }
        }
    }

    fn start(&mut self, start: BytesStart<'a>) -> Result<Event<'_, 'a>, Refusal> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Refusal::TooDeep { max: DEPTH_MAX });
        }
        let mut attributes = 0;
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|_| self.broken())?;
            attributes += 1;
            if attributes > ATTRIBUTES_MAX {
                return Err(Refusal::TooMany {
                    what: Parts::Attributes,
                    max: ATTRIBUTES_MAX,
                });
            }
            let name = attribute.key.into_inner();
            let prefix = if name == b"xmlns" {
                Some(&[][..])
            } else {
                name.strip_prefix(b"xmlns:")
            };
            if let Some(prefix) = prefix {
                self.scopes.declare(self.depth, prefix, Space::of(&attribute.value));
            }
        }
        let prefix = start.name().prefix();
        let space = self.scopes.space(prefix.map_or(&[], |prefix| prefix.into_inner()));
        Ok(Event::Start(Element {
            space,
            start,
            scopes: &self.scopes,
        }))
    }

    fn end(&mut self) -> Event<'static, 'a> {
        self.scopes.leave(self.depth);
        self.depth = self.depth.saturating_sub(1);
        Event::End
    }

    fn broken(&self) -> Refusal {
        Refusal::malformed(self.format, Problem::Xml)
    }
}

fn text_event<'a, E>(text: Result<Cow<'a, str>, E>) -> Option<Event<'static, 'a>> {
    text.ok().map(Event::Text)
}

/// What a reference to an entity or a character stands for.
fn resolve(reference: &BytesRef<'_>) -> Option<Cow<'static, str>> {
    match reference.resolve_char_ref() {
        Ok(Some(c)) => Some(Cow::Owned(c.to_string())),
        Ok(None) => resolve_predefined_entity(&reference.decode().ok()?).map(Cow::Borrowed),
        Err(_) => Some(Cow::Borrowed("\u{fffd}")),
    }
}

/// The namespaces that prefixes mean at this place of the part.
#[derive(Debug, Default)]
struct Scopes {
    spaces: HashMap<Vec<u8>, Space>,
    /// What a prefix meant before an element at a depth declared the prefix anew.
    before: Vec<(usize, Vec<u8>, Space)>,
}

impl Scopes {
    /// What a prefix means. The empty prefix is the default.
    fn space(&self, prefix: &[u8]) -> Space {
        self.spaces.get(prefix).copied().unwrap_or(undeclared(prefix))
    }

    fn declare(&mut self, depth: usize, prefix: &[u8], space: Space) {
        self.before.push((depth, prefix.to_vec(), self.space(prefix)));
        self.spaces.insert(prefix.to_vec(), space);
    }

    fn leave(&mut self, depth: usize) {
        while let Some((_, prefix, space)) = self.before.pop_if(|(at, ..)| *at >= depth) {
            if space == undeclared(&prefix) {
                self.spaces.remove(&prefix);
            } else {
                self.spaces.insert(prefix, space);
            }
        }
    }
}

/// What a prefix means that nobody declared.
fn undeclared(prefix: &[u8]) -> Space {
    if prefix.is_empty() { Space::None } else { Space::Other }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a reader sees of a part: names with namespaces, texts, ends.
    fn events(text: &str) -> Result<Vec<String>, Refusal> {
        let mut xml = Xml::new(text, Format::Docx);
        let mut events = Vec::new();
        while let Some(event) = xml.read()? {
            events.push(match event {
                Event::Start(element) => {
                    let (space, name) = element.name();
                    let value = element.attribute(Space::Word, b"val");
                    format!(
                        "{space:?} {} {}",
                        String::from_utf8_lossy(name),
                        value.unwrap_or_default()
                    )
                }
                Event::End => "end".to_owned(),
                Event::Text(text) => text.into_owned(),
            });
        }
        Ok(events)
    }

    fn malformed<T>(problem: Problem) -> Result<T, Refusal> {
        Err(Refusal::malformed(Format::Docx, problem))
    }

    const WORD: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";

    #[test]
    fn names_are_told_by_namespace_and_not_by_prefix() {
        let text = format!(
            "<p xmlns:x='{WORD}'><x:t x:val='1' val='2'/><y:t/><x:r xmlns:x='http://purl.org/dc/elements/1.1/'><x:t/></x:r>\
             <t xmlns='http://purl.oclc.org/ooxml/wordprocessingml/main' val='3'/><x:t/></p>"
        );
        let expected = [
            "None p ",
            "Word t 1",
            "end",
            "Other t ",
            "end",
            "DublinCore r ",
            "DublinCore t ",
            "end",
            "end",
            "Word t ",
            "end",
            "Word t ",
            "end",
            "end",
        ];
        assert_eq!(events(&text).unwrap(), expected);
    }

    #[test]
    fn entities_of_xml_and_characters_are_resolved_and_no_others() {
        let seen = events("<a>&lt;&#65;&#x20AC;&#0;<![CDATA[&amp;]]></a>").unwrap();
        assert_eq!(seen.concat(), "None a <A€\u{fffd}&amp;end");
        assert_eq!(events("<a>&other;</a>"), malformed(Problem::Xml));
    }

    #[test]
    fn a_document_type_is_refused() {
        let text = "<!DOCTYPE a [<!ENTITY b 'c'>]><a>b</a>";
        assert_eq!(events(text), malformed(Problem::DocType));
        let mut xml = Xml::with_doc_type(text, Format::Docx);
        assert!(matches!(xml.read(), Ok(Some(Event::Start(_)))));
    }

    #[test]
    fn elements_that_do_not_end_are_refused() {
        assert_eq!(events("<a><b></b>"), malformed(Problem::Xml));
        assert_eq!(events("<a><b></a></b>"), malformed(Problem::Xml));
        assert_eq!(events("<a b></a>"), malformed(Problem::Xml));
    }

    #[test]
    fn nesting_and_attributes_have_limits() {
        let nested = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
        assert_eq!(events(&nested(DEPTH_MAX)).map(|events| events.len()), Ok(2 * DEPTH_MAX));
        assert_eq!(events(&nested(DEPTH_MAX + 1)), Err(Refusal::TooDeep { max: DEPTH_MAX }));
        let wide = |attributes: usize| format!("<a{}/>", " b='c'".repeat(attributes));
        let refused = Refusal::TooMany {
            what: Parts::Attributes,
            max: ATTRIBUTES_MAX,
        };
        assert_eq!(events(&wide(ATTRIBUTES_MAX)).map(|events| events.len()), Ok(2));
        assert_eq!(events(&wide(ATTRIBUTES_MAX + 1)), Err(refused));
    }

    #[test]
    fn a_mark_of_byte_order_is_no_text() {
        assert_eq!(
            events(&decode(b"\xEF\xBB\xBF<a/>".to_vec())).unwrap(),
            ["None a ", "end"]
        );
    }
}
