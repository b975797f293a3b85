//! Mends brackets in lines that run from right to left.
//!
//! Such a line draws an opening bracket with the shape of a closing one. pdfium turns brackets there, whether the font already names
//! them by their sense or not, so that half of all documents have them the wrong way round.

/// Brackets that have a shape for each side.
const PAIRS: [(char, char); 3] = [('(', ')'), ('[', ']'), ('{', '}')];

/// The line with its brackets turned, if more of them are in pairs then.
pub fn mended(line: &str) -> Option<String> {
    let (as_is, turned) = (unpaired(line.chars()), unpaired(line.chars().map(turn)));
    (turned < as_is).then(|| line.chars().map(turn).collect())
}

fn turn(c: char) -> char {
    let other = |&(open, close): &(char, char)| match c {
        c if c == open => Some(close),
        c if c == close => Some(open),
        _ => None,
    };
    PAIRS.iter().find_map(other).unwrap_or(c)
}

/// Number of brackets without their fellow.
fn unpaired(chars: impl Iterator<Item = char>) -> usize {
    let (mut open, mut lone) = (0_usize, 0_usize);
    for c in chars {
        if PAIRS.iter().any(|pair| pair.0 == c) {
            open += 1;
        } else if PAIRS.iter().any(|pair| pair.1 == c) {
            match open.checked_sub(1) {
                Some(fewer) => open = fewer,
                None => lone += 1,
            }
        }
    }
    open + lone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_that_close_before_they_open_are_turned() {
        assert_eq!(mended("סעיף 15 )ב()4( לחוק").as_deref(), Some("סעיף 15 (ב)(4) לחוק"));
        assert_eq!(mended("סעיף 15 (ב)(4) לחוק"), None);
        assert_eq!(mended("1) one"), None);
    }
}
