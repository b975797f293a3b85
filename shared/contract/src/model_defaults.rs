//! The models of documents whose callers name none: one for all, and one for each of some languages.

use std::collections::{BTreeMap, HashSet};
use std::str::FromStr;

use crate::ids::ModelRef;
use crate::language::Language;

/// The models of documents whose callers name none, as a setting says them: `ner-legal,de=ner-german`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelDefaults {
    general: ModelRef,
    by_language: BTreeMap<Language, ModelRef>,
}

impl ModelDefaults {
    /// The model of documents of which no language is named.
    pub fn general(&self) -> &ModelRef {
        &self.general
    }

    /// The model of documents of which this language is named: the language's own, or else the general one.
    pub fn of(&self, language: Option<&Language>) -> &ModelRef {
        let own = language.and_then(|language| self.by_language.get(language));
        own.unwrap_or(&self.general)
    }

    /// Every one of the models once, the general one first.
    pub fn all(&self) -> impl Iterator<Item = &ModelRef> {
        let mut seen = HashSet::new();
        let all = std::iter::once(&self.general).chain(self.by_language.values());
        all.filter(move |model| seen.insert(*model))
    }

    /// The languages that have a model of their own, with those models.
    pub fn by_language(&self) -> impl Iterator<Item = (&Language, &ModelRef)> {
        self.by_language.iter()
    }
}

impl FromStr for ModelDefaults {
    type Err = String;

    fn from_str(list: &str) -> Result<Self, String> {
        let model = |named: &str| named.parse().map_err(|error| format!("{named:?}: {error}"));
        let mut entries = list.split(',').map(str::trim);
        let general = model(entries.next().unwrap_or_default())?;
        let mut by_language = BTreeMap::new();
        for entry in entries {
            let form = || format!("{entry:?} is not of the form language=model, such as de=ner-german");
            let (language, named) = entry.split_once('=').ok_or_else(form)?;
            let language: Language = language.parse().map_err(|error| format!("{entry:?}: {error}"))?;
            if by_language.insert(language, model(named)?).is_some() {
                return Err(format!("{entry:?}: its language has a model already"));
            }
        }
        Ok(Self { general, by_language })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_has_its_own_model_or_the_general_one() {
        let defaults: ModelDefaults = "ner-legal, de=ner-german@2,fr=ner-french".parse().unwrap();
        let of = |code: &str| defaults.of(Some(&code.parse().unwrap())).to_string();
        assert_eq!((of("de"), of("fr")), ("ner-german@2".into(), "ner-french".into()));
        assert_eq!(of("en"), "ner-legal");
        assert_eq!(defaults.of(None).to_string(), "ner-legal");
        assert_eq!(defaults.by_language().count(), 2);
        let twice: ModelDefaults = "a,de=b,fr=b,en=a".parse().unwrap();
        let all: Vec<String> = twice.all().map(ToString::to_string).collect();
        assert_eq!(all, ["a", "b"]);
    }

    #[test]
    fn unknown_forms_are_refused() {
        for bad in [
            "",
            "de=ner-german",
            "a,b",
            "a,de",
            "a,de=",
            "a,DE=b",
            "a,german=b",
            "a,de=b,de=c",
            "a,",
            "a,de=b=c",
        ] {
            assert!(bad.parse::<ModelDefaults>().is_err(), "{bad:?}");
        }
    }
}
