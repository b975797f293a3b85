//! The open elements of a part, each with the role that its reader gave to it, and whether the reader passes over what comes.
//! Readers keep this stack instead of calling themselves, so that nesting costs no stack of the program.

/// The roles of the open elements, the innermost last.
#[derive(Debug)]
pub struct Roles<R> {
    open: Vec<R>,
    /// Elements within so many others are passed over.
    skip_from: Option<usize>,
}

impl<R> Default for Roles<R> {
    fn default() -> Self {
        Self {
            open: Vec::new(),
            skip_from: None,
        }
    }
}

impl<R: Copy> Roles<R> {
    /// Whether elements and text are passed over.
    pub fn skips(&self) -> bool {
        self.skip_from.is_some()
    }

    /// An element begins.
    pub fn push(&mut self, role: R) {
        self.open.push(role);
    }

    /// An element begins of which nothing counts.
    pub fn push_skipped(&mut self, role: R) {
        self.open.push(role);
        self.skip_from.get_or_insert(self.open.len());
    }

    /// The innermost element ends. Its role is given if the element counted.
    pub fn pop(&mut self) -> Option<R> {
        let role = self.open.pop();
        match self.skip_from {
            Some(from) if self.open.len() >= from => None,
            _ => {
                self.skip_from = None;
                role
            }
        }
    }

    /// The role of the innermost element.
    pub fn last(&self) -> Option<R> {
        self.open.last().copied()
    }

    /// The role of the innermost element, to change.
    pub fn last_mut(&mut self) -> Option<&mut R> {
        self.open.last_mut()
    }

    /// The innermost role that can be changed in the wanted way.
    pub fn innermost_mut<T>(&mut self, wanted: impl FnMut(&mut R) -> Option<&mut T>) -> Option<&mut T> {
        self.open.iter_mut().rev().find_map(wanted)
    }

    /// Passes over whatever still stands in the innermost element of a role.
    pub fn skip_rest_of(&mut self, wanted: impl Fn(R) -> bool) {
        if self.skip_from.is_none() {
            self.skip_from = self.open.iter().rposition(|role| wanted(*role)).map(|at| at + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_within_a_skipped_element_counts() {
        let mut roles = Roles::default();
        roles.push("p");
        roles.push_skipped("del");
        roles.push("r");
        assert!(roles.skips());
        assert_eq!(roles.pop(), None);
        assert_eq!(roles.pop(), Some("del"));
        assert!(!roles.skips());
        assert_eq!(roles.pop(), Some("p"));
        assert_eq!(roles.pop(), None);
    }

    #[test]
    fn the_rest_of_an_outer_element_is_passed_over_and_its_end_counts() {
        let mut roles = Roles::default();
        for role in ["tr", "trPr", "del"] {
            roles.push(role);
        }
        roles.skip_rest_of(|role| role == "tr");
        assert_eq!((roles.pop(), roles.pop()), (None, None));
        assert!(roles.skips());
        roles.push("tc");
        assert_eq!((roles.pop(), roles.pop()), (None, Some("tr")));
        assert!(!roles.skips());
    }
}
