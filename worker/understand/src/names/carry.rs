//! Names that are sure in one place, found in all others.

use std::collections::HashMap;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};

use super::definitions::{self, Definition};
use super::fold::{core, folded};
use super::groups::Groups;
use super::guards::{Beside, is_alone, stands_free};
use super::normal::{Normal, of_name};
use super::words::{FORMS, GENERIC, TITLES, has};
use super::{Mention, Space};

/// Least score of a mention whose name is looked for elsewhere. On InLegalNER's development set 94% of those are right.
const SCORE_MIN: f32 = 0.9;
/// Shortest name that is looked for, in characters: two letters are the initials of anything.
const NAME_CHARS_MIN: usize = 3;
/// Longest name that is looked for, in bytes.
const NAME_BYTES_MAX: usize = 120;
/// Shorter names that are tried where the longest one at a place ends within a word.
const SHORTER_MAX: usize = 8;
/// Most mentions of a code, such as `PCR`, that the model missed, for each one that it was sure of. Where it missed more, the sure
/// one was the mistake.
const CODE_MISSED_MAX: usize = 1;
/// Shortest surname that is looked for without the given name, in characters.
const SURNAME_CHARS_MIN: usize = 4;
/// Most bytes of names that are looked for, which bounds the automaton to some megabytes: 2,000 names of usual length. A contract has some 300
/// names. Those that stand first in the text are looked for.
const NAMES_BYTES_MAX: usize = 32 * 1024;

/// A mention that was found since its name is sure elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// Where it stands in the text, in bytes.
    pub bytes: Range<usize>,
    /// The mention that it comes from, as a place in the list of mentions. It has that one's label.
    pub from: usize,
}

/// The search for names, a piece of a text at a time.
#[derive(Debug)]
pub struct Carrying {
    names: Vec<Name>,
    /// The names in their order; `None` if there are none.
    automaton: Option<AhoCorasick>,
    /// For each name in small letters its place in `names`.
    places: HashMap<String, usize>,
    /// Ranges where something was found before, in the order of the text.
    taken: Vec<Range<u32>>,
    next_taken: usize,
    found: Vec<Found>,
    groups: Groups,
}

/// A name that is looked for.
#[derive(Debug)]
struct Name {
    words: String,
    from: usize,
    space: Space,
    is_term: bool,
    /// The text defines the name here: before, it means nothing. 0 for other names.
    defined_at: usize,
    /// Sure mentions of the name.
    sure: usize,
    /// The name was found in small letters: it is also a word.
    is_a_word: bool,
}

#[derive(Debug)]
struct Found {
    bytes: Range<u32>,
    name: u32,
    /// Written with other capitals than the name.
    is_variant: bool,
}

/// Names on their way into the list, the surest first.
#[derive(Default)]
struct Looked {
    names: Vec<Name>,
    places: HashMap<String, usize>,
    /// Names of two things, which are not looked for.
    unclear: Vec<usize>,
    bytes: usize,
}

impl Carrying {
    /// Finds the names of a text that are looked for. Mentions come in the order of the text.
    pub fn of(text: &str, mentions: &[Mention<'_>]) -> Self {
        let definitions = definitions::find(text, mentions);
        let groups = Groups::of(text, mentions, &definitions);
        let mut looked = Looked::default();
        for definition in &definitions {
            looked.term(mentions, definition, &groups);
        }
        let sure = |mention: &Mention<'_>| mention.score >= SCORE_MIN && mention.value.is_none();
        let sure: Vec<usize> = (0..mentions.len()).filter(|&at| sure(&mentions[at])).collect();
        for &from in &sure {
            looked.name(text, mentions, from, &groups);
        }
        for &from in &sure {
            looked.short_forms(text, mentions, from, &groups);
        }
        let names = looked.names();
        let automaton = AhoCorasickBuilder::new()
            .match_kind(MatchKind::LeftmostLongest)
            .ascii_case_insensitive(true)
            .build(names.iter().map(|name| &name.words));
        let places = names
            .iter()
            .enumerate()
            .map(|(at, name)| (name.words.to_ascii_lowercase(), at));
        Self {
            places: places.collect(),
            automaton: automaton.ok().filter(|_| !names.is_empty()),
            names,
            taken: mentions
                .iter()
                .map(|mention| mention.bytes.start as u32..mention.bytes.end as u32)
                .collect(),
            next_taken: 0,
            found: Vec::new(),
            groups,
        }
    }

    /// Looks through the next piece of the text.
    pub fn read(&mut self, text: &str, piece: Range<usize>) {
        let Some(automaton) = self.automaton.clone() else {
            return;
        };
        let normal = Normal::of(&text[piece.clone()]);
        let mut from = 0;
        while let Some(matched) = automaton.find(aho_corasick::Input::new(&normal.text).range(from..)) {
            let longest = (matched.pattern().as_usize(), matched.range());
            if let Some((name, range)) = self.whole(&normal.text, longest) {
                from = range.end;
                self.take(&normal, piece.start, name, range);
            } else {
                from = next_word(&normal.text, matched.start());
            }
        }
    }

    /// The longest name at the start of a match that consists of whole words.
    fn whole(&self, text: &str, (name, range): (usize, Range<usize>)) -> Option<(usize, Range<usize>)> {
        if stands_free(text, range.start, range.end) {
            return Some((name, range));
        }
        let words = &text[range.clone()];
        let ends = words
            .char_indices()
            .rev()
            .filter(|(_, c)| !c.is_alphanumeric())
            .map(|(at, _)| at);
        let mut shorter = ends.take(SHORTER_MAX).filter_map(|end| {
            let name = self.places.get(&words[..end].to_ascii_lowercase())?;
            let range = range.start..range.start + end;
            stands_free(text, range.start, range.end).then_some((*name, range))
        });
        shorter.next()
    }

    /// Keeps what was found, if it may be a mention.
    fn take(&mut self, normal: &Normal, start: usize, at: usize, range: Range<usize>) {
        let name = &mut self.names[at];
        let words = &normal.text[range.clone()];
        let is_variant = words != name.words;
        if is_variant && !is_written_large(words, &name.words) {
            name.is_a_word |= words.chars().all(|c| !c.is_uppercase());
            return;
        }
        let beside = Beside::of(name.space, name.words.split(' ').count(), name.is_term);
        let bytes = normal.of_piece(range.clone());
        let bytes = bytes.start + start..bytes.end + start;
        if bytes.start < name.defined_at || !is_alone(&normal.text, range.start, range.end, beside) {
            return;
        }
        let bytes = bytes.start as u32..bytes.end as u32;
        while self
            .taken
            .get(self.next_taken)
            .is_some_and(|taken| taken.end <= bytes.start)
        {
            self.next_taken += 1;
        }
        let is_taken = self.taken[self.next_taken..]
            .first()
            .is_some_and(|taken| taken.start < bytes.end);
        if !is_taken {
            self.found.push(Found {
                bytes,
                name: at as u32,
                is_variant,
            });
        }
    }

    /// Number of mentions found so far.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Whether nothing was found so far.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Everything that was found, in the order of the text, and the thing of each mention that was there before.
    pub fn finish(self) -> (Vec<Carried>, Vec<Option<u32>>) {
        let mut counts = vec![0_usize; self.names.len()];
        for found in &self.found {
            counts[found.name as usize] += 1;
        }
        let stands = |found: &Found| {
            let (name, count) = (&self.names[found.name as usize], counts[found.name as usize]);
            let is_code = !name.is_term && !name.words.contains([' ', '.']) && !name.words.contains(char::is_lowercase);
            let is_a_name = if name.is_a_word {
                // A capital letter makes a name of it, if it has more than one word or the text defines it.
                (name.words.contains(' ') || name.is_term) && !found.is_variant
            } else {
                !is_code || count <= name.sure * CODE_MISSED_MAX
            };
            is_a_name.then_some(Carried {
                bytes: found.bytes.start as usize..found.bytes.end as usize,
                from: name.from,
            })
        };
        (self.found.iter().filter_map(stands).collect(), self.groups.of)
    }
}

impl Looked {
    /// A defined term.
    fn term(&mut self, mentions: &[Mention<'_>], definition: &Definition, groups: &Groups) {
        let space = Space::of(mentions[definition.of].label);
        let Some(space) = space.filter(|space| *space != Space::Case) else {
            return;
        };
        let name = Name {
            is_term: true,
            defined_at: definition.at,
            ..Name::of(definition.term.clone(), definition.of, space)
        };
        self.add(name, groups);
    }

    /// The name of a mention.
    fn name(&mut self, text: &str, mentions: &[Mention<'_>], from: usize, groups: &Groups) {
        let mention = &mentions[from];
        let Some((space, name)) = Space::of(mention.label).zip(of_name(&text[mention.bytes.clone()])) else {
            return;
        };
        let is_one_word = !name.contains(' ');
        if space == Space::Case || (is_one_word && (has(GENERIC, &name) || has(FORMS, &name))) {
            return;
        }
        self.add(Name::of(name, from, space), groups);
    }

    /// A company's name without its form, and a person's surname.
    fn short_forms(&mut self, text: &str, mentions: &[Mention<'_>], from: usize, groups: &Groups) {
        let mention = &mentions[from];
        let Some((space, name)) = Space::of(mention.label).zip(of_name(&text[mention.bytes.clone()])) else {
            return;
        };
        let short = match space {
            Space::Body => without_form(&name),
            Space::Person => surname(&name),
            Space::Place | Space::Act | Space::Case | Space::Statute => None,
        };
        if let Some(short) = short {
            self.add(Name::of(short.to_owned(), from, space), groups);
        }
    }

    /// Adds a name. A name that is there already stays; if it means another thing, it is unclear, unless the text defines it.
    fn add(&mut self, name: Name, groups: &Groups) {
        let chars = name.words.chars().count();
        let is_name = name.words.chars().any(char::is_uppercase) && name.words.starts_with(char::is_alphanumeric);
        if !is_name || chars < NAME_CHARS_MIN || name.words.len() > NAME_BYTES_MAX {
            return;
        }
        let place = name.words.to_ascii_lowercase();
        if let Some(&known) = self.places.get(&place) {
            let before = &self.names[known];
            if groups.of[before.from] == groups.of[name.from] {
                self.names[known].sure += 1;
            } else if before.is_term == name.is_term {
                self.unclear.push(known);
            }
            return;
        }
        if self.bytes + name.words.len() <= NAMES_BYTES_MAX {
            self.bytes += name.words.len();
            self.places.insert(place, self.names.len());
            self.names.push(name);
        }
    }

    fn names(self) -> Vec<Name> {
        let Self { names, unclear, .. } = self;
        let mut clear = vec![true; names.len()];
        for at in unclear {
            clear[at] = false;
        }
        names
            .into_iter()
            .zip(clear)
            .filter_map(|(name, clear)| clear.then_some(name))
            .collect()
    }
}

impl Name {
    fn of(words: String, from: usize, space: Space) -> Self {
        Self {
            words,
            from,
            space,
            is_term: false,
            defined_at: 0,
            sure: 1,
            is_a_word: false,
        }
    }
}

/// Whether words are a name in capitals, or begin with capitals where the name has them.
fn is_written_large(words: &str, name: &str) -> bool {
    let all_large = !words.chars().any(char::is_lowercase);
    let begins = |word: &str| word.chars().next().is_some_and(char::is_uppercase);
    let mut pairs = words.split(' ').zip(name.split(' '));
    all_large || pairs.all(|(word, of_name)| begins(word) || !begins(of_name))
}

/// A company's name without its form; `None` if there is no form, or if what is left may name anything.
fn without_form(name: &str) -> Option<&str> {
    let words = folded(Space::Body, name);
    let forms = words.len() - core(&words).len();
    let mut short = name;
    for _ in 0..forms {
        short = short.rsplit_once(' ')?.0;
    }
    let short = short.trim_end_matches([',', ' ']);
    let tells = !has(GENERIC, short) && !has(FORMS, short) && short.len() < name.len();
    tells.then_some(short)
}

/// A person's last name; `None` for a name of one word.
fn surname(name: &str) -> Option<&str> {
    let words = folded(Space::Person, name);
    let last = words.last().filter(|_| words.len() > 1)?;
    let same = |word: &&str| word.trim_end_matches([',', '.']).to_lowercase() == *last;
    let surname = name.split(' ').rev().find(same)?;
    let is_long = surname.chars().count() >= SURNAME_CHARS_MIN;
    (is_long && !has(TITLES, surname) && !surname.ends_with(['.', ','])).then_some(surname)
}

/// Start of the word behind the one that stands at a place.
fn next_word(text: &str, at: usize) -> usize {
    let behind = &text[at..];
    let word = behind.find(|c: char| !c.is_alphanumeric()).unwrap_or(behind.len());
    at + word.max(behind.chars().next().map_or(1, char::len_utf8))
}
