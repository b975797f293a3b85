//! A page while its tags and texts come in.

use html5ever::tokenizer::Tag;

use super::elements::{Class, Element, find};
use super::flow::Flow;
use super::hiding::{attribute, hides};
use super::open::{OpenElement, OpenElements};
use crate::refusal::Refusal;
use crate::writer::Writer;

/// Types of fields whose value a reader sees as text.
const TEXT_FIELDS: [&str; 14] = [
    "text",
    "search",
    "tel",
    "url",
    "email",
    "number",
    "date",
    "datetime-local",
    "month",
    "week",
    "time",
    "submit",
    "button",
    "reset",
];

/// What follows a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Markup.
    Markup,
    /// What is neither markup nor seen, up to the end tag of this name.
    Unread(&'static str),
    /// Text without tags, up to the end tag of this name.
    Characters(&'static str),
}

/// A page.
pub(super) struct Page<'w> {
    flow: Flow<'w>,
    open: OpenElements,
    content: Content,
    has_title: bool,
    /// The first refusal. The tokenizer cannot be stopped, so what follows is not taken.
    refusal: Option<Refusal>,
}

impl<'w> Page<'w> {
    pub(super) fn new(writer: &'w mut Writer) -> Self {
        Self {
            flow: Flow::new(writer),
            open: OpenElements::default(),
            content: Content::Markup,
            has_title: false,
            refusal: None,
        }
    }

    /// What follows the last tag, or why the page is refused.
    pub(super) fn take_content(&mut self) -> Result<Content, Refusal> {
        match self.refusal.take() {
            Some(refusal) => Err(refusal),
            None => Ok(std::mem::replace(&mut self.content, Content::Markup)),
        }
    }

    /// Whether text without tags follows.
    pub(super) fn expects_characters(&self) -> bool {
        matches!(self.content, Content::Characters(_))
    }

    /// Ends the page.
    pub(super) fn finish(mut self) -> Result<(), Refusal> {
        self.flow.set_title(false);
        self.refusal.map_or(Ok(()), Err)
    }

    /// Takes text.
    pub(super) fn text(&mut self, text: &str) {
        if self.refusal.is_none() && !self.open.is_hidden() {
            self.refusal = self.flow.text(text, self.open.is_preformatted()).err();
        }
    }

    /// Takes a start tag.
    pub(super) fn start(&mut self, tag: &Tag) {
        let element = find(&tag.name);
        for closed in self.open.closed_by_start(element.class) {
            self.leave(closed);
        }
        if self.open.is_in_picture() {
            if !tag.self_closing {
                self.open.push(element, false);
            }
            return;
        }
        match element.class {
            Class::Void | Class::Document => {}
            Class::Replaced | Class::Input | Class::Break | Class::Rule => self.leaf(tag, element.class),
            Class::Raw => self.content = Content::Unread(element.name()),
            _ => self.enter(tag, element),
        }
    }

    /// Takes an end tag.
    pub(super) fn end(&mut self, name: &str) {
        let element = find(name);
        match element.class {
            Class::Void | Class::Document | Class::Replaced | Class::Input | Class::Rule => return,
            Class::Raw if !self.open.is_in_picture() => return,
            Class::Break if !self.open.is_hidden() => return self.flow.break_line(),
            class if class.is_block() && !self.open.is_hidden() => self.flow.boundary(),
            _ => {}
        }
        for closed in self.open.closed_by_end(element) {
            self.leave(closed);
        }
    }

    /// Takes an element without content.
    fn leaf(&mut self, tag: &Tag, class: Class) {
        if self.open.is_hidden() || hides(tag, class) {
            return;
        }
        match class {
            Class::Break => self.flow.break_line(),
            Class::Rule => self.flow.boundary(),
            Class::Input => self.input(tag),
            _ => self.flow.blank(),
        }
    }

    /// Takes what was written into a field.
    fn input(&mut self, tag: &Tag) {
        self.flow.blank();
        let kind = attribute(tag, "type").unwrap_or("text");
        if TEXT_FIELDS.iter().any(|field| field.eq_ignore_ascii_case(kind)) {
            self.text(attribute(tag, "value").unwrap_or_default());
            self.flow.blank();
        }
    }

    /// Opens an element.
    fn enter(&mut self, tag: &Tag, element: Element) {
        let is_outside = matches!(
            element.class,
            Class::Caption | Class::Section | Class::Row | Class::Cell
        );
        let is_second_title = element.class == Class::Title && std::mem::replace(&mut self.has_title, true);
        let hides = hides(tag, element.class) || is_second_title;
        let is_hidden = hides || self.open.is_hidden();
        match element.class {
            Class::Title | Class::TextArea => self.content = Content::Characters(element.name()),
            // Parts of a table that stand in none are no elements.
            _ if is_outside && !is_hidden && !self.flow.is_in_table() => return self.flow.boundary(),
            _ => {}
        }
        let is_kept = self.open.push(element, hides);
        if is_hidden {
            return;
        }
        match element.class {
            Class::Table if is_kept => self.flow.begin_table(),
            Class::Row if is_kept => self.flow.begin_row(),
            Class::Cell if is_kept => self.flow.begin_cell(span(tag, "colspan"), span(tag, "rowspan")),
            Class::Title if is_kept => self.flow.set_title(true),
            Class::SetOff | Class::TextArea | Class::Choice => self.flow.blank(),
            class if class.is_block() => self.flow.boundary(),
            _ => {}
        }
    }

    /// Does what the end of an element does to the text.
    fn leave(&mut self, closed: OpenElement) {
        if closed.is_hidden {
            return;
        }
        match closed.element.class {
            Class::Table => self.flow.end_table(),
            Class::Cell => self.flow.end_cell(),
            Class::Title => self.flow.set_title(false),
            Class::SetOff | Class::TextArea | Class::Choice => self.flow.blank(),
            class if class.is_block() => self.flow.boundary(),
            _ => {}
        }
    }
}

/// How many columns or rows a cell spans.
fn span(tag: &Tag, name: &str) -> u32 {
    attribute(tag, name)
        .and_then(|value| value.trim().parse().ok())
        .unwrap_or(1)
}
