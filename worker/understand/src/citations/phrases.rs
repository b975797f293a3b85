//! A table of phrases that are looked up in a text by their letters, whatever the dots and spaces between.
use super::tokens::{Kind, Tokens};
use std::collections::{HashMap, HashSet};

/// Longest phrase in tokens: `Ill. Comp. Stat. Ann. Adv. Legis. Serv.` has 14; names of journals have up to 30.
const PHRASE_TOKENS_MAX: usize = 32;

/// Phrases and what they stand for.
pub(super) struct Phrases<T> {
    entries: HashMap<String, Vec<T>>,
    /// First words of all phrases, so that most words of a text cost one look-up.
    openings: HashSet<String>,
    longest: usize,
}

/// A phrase that stands in a text: the index after its last token, and what the phrase stands for.
pub(super) struct Match<'p, T> {
    pub end: usize,
    pub key: String,
    pub values: &'p [T],
}

impl<T> Default for Phrases<T> {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
            openings: HashSet::new(),
            longest: 0,
        }
    }
}

impl<T> Phrases<T> {
    pub fn add(&mut self, phrase: &str, value: T) {
        let key = squeeze(phrase);
        self.openings.extend(openings(phrase));
        self.longest = self.longest.max(key.len());
        self.entries.entry(key).or_default().push(value);
    }

    /// Makes long phrases findable in capitals as well, for headings: `F. SUPP. 2D`.
    pub fn add_capitals(&mut self)
    where
        T: Clone,
    {
        let shouted: Vec<_> = self
            .entries
            .iter()
            .filter(|(key, _)| key.len() >= 4)
            .map(|(key, values)| (key.to_uppercase(), values.clone()))
            .collect();
        let openings: Vec<_> = self.openings.iter().map(|word| word.to_uppercase()).collect();
        self.openings.extend(openings);
        for (key, values) in shouted {
            self.entries.entry(key).or_insert(values);
        }
    }

    /// Gives the first words of all phrases, by which the scan knows where a phrase may start.
    pub fn first_words<'p>(phrases: impl Iterator<Item = &'p str>) -> impl Iterator<Item = String> {
        phrases.flat_map(openings).flat_map(|word| [word.to_uppercase(), word])
    }

    pub fn get(&self, phrase: &str) -> Option<&[T]> {
        self.entries.get(&squeeze(phrase)).map(Vec::as_slice)
    }

    /// Finds the phrases that start at a token, longest first.
    pub fn starting_at(&self, tokens: &Tokens<'_>, first: usize) -> Vec<Match<'_, T>> {
        let mut found = Vec::new();
        if !self.openings.contains(tokens.word(first)) {
            return found;
        }
        let (mut key, mut open) = (String::new(), 0_usize);
        for index in first..first + PHRASE_TOKENS_MAX {
            if (index > first && !tokens.near(index)) || !push(&mut key, tokens, index) || key.len() > self.longest {
                break;
            }
            open += usize::from(matches!(tokens.mark(index), Some('(' | '[')));
            let closes = matches!(tokens.mark(index), Some(')' | ']'));
            if closes && open == 0 {
                break;
            }
            open -= usize::from(closes);
            let ends = open == 0 && matches!(tokens.mark(index), None | Some('.' | ')' | ']'));
            if let Some(values) = ends.then(|| self.entries.get(&key)).flatten() {
                found.push(Match {
                    end: index + 1,
                    key: key.clone(),
                    values,
                });
            }
        }
        found.reverse();
        found
    }
}

/// Gives the words with which a phrase can open in a text: `U.S. Dist.` opens with `U`, `US` or `USDist`.
fn openings(phrase: &str) -> impl Iterator<Item = String> {
    // Letters that a text writes without dots: no more than the four of `S.D.N.Y.`.
    const JOINED_MAX: usize = 4;
    let mut joined = String::new();
    let words: Vec<_> = phrase
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(JOINED_MAX)
        .collect();
    // `AC` opens with `A` where a text writes `A.C.`
    let dotted = phrase
        .chars()
        .nth(1)
        .filter(|c| c.is_uppercase())
        .and_then(|_| phrase.chars().next());
    let joined = words.into_iter().map(move |word| {
        joined.push_str(word);
        joined.clone()
    });
    joined.chain(dotted.map(String::from))
}

/// Drops everything but letters, digits and `&`.
pub(super) fn squeeze(phrase: &str) -> String {
    phrase.chars().filter(|c| c.is_alphanumeric() || *c == '&').collect()
}

/// Adds a token to the key; tells whether a phrase can go on with the token.
fn push(key: &mut String, tokens: &Tokens<'_>, index: usize) -> bool {
    match tokens.get(index).map(|token| token.kind) {
        Some(Kind::Word | Kind::Number) => key.push_str(tokens.text(index)),
        Some(Kind::Mark('&')) => key.push('&'),
        Some(Kind::Mark('.' | '\'' | '\u{2019}' | '(' | ')' | '[' | ']' | '-')) => {}
        Some(Kind::Mark(_) | Kind::Blank) | None => return false,
    }
    true
}
