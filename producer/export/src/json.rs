//! JSON, value by value, and strings piece by piece.

use serde::Serialize;

/// Appends a value as JSON.
pub(crate) fn push(out: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(out, value).expect("memory takes every byte, and all keys are strings");
}

/// Appends a piece of a string, without quotation marks.
pub(crate) fn push_piece(out: &mut Vec<u8>, piece: &str) {
    let start = out.len();
    push(out, &piece);
    out.pop();
    out.remove(start);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_a_string_are_the_whole_string() {
        let mut out = b"\"".to_vec();
        for piece in ["a\"b", "", "\r\n\u{1}", "é"] {
            push_piece(&mut out, piece);
        }
        out.push(b'"');
        assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), "a\"b\r\n\u{1}é");
    }
}
