//! Labelled words as prose. The data separates all words and marks by blanks: `G . P . Singh`. Tools that were made for prose lose
//! much by that, so each contestant reads the words both ways.

use serde::Serialize;

use crate::f1::LabelledText;

/// How words are separated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Spacing {
    /// By one blank, as the data has them.
    Data,
    /// As in prose, by a rule: `G.P. Singh, (1970)`.
    Prose,
}

/// Both ways.
pub const SPACINGS: [Spacing; 2] = [Spacing::Data, Spacing::Prose];

/// The text with its words separated in this way. Tokens and labels stay the same.
pub fn spaced(text: &LabelledText, spacing: Spacing) -> LabelledText {
    let words = text.words();
    let mut spaced = LabelledText {
        text: String::new(),
        tokens: Vec::new(),
        gold: text.gold.clone(),
        src: text.src.clone(),
    };
    let mut place = 0;
    for (at, word) in words.iter().enumerate() {
        if at > 0 && (spacing == Spacing::Data || !joined(&words[..at], word)) {
            spaced.text.push(' ');
            place += 1;
        }
        let chars = word.chars().count();
        spaced.tokens.push(place..place + chars);
        spaced.text.push_str(word);
        place += chars;
    }
    spaced
}

/// Whether prose writes a word right behind the words before.
fn joined(before: &[String], word: &str) -> bool {
    let last = before.last().map_or("", String::as_str);
    match word {
        "." | "," | ";" | ":" | ")" | "]" | "}" | "?" | "!" | "%" | "'" | "’" | "/" | "-" => true,
        "s" if matches!(last, "'" | "’") => true,
        _ if matches!(last, "(" | "[" | "{" | "/" | "-") => true,
        _ => last == "." && is_initial(word) && before.len() > 1 && is_initial(&before[before.len() - 2]),
    }
}

fn is_initial(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(char::is_uppercase) && chars.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(words: &str) -> LabelledText {
        let mut place = 0;
        let tokens = words.split(' ').map(|word| {
            let start = place;
            place += word.chars().count() + 1;
            start..place - 1
        });
        LabelledText {
            tokens: tokens.collect(),
            text: words.to_owned(),
            gold: Vec::new(),
            src: None,
        }
    }

    #[test]
    fn prose_has_no_blank_before_a_mark_and_none_between_initials() {
        let data = text("In G . P . Élan ' s case , ( 1970 ) 1 SCC 248 / 2 .");
        let prose = spaced(&data, Spacing::Prose);
        assert_eq!(prose.text, "In G.P. Élan's case, (1970) 1 SCC 248/2.");
        assert_eq!(prose.words(), data.words());
        assert_eq!(spaced(&data, Spacing::Data).text, data.text);
    }
}
