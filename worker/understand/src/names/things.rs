//! What the mentions of one thing are together.

use std::collections::HashMap;

use docket_contract::thing::{ALIASES_MAX, Kind, MENTIONS_TOLD_MAX, Thing};
use serde::Deserialize;

use super::normal::of_name;
use super::{Mention, Space, roles};

/// Most roles that a thing has. A party has one or two.
const ROLES_MAX: usize = 10;

/// A thing, and its mentions as places in the list of mentions.
#[derive(Debug, Clone, PartialEq)]
pub struct OneThing {
    /// What the thing is.
    pub thing: Thing,
    /// All its mentions, in the order of the text.
    pub mentions: Vec<usize>,
}

/// What is gathered of a thing.
#[derive(Default)]
struct Gathered<'a> {
    mentions: Vec<usize>,
    /// Each form of the name, how often it stands, and whether it can be the name of the thing.
    forms: HashMap<String, Form>,
    kinds: HashMap<&'a str, usize>,
    roles: Vec<String>,
    case_name: Option<String>,
}

#[derive(Default)]
struct Form {
    count: usize,
    first: usize,
    is_own: bool,
}

/// What a citation says of its case.
#[derive(Deserialize)]
struct Case {
    name: Option<String>,
}

/// The things of a text. `of` says for each mention its thing, a number, and `carried` whether the mention was carried.
pub fn things(
    text: &str,
    mentions: &[Mention<'_>],
    of: &[Option<u32>],
    carried: impl Fn(usize) -> bool,
) -> Vec<OneThing> {
    // One thing after the other, since what is gathered of a thing takes more room than the thing.
    let mut named: Vec<u32> = (0..mentions.len() as u32)
        .filter(|&at| of[at as usize].is_some())
        .collect();
    named.sort_by_key(|&at| of[at as usize]);
    let one_thing = |mentions_of: &[u32]| {
        let mut gathered = Gathered::default();
        for &at in mentions_of {
            let at = at as usize;
            gathered.add(text, at, &mentions[at], carried(at));
        }
        gathered.thing()
    };
    let mut things: Vec<OneThing> = named
        .chunk_by(|&one, &other| of[one as usize] == of[other as usize])
        .map(one_thing)
        .collect();
    things.sort_by_key(|one| one.mentions[0]);
    things
}

impl<'a> Gathered<'a> {
    fn add(&mut self, text: &str, at: usize, mention: &Mention<'a>, carried: bool) {
        self.mentions.push(at);
        if !carried {
            *self.kinds.entry(mention.label).or_default() += 1;
        }
        let words = &text[mention.bytes.clone()];
        let Some(words) = of_name(words) else { return };
        if let Some(role) =
            roles::behind(&text[mention.bytes.end..]).or_else(|| roles::is_role(&words).then(|| roles::titled(&words)))
            && self.roles.len() < ROLES_MAX
            && !self.roles.contains(&role)
        {
            self.roles.push(role);
        }
        if self.case_name.is_none()
            && let Some(Space::Case) = Space::of(mention.label)
        {
            let case = mention.value.and_then(|value| serde_json::from_str::<Case>(value).ok());
            self.case_name = case.and_then(|case| case.name);
        }
        let form = self.forms.entry(words).or_insert(Form {
            count: 0,
            first: at,
            is_own: false,
        });
        form.count += 1;
        form.is_own |= !carried;
    }

    fn thing(self) -> OneThing {
        let mut kinds: Vec<(usize, &str)> = self.kinds.into_iter().map(|(label, count)| (count, label)).collect();
        kinds.sort_unstable_by(|one, other| other.cmp(one));
        let kind = kinds.first().map_or(Kind::Organisation, |&(_, label)| kind(label));
        let mut forms: Vec<(String, Form)> = self.forms.into_iter().collect();
        forms.sort_by(|(_, one), (_, other)| other.count.cmp(&one.count).then(one.first.cmp(&other.first)));
        let best = forms
            .iter()
            .max_by_key(|(words, form)| fitness(words, form, kind))
            .map(|(words, _)| words.clone());
        let name = self.case_name.or(best).unwrap_or_default();
        let aliases = forms
            .into_iter()
            .map(|(words, _)| words)
            .filter(|words| *words != name)
            .take(ALIASES_MAX);
        let thing = Thing {
            kind,
            aliases: aliases.collect(),
            roles: self.roles,
            mention_count: self.mentions.len() as u32,
            mentions: self
                .mentions
                .iter()
                .take(MENTIONS_TOLD_MAX)
                .map(|&at| at as u32 + 1)
                .collect(),
            name,
        };
        OneThing {
            thing,
            mentions: self.mentions,
        }
    }
}

/// How well a form names a thing: a model or a recogniser found it, it is no mere role, it has more words, it is not in capitals
/// throughout, it is found more often and, of two alike, first.
fn fitness(words: &str, form: &Form, kind: Kind) -> impl Ord + use<> {
    let count = words.split(' ').count();
    let is_mixed = words.contains(char::is_lowercase);
    let words_count = if kind == Kind::Place { 0 } else { count.min(8) };
    (
        form.is_own,
        !roles::is_role(words),
        words_count,
        is_mixed,
        form.count,
        std::cmp::Reverse(form.first),
    )
}

/// The kind of thing that a label names.
fn kind(label: &str) -> Kind {
    match label {
        "PERSON" => Kind::Person,
        "GOVERNMENT" => Kind::Government,
        "COURT" => Kind::Court,
        "LOCATION" => Kind::Place,
        "LEGISLATION" => Kind::Act,
        "CASE_CITATION" => Kind::Case,
        "STATUTE_CITATION" => Kind::Statute,
        _ => Kind::Organisation,
    }
}
