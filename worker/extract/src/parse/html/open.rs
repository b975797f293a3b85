//! The elements that are open, and which of them a tag closes. HTML lets authors leave out many end tags, and close others in the
//! wrong order; the rules here are those of the standard, without moving elements about.

use super::elements::{CLASSES, Class, Element, NUMBERS};
use crate::limits::DEPTH_MAX;

/// Elements that are kept open. Browsers stop at 512 too. Deeper ones are counted, so that the pairs of their tags still match.
const OPEN_MAX: usize = 2 * DEPTH_MAX;

/// An element that is open.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenElement {
    pub(super) element: Element,
    /// Whether the element is not seen, by itself or by an element around it.
    pub(super) is_hidden: bool,
}

/// The open elements, outermost first.
#[derive(Debug)]
pub(super) struct OpenElements {
    elements: Vec<OpenElement>,
    /// How many are open of each number, and of each class: most searches end here.
    of_number: [u16; NUMBERS],
    of_class: [u16; CLASSES],
    /// Elements that are open beyond the deepest that is kept.
    deeper: usize,
    /// How many of those were open when one began that is not seen.
    hidden_deeper: Option<usize>,
}

impl Default for OpenElements {
    fn default() -> Self {
        Self {
            elements: Vec::new(),
            of_number: [0; NUMBERS],
            of_class: [0; CLASSES],
            deeper: 0,
            hidden_deeper: None,
        }
    }
}

impl OpenElements {
    /// Opens an element. Says whether the element is kept: one that is too deep is only counted.
    pub(super) fn push(&mut self, element: Element, hides: bool) -> bool {
        let is_hidden = hides || self.is_hidden();
        if self.elements.len() >= OPEN_MAX {
            self.deeper = self.deeper.saturating_add(1);
            if is_hidden && self.hidden_deeper.is_none() {
                self.hidden_deeper = Some(self.deeper);
            }
            return false;
        }
        self.count(element, |open| open.saturating_add(1));
        self.elements.push(OpenElement { element, is_hidden });
        true
    }

    /// Closes the innermost element.
    fn pop(&mut self) -> Option<OpenElement> {
        let popped = self.elements.pop()?;
        self.count(popped.element, |open| open.saturating_sub(1));
        Some(popped)
    }

    fn count(&mut self, element: Element, change: fn(u16) -> u16) {
        let of_number = self.of_number.get_mut(usize::from(element.number));
        let of_class = self.of_class.get_mut(element.class as usize);
        of_number
            .into_iter()
            .chain(of_class)
            .for_each(|open| *open = change(*open));
    }

    /// Whether an element is open that the target is.
    fn has(&self, target: Target) -> bool {
        let open = match target {
            Target::Element(element) => self.of_number.get(usize::from(element.number)),
            Target::Class(class) => self.of_class.get(class as usize),
        };
        open.is_some_and(|&open| open > 0)
    }

    /// Whether text here is not seen.
    pub(super) fn is_hidden(&self) -> bool {
        self.hidden_deeper.is_some() || self.elements.last().is_some_and(|open| open.is_hidden)
    }

    /// Whether white space is kept here.
    pub(super) fn is_preformatted(&self) -> bool {
        self.has(Target::Class(Class::Preformatted)) || self.has(Target::Class(Class::TextArea))
    }

    /// Whether tags here belong to a drawing, where other rules hold.
    pub(super) fn is_in_picture(&self) -> bool {
        let is_edge = |open: &&OpenElement| matches!(open.element.class, Class::Picture | Class::PictureContent);
        let edge = self
            .has(Target::Class(Class::Picture))
            .then(|| self.elements.iter().rev().find(is_edge))
            .flatten();
        edge.is_some_and(|open| open.element.class == Class::Picture)
    }

    /// The elements that the start of another closes, innermost first.
    pub(super) fn closed_by_start(&mut self, class: Class) -> Vec<OpenElement> {
        if self.deeper > 0 {
            return Vec::new();
        }
        let mut closed = Vec::new();
        if self.is_in_picture() && class.is_block() {
            self.close(Target::Class(Class::Picture), |_| false, &mut closed);
        }
        match class {
            Class::Item => self.close(Target::Class(Class::Item), ends_list_scope, &mut closed),
            Class::Term => self.close(Target::Class(Class::Term), ends_list_scope, &mut closed),
            Class::Choice => self.close(
                Target::Class(Class::Choice),
                |class| class == Class::SetOff,
                &mut closed,
            ),
            Class::Caption | Class::Section => self.keep(&[Class::Table], &mut closed),
            Class::Row => self.keep(&[Class::Section, Class::Table], &mut closed),
            Class::Cell => self.keep(&[Class::Row, Class::Section, Class::Table], &mut closed),
            _ => {}
        }
        if class.ends_paragraph() {
            self.close(Target::Class(Class::Paragraph), ends_scope, &mut closed);
        }
        closed
    }

    /// The elements that an end tag closes, innermost first; none for an end tag without its start.
    pub(super) fn closed_by_end(&mut self, element: Element) -> Vec<OpenElement> {
        if self.deeper > 0 {
            self.deeper = self.deeper.saturating_sub(1);
            self.hidden_deeper = self.hidden_deeper.filter(|&hidden| hidden <= self.deeper);
            return Vec::new();
        }
        let mut closed = Vec::new();
        match element.class {
            class if class.is_inline() => self.close(Target::Element(element), |class| !class.is_inline(), &mut closed),
            Class::Heading => self.close(Target::Class(Class::Heading), ends_scope, &mut closed),
            Class::Table | Class::Caption | Class::Section | Class::Row | Class::Cell => {
                let other = |class| class == Class::Table || class == Class::Unseen;
                self.close(Target::Element(element), other, &mut closed);
            }
            Class::Unseen | Class::Picture => self.close(Target::Element(element), |_| false, &mut closed),
            _ => self.close(Target::Element(element), ends_scope, &mut closed),
        }
        closed
    }

    /// Closes the innermost element that matches and all within, unless an element that shields stands between.
    fn close(&mut self, target: Target, shields: impl Fn(Class) -> bool, closed: &mut Vec<OpenElement>) {
        if !self.has(target) {
            return;
        }
        let found = |open: &OpenElement| target.is(open.element) || shields(open.element.class);
        let Some(at) = self.elements.iter().rposition(found) else {
            return;
        };
        if self.elements.get(at).is_some_and(|open| target.is(open.element)) {
            self.truncate(at, closed);
        }
    }

    /// Closes what stands within the innermost element of these classes.
    fn keep(&mut self, classes: &[Class], closed: &mut Vec<OpenElement>) {
        let found = |open: &OpenElement| classes.contains(&open.element.class) || open.element.class == Class::Unseen;
        if let Some(at) = self.elements.iter().rposition(found) {
            self.truncate(at.saturating_add(1), closed);
        }
    }

    fn truncate(&mut self, length: usize, closed: &mut Vec<OpenElement>) {
        while self.elements.len() > length {
            closed.extend(self.pop());
        }
    }
}

/// What a tag closes.
#[derive(Debug, Clone, Copy)]
enum Target {
    Element(Element),
    Class(Class),
}

impl Target {
    fn is(self, open: Element) -> bool {
        match self {
            Self::Element(element) => open == element,
            Self::Class(class) => open.class == class,
        }
    }
}

/// Whether an end tag reaches out of the element.
fn ends_scope(class: Class) -> bool {
    matches!(
        class,
        Class::Table | Class::Cell | Class::Caption | Class::Unseen | Class::Picture
    )
}

/// Whether an item's start reaches out of the element.
fn ends_list_scope(class: Class) -> bool {
    class == Class::List || ends_scope(class)
}
