//! The piece of the text that a format still needs.

use std::ops::Range;

/// A piece of the text, with where it begins.
#[derive(Debug, Default)]
pub(crate) struct Window {
    text: String,
    start: usize,
}

impl Window {
    /// Appends the text's next piece.
    pub fn push(&mut self, piece: &str) {
        self.text.push_str(piece);
    }

    /// One past the window's last byte.
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// The text in these bytes of the whole text; `None` where the window has not all of them, or where they cut a character.
    pub fn get(&self, bytes: Range<usize>) -> Option<&str> {
        let at = bytes.start.checked_sub(self.start)?..bytes.end.checked_sub(self.start)?;
        self.text.get(at)
    }

    /// The text from the character in which this byte stands, or from the window's beginning, up to a byte.
    pub fn before(&self, from: usize, to: usize) -> Option<&str> {
        let from = self.text.floor_char_boundary(from.saturating_sub(self.start));
        self.text.get(from..to.checked_sub(self.start)?)
    }

    /// The text from a byte on.
    pub fn after(&self, from: usize) -> Option<&str> {
        self.text.get(from.checked_sub(self.start)?..)
    }

    /// Drops what stands before a byte, up to the beginning of its character.
    pub fn forget_before(&mut self, byte: usize) {
        let drop = self.text.floor_char_boundary(byte.saturating_sub(self.start));
        self.text.drain(..drop);
        self.start += drop;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_asked_by_the_bytes_of_the_whole_text() {
        let mut window = Window::default();
        window.push("aé");
        window.push("😀b");
        assert_eq!((window.start, window.end()), (0, 8));
        window.forget_before(2);
        assert_eq!((window.start, window.get(1..3)), (1, Some("é")));
        assert_eq!(
            (window.get(0..3), window.get(2..3), window.get(7..9)),
            (None, None, None)
        );
        assert_eq!((window.before(0, 7), window.before(5, 7)), (Some("é😀"), Some("😀")));
        assert_eq!(
            (window.after(7), window.after(8), window.after(9)),
            (Some("b"), Some(""), None)
        );
        window.forget_before(99);
        assert_eq!((window.start, window.end()), (8, 8));
    }
}
