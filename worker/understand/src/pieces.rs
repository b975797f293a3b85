//! A text in pieces that recognisers read one after the other, so that a long text keeps neither a processor nor memory for itself.

use std::ops::Range;

/// Most bytes of a piece: some 30 ms of one core.
const PIECE_BYTES_MAX: usize = 256 << 10;

/// The pieces of a text, in order, as ranges of bytes. A piece ends behind a blank line, or behind a line where there is no blank
/// one; only a text without line breaks is cut elsewhere.
pub fn pieces(text: &str) -> impl Iterator<Item = Range<usize>> + use<'_> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let piece = at..end(text, at);
        at = piece.end;
        (!piece.is_empty()).then_some(piece)
    })
}

fn end(text: &str, start: usize) -> usize {
    let mut end = start + PIECE_BYTES_MAX;
    if end >= text.len() {
        return text.len();
    }
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let piece = &text[start..end];
    let behind = |mark: &str| piece.rfind(mark).map(|at| start + at + mark.len());
    behind("\n\n").or_else(|| behind("\n")).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        pieces(text).map(|piece| &text[piece]).collect()
    }

    #[test]
    fn a_piece_ends_behind_a_blank_line_a_line_or_a_character() {
        let line = "a".repeat(PIECE_BYTES_MAX - 10);
        assert_eq!(cut(""), [""; 0]);
        assert_eq!(cut("short"), ["short"]);
        let blank = format!("{line}\n\nb\nc");
        let long = format!("{blank}{line}");
        assert_eq!(cut(&long)[0], format!("{line}\n\n"));
        let lines = format!("{line}\nb{line}");
        assert_eq!(cut(&lines)[0], format!("{line}\n"));
        let letters = "\u{20ac}".repeat(PIECE_BYTES_MAX);
        assert_eq!(cut(&letters).concat(), letters);
        assert!(cut(&letters).iter().all(|piece| piece.len() <= PIECE_BYTES_MAX));
    }
}
