//! Links short forms, supra and id. to the citations they mean.
//!
//! A short form means the citation with the same volume and reporter; several are told apart by the name, then by the
//! page. Supra means the case with that name. Id. means the citation just before, if the pin can lie in the decision.
//! A reference whose citation is not found stays in the list without a link, and an id. after has no link either.
use super::finding::{Case, CaseForm, Citation, Finding};
use super::words::SHARED;
use std::collections::HashMap;

/// Most pages of one decision: a pin farther from the first page means another case, as in eyecite.
const DECISION_PAGES_MAX: u32 = 150;
/// Most citations kept for one volume and reporter, the latest ones: more in one volume are rare and cost time.
const VOLUME_CASES_MAX: usize = 8;
/// Shortest word of a name that stands for the case; shorter ones are initials.
const ALIAS_CHARACTERS_MIN: usize = 3;

#[derive(Default)]
struct Known {
    volumes: HashMap<(String, String), Vec<usize>>,
    /// Names and the case they mean; nothing where two cases share a word.
    names: HashMap<String, Option<usize>>,
    last: Option<usize>,
}

/// Sets `of` of every reference back.
pub(super) fn resolve(findings: &mut [Finding]) {
    let mut known = Known::default();
    for index in 0..findings.len() {
        let of = match &findings[index].citation {
            Citation::Court(_) => continue,
            Citation::Statute(_) | Citation::Journal(_) => {
                known.last = Some(index);
                continue;
            }
            Citation::Case(case) => match case.form {
                CaseForm::Full | CaseForm::Neutral | CaseForm::Database => {
                    known.learn(findings, index, case);
                    continue;
                }
                CaseForm::Short => known.by_volume(findings, case),
                CaseForm::Supra => known.by_name(case),
                CaseForm::Id => known
                    .last
                    .filter(|&last| holds(&findings[last].citation, case.pin.as_deref())),
            },
        };
        known.last = of;
        if let Citation::Case(case) = &mut findings[index].citation {
            case.of = of;
        }
    }
}

impl Known {
    fn learn(&mut self, findings: &[Finding], index: usize, case: &Case) {
        let first = case.parallel_to.unwrap_or(index);
        self.last = Some(first);
        if let (Some(volume), Some(reporter)) = (&case.volume, &case.reporter) {
            let list = self.volumes.entry((volume.clone(), reporter.clone())).or_default();
            if list.len() == VOLUME_CASES_MAX {
                list.remove(0);
            }
            list.push(index);
        }
        if first != index {
            return;
        }
        if let Some(name) = &case.name {
            self.names.insert(normal(name), Some(index));
        }
        for party in &case.parties {
            let party = normal(party);
            for alias in party.split(' ') {
                self.name_alias(findings, index, alias);
            }
            self.name_alias(findings, index, &party);
        }
    }

    /// Lets a word stand for a case, unless another case has the word as well.
    fn name_alias(&mut self, findings: &[Finding], index: usize, alias: &str) {
        if alias.len() < ALIAS_CHARACTERS_MIN || SHARED.contains(alias) {
            return;
        }
        let entry = self.names.entry(alias.to_owned()).or_insert(Some(index));
        let same = entry.is_some_and(|other| other == index || name_of(findings, other) == name_of(findings, index));
        *entry = same.then_some(index);
    }

    fn by_volume(&self, findings: &[Finding], case: &Case) -> Option<usize> {
        let key = (case.volume.clone()?, case.reporter.clone()?);
        let list = self.volumes.get(&key)?;
        let fits = |&index: &usize| holds(&findings[index].citation, case.pin.as_deref());
        if let [only] = list[..] {
            return Some(only).filter(fits);
        }
        let named = self.by_name(case).and_then(|named| {
            list.iter().rev().copied().find(|&index| {
                name_of(findings, index).is_some() && name_of(findings, index) == name_of(findings, named)
            })
        });
        named.or_else(|| {
            list.iter()
                .copied()
                .filter(fits)
                .max_by_key(|&index| first_page(&findings[index].citation))
        })
    }

    fn by_name(&self, case: &Case) -> Option<usize> {
        let whole = normal(case.name.as_deref()?);
        let parties = case.parties.iter().map(|party| normal(party));
        let words = [whole.split(' ').next_back(), whole.split(' ').next()]
            .into_iter()
            .flatten()
            .map(str::to_owned);
        let names = std::iter::once(whole.clone()).chain(parties).chain(words);
        names.filter_map(|name| self.names.get(&name).copied().flatten()).next()
    }
}

fn name_of(findings: &[Finding], index: usize) -> Option<&str> {
    match &findings[index].citation {
        Citation::Case(case) => case.name.as_deref(),
        Citation::Statute(_) | Citation::Journal(_) | Citation::Court(_) => None,
    }
}

fn first_page(citation: &Citation) -> Option<u32> {
    match citation {
        Citation::Case(case) => case.page.as_ref()?.parse().ok(),
        Citation::Statute(_) | Citation::Journal(_) | Citation::Court(_) => None,
    }
}

/// Tells whether a pin can lie in a citation: sections lie in statutes, pages near the first page of a case.
fn holds(citation: &Citation, pin: Option<&str>) -> bool {
    let Some(pin) = pin else { return true };
    match citation {
        Citation::Statute(_) | Citation::Journal(_) => true,
        Citation::Court(_) => false,
        Citation::Case(_) if pin.contains('§') => false,
        Citation::Case(case) if case.form == CaseForm::Full && pin.starts_with(|c: char| c.is_ascii_digit()) => {
            let digits: String = pin.chars().take_while(char::is_ascii_digit).collect();
            match (first_page(citation), digits.parse::<u32>()) {
                (Some(first), Ok(pin)) => (first..=first.saturating_add(DECISION_PAGES_MAX)).contains(&pin),
                _ => true,
            }
        }
        Citation::Case(_) => true,
    }
}

/// Gives a name in small letters without marks.
fn normal(name: &str) -> String {
    let words = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}
