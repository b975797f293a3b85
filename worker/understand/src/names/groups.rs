//! Mentions of one name, and names of one thing.

use std::collections::HashMap;
use std::rc::Rc;

use serde::Deserialize;

use super::definitions::Definition;
use super::fold::{core, folded, undated};
use super::words::GENERIC;
use super::{Mention, Space};

/// Most words of a name that a shorter name may be the beginning of.
const PREFIX_WORDS_MAX: usize = 6;
/// Shortest name that stands for a longer one that begins with it, in letters.
const PREFIX_LETTERS_MIN: usize = 3;

/// Which mentions name one thing. Things are numbers from 0.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// For each mention its thing; `None` for what is no name.
    pub of: Vec<Option<u32>>,
}

/// What a recogniser knows of its finding, as far as it tells one thing from another.
#[derive(Deserialize)]
struct Known {
    key: Option<String>,
    court: Option<String>,
    name: Option<String>,
    year: Option<String>,
}

/// Names with a number each, joined as they turn out to be of one thing (a disjoint-set forest, Tarjan 1975).
#[derive(Default)]
struct Names {
    numbers: HashMap<(Space, Rc<str>), u32>,
    /// Each name: words with single blanks.
    names: Vec<(Space, Rc<str>)>,
    parents: Vec<u32>,
}

impl Groups {
    pub(super) fn of(text: &str, mentions: &[Mention<'_>], definitions: &[Definition]) -> Self {
        let mut names = Names::default();
        let of: Vec<Option<u32>> = mentions.iter().map(|mention| names.learn(text, mention)).collect();
        names.join_defined(definitions, &of);
        names.join_companies();
        // Once for `Fox Mobile`, and once for `Fox`, which begins both `Fox Mobile` and `Fox Mobile Entertainment`.
        names.join_beginnings();
        names.join_beginnings();
        names.join_persons();
        names.join_acts();
        let of = of.into_iter().map(|name| name.map(|name| names.root(name))).collect();
        Self { of }
    }
}

impl Names {
    /// The number of a mention's name.
    fn learn(&mut self, text: &str, mention: &Mention<'_>) -> Option<u32> {
        let space = Space::of(mention.label)?;
        let known = mention
            .value
            .and_then(|value| serde_json::from_str::<Known>(value).ok());
        let words = folded(space, &text[mention.bytes.clone()]);
        match (space, known) {
            (Space::Case | Space::Statute, known) => self.cited(space, known?),
            // The model calls it an act, and a recogniser knows which provision.
            (Space::Act, Some(known)) if known.key.is_some() => self.cited(Space::Statute, known),
            (_, Some(Known { court: Some(court), .. })) => {
                let (name, court) = (self.number(space, &words), self.number(space, &[format!("={court}")]));
                self.join(name, court);
                Some(name)
            }
            (_, _) => (!words.is_empty()).then(|| self.number(space, &words)),
        }
    }

    /// The number of what a citation means. `Id.` is one case here and another there, so its words do not count. One case may have
    /// several keys, of several reporters: its name and year are one.
    fn cited(&mut self, space: Space, known: Known) -> Option<u32> {
        let key = self.number(space, &[known.key?]);
        if let (Space::Case, Some(name), Some(year)) = (space, known.name, known.year) {
            let named = self.number(space, &[name, year]);
            self.join(key, named);
        }
        Some(key)
    }

    fn number(&mut self, space: Space, words: &[String]) -> u32 {
        let name = (space, Rc::from(words.join(" ")));
        if let Some(&number) = self.numbers.get(&name) {
            return number;
        }
        let number = self.names.len() as u32;
        self.names.push(name.clone());
        self.parents.push(number);
        self.numbers.insert(name, number);
        number
    }

    fn root(&mut self, name: u32) -> u32 {
        let mut name = name;
        while self.parents[name as usize] != name {
            let above = self.parents[self.parents[name as usize] as usize];
            self.parents[name as usize] = above;
            name = above;
        }
        name
    }

    /// Makes two names one thing. The thing has the number of the earlier name.
    fn join(&mut self, one: u32, other: u32) {
        let (one, other) = (self.root(one), self.root(other));
        self.parents[one.max(other) as usize] = one.min(other);
    }

    /// A defined term that is also found as a name is one of the names of what the term means, unless it means two things.
    fn join_defined(&mut self, definitions: &[Definition], of: &[Option<u32>]) {
        let mut meanings: HashMap<&str, Option<u32>> = HashMap::new();
        for definition in definitions {
            let Some(name) = of[definition.of] else { continue };
            let root = self.root(name);
            let meaning = meanings.entry(&definition.term).or_insert(Some(root));
            if *meaning != Some(root) {
                *meaning = None;
            }
        }
        for (term, meaning) in meanings {
            let Some(meaning) = meaning else { continue };
            for space in [Space::Body, Space::Person, Space::Place, Space::Act] {
                let name = folded(space, term).join(" ");
                if let Some(&name) = self.numbers.get(&(space, name.into())) {
                    self.join(name, meaning);
                }
            }
        }
    }

    /// `Acme` is `Acme Inc.`, if there is no `Acme LLC`.
    fn join_companies(&mut self) {
        self.join_shorter(|space, words| {
            let short = core(words);
            (space == Space::Body && short.len() < words.len()).then(|| vec![short.join(" ")])
        });
    }

    /// `Acme` is `Acme Pharmaceuticals`, if no other name begins so.
    fn join_beginnings(&mut self) {
        self.join_shorter(|space, words| {
            let words = core(words);
            let longest = words.len().min(PREFIX_WORDS_MAX + 1);
            let tells = |short: &[String]| {
                short
                    .iter()
                    .any(|word| word.chars().count() >= PREFIX_LETTERS_MIN && !GENERIC.contains(&word.as_str()))
            };
            let shorter = (1..longest).map(|end| &words[..end]).filter(|short| tells(short));
            (space == Space::Body).then(|| shorter.map(|short| short.join(" ")).collect())
        });
    }

    /// `Smith`, and `J. Smith`, are `Jane Smith`, if no other person bears the name.
    fn join_persons(&mut self) {
        self.join_shorter(|space, words| {
            let [first, .., last] = words else { return None };
            let initial: String = first.chars().take(1).collect();
            let mut shorter = vec![last.clone()];
            if first.chars().count() > 1 {
                shorter.push(format!("{initial} {last}"));
            }
            if words.len() > 2 {
                shorter.push(format!("{first} {last}"));
            }
            (space == Space::Person).then_some(shorter)
        });
    }

    /// `Securities Act` is the `Securities Act of 1933`, if there is no other of that name.
    fn join_acts(&mut self) {
        self.join_shorter(|space, words| {
            let short = undated(words).filter(|_| space == Space::Act)?;
            Some(vec![short.join(" ")])
        });
    }

    /// Joins each name with the one thing whose names can be shortened to it. A short name of two things stays by itself.
    fn join_shorter(&mut self, shorter: impl Fn(Space, &[String]) -> Option<Vec<String>>) {
        let mut longer: HashMap<u32, Option<u32>> = HashMap::new();
        for name in 0..self.names.len() as u32 {
            let (space, words) = self.names[name as usize].clone();
            let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
            for short in shorter(space, &words).unwrap_or_default() {
                let Some(&short) = self.numbers.get(&(space, short.into())) else {
                    continue;
                };
                let root = self.root(name);
                let meant = longer.entry(short).or_insert(Some(root));
                if *meant != Some(root) {
                    *meant = None;
                }
            }
        }
        let mut pairs: Vec<(u32, u32)> = longer
            .into_iter()
            .filter_map(|(short, long)| Some((short, long?)))
            .collect();
        pairs.sort_unstable();
        for (short, long) in pairs {
            self.join(short, long);
        }
    }
}
