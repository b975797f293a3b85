//! What separates two words: white space, and control characters, which a reader does not see.

/// An apostrophe of Windows text that was decoded as Latin-1. Unicode calls it a control character, but it stands inside words,
/// as in `O'Brien`.
const WINDOWS_APOSTROPHE: char = '\u{92}';

/// Whether a character separates words. Form feeds end pages, record separators end records, and no control character joins two
/// words. Many tokenizers, BERT's among them, drop control characters and so would glue the words.
pub fn is_blank(c: char) -> bool {
    c.is_whitespace() || (c.is_control() && c != WINDOWS_APOSTROPHE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_control_character_is_blank_but_the_windows_apostrophe() {
        let controls = ('\0'..='\u{1f}').chain('\u{7f}'..='\u{9f}');
        let in_words: Vec<char> = controls.filter(|&c| !is_blank(c)).collect();
        assert_eq!(in_words, ['\u{92}']);
        assert!(is_blank(' ') && is_blank('\u{3000}') && !is_blank('a') && !is_blank('\u{200b}'));
    }
}
