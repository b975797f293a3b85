//! Tells text from binary data by the share of control characters.

use crate::limits::CONTROLS_PERCENT_MAX;
use crate::refusal::Refusal;

/// This many control characters pass in any text: a share of a few characters tells nothing.
const CONTROLS_FEW: usize = 8;

/// Refuses a text with too large a share of control characters, or of characters that were lost in decoding. White space does not count: a text may be all line breaks.
pub(super) fn check_controls(text: &str, lost: usize) -> Result<(), Refusal> {
    let controls = controls(text).saturating_add(lost);
    if controls <= CONTROLS_FEW {
        return Ok(());
    }
    let characters = text.chars().count();
    if controls.saturating_mul(100) > characters.saturating_mul(CONTROLS_PERCENT_MAX) {
        return Err(Refusal::NoText { controls, characters });
    }
    Ok(())
}

/// Control characters other than white space. Works on bytes, so that no character is decoded: most texts have none.
fn controls(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_low = |byte: u8| (byte < 0x20 && !(0x09..=0x0d).contains(&byte)) || byte == 0x7f;
    let low = bytes.iter().filter(|&&byte| is_low(byte)).count();
    // U+0080 to U+009F are C2 80 to C2 9F. U+0085 is a line end.
    let is_high = |first: u8, second: u8| first == 0xc2 && (0x80..=0x9f).contains(&second) && second != 0x85;
    let pairs = bytes.iter().zip(bytes.iter().skip(1));
    low.saturating_add(pairs.filter(|&(&first, &second)| is_high(first, second)).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_tell_the_same_controls_as_characters() {
        let all: String = ('\0'..'\u{3000}').collect();
        let by_characters = all.chars().filter(|c| c.is_control() && !c.is_whitespace()).count();
        assert_eq!(controls(&all), by_characters);
        assert_eq!(controls("\u{fffd}\u{10080}\u{8080}"), 0);
    }

    #[test]
    fn a_tenth_of_control_characters_passes() {
        let records = "Whitfield\u{1e}".repeat(1_000);
        assert_eq!(check_controls(&records, 0), Ok(()));
        assert!(check_controls(&(records + "\u{1e}"), 0).is_err());
        assert_eq!(check_controls(&"\r\n\t\u{b}\u{c}\u{85}".repeat(1_000), 0), Ok(()));
        assert_eq!(check_controls(&"\0".repeat(CONTROLS_FEW), 0), Ok(()));
    }
}
