//! What a model's labels mean: taken from its `config.json`, so that no code knows one model's labels.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::manifest::{LabelScheme, ManifestError, read_json};

/// The part of a model's `config.json` that matters here.
#[derive(Debug, Clone, Deserialize)]
pub struct ModelConfig {
    /// Label of each output, by its number in decimal.
    pub id2label: BTreeMap<String, String>,
    /// The id that fills up short rows; masked, so most models do not care.
    #[serde(default)]
    pub pad_token_id: u32,
    /// Longest sequence the model has positions for, where it says so.
    pub max_position_embeddings: Option<usize>,
}

/// What a label says about a word. The number is that of a kind of entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// No entity.
    Outside,
    /// The first word of an entity.
    Begin(usize),
    /// A further word of the entity that the word before belongs to.
    Inside(usize),
}

/// A model's labels, in the order of its outputs.
///
/// Invariants: at least one label is outside, and each kind has exactly one beginning and at most one inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    tags: Vec<Tag>,
    kinds: Vec<String>,
}

impl ModelConfig {
    /// Reads a `config.json`.
    pub fn from_file(path: &Path) -> Result<Self, ManifestError> {
        read_json(path)
    }
}

impl Labels {
    /// Understands the labels of a configuration.
    pub fn of(config: &ModelConfig, scheme: LabelScheme) -> Result<Self, ManifestError> {
        let in_order: Option<Vec<&String>> = (0..config.id2label.len())
            .map(|id| config.id2label.get(&id.to_string()))
            .collect();
        let names = in_order.ok_or_else(|| ManifestError::Labels("id2label does not count up from 0".into()))?;
        match scheme {
            LabelScheme::Bio => Self::bio(&names),
        }
    }

    fn bio(names: &[&String]) -> Result<Self, ManifestError> {
        let refuse = |reason: String| Err(ManifestError::Labels(reason));
        let mut kinds: Vec<String> = Vec::new();
        for kind in names.iter().filter_map(|name| name.strip_prefix("B-")) {
            if kind.is_empty() || kinds.iter().any(|known| known == kind) {
                return refuse(format!("B-{kind} is empty or stands twice"));
            }
            kinds.push(kind.to_owned());
        }
        let mut tags = Vec::with_capacity(names.len());
        for name in names {
            let kind_of = |kind: &str| kinds.iter().position(|known| known == kind);
            let tag = match name.split_once('-') {
                None if *name == "O" => Some(Tag::Outside),
                Some(("B", kind)) => kind_of(kind).map(Tag::Begin),
                Some(("I", kind)) => kind_of(kind).map(Tag::Inside),
                _ => None,
            };
            match tag {
                Some(tag @ Tag::Inside(_)) if tags.contains(&tag) => return refuse(format!("{name} stands twice")),
                Some(tag) => tags.push(tag),
                None => return refuse(format!("{name} is no label of the scheme BIO, or its B- is missing")),
            }
        }
        if !tags.contains(&Tag::Outside) {
            return refuse("there is no O".into());
        }
        if u16::try_from(tags.len()).is_err() {
            return refuse(format!("{} labels are more than 16 bits can number", tags.len()));
        }
        Ok(Self { tags, kinds })
    }

    /// How many outputs the model has for a token.
    pub fn len(&self) -> usize {
        self.tags.len()
    }

    /// Never: there always is a label for "no entity".
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// What each output means.
    pub fn tags(&self) -> &[Tag] {
        &self.tags
    }

    /// What one output means.
    pub fn tag(&self, label: u16) -> Tag {
        self.tags[usize::from(label)]
    }

    /// Names of the kinds of entity.
    pub fn kinds(&self) -> &[String] {
        &self.kinds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(names: &[&str]) -> Result<Labels, ManifestError> {
        let config = ModelConfig {
            id2label: names
                .iter()
                .enumerate()
                .map(|(id, name)| (id.to_string(), (*name).to_owned()))
                .collect(),
            pad_token_id: 0,
            max_position_embeddings: None,
        };
        Labels::of(&config, LabelScheme::Bio)
    }

    #[test]
    fn labels_may_come_in_any_order() {
        let labels = labels(&["I-X-Y", "O", "B-Z", "B-X-Y"]).expect("they are BIO");
        assert_eq!(labels.kinds(), ["Z", "X-Y"]);
        assert_eq!(
            labels.tags(),
            [Tag::Inside(1), Tag::Outside, Tag::Begin(0), Tag::Begin(1)]
        );
    }

    #[test]
    fn what_is_not_bio_is_refused() {
        for bad in [
            &["B-X", "I-X"][..],
            &["O", "I-X"],
            &["O", "X"],
            &["O", "B-X", "B-X"],
            &["O", "B-X", "I-X", "I-X"],
            &["O", "B-"],
            &[],
        ] {
            assert!(labels(bad).is_err(), "{bad:?}");
        }
    }
}
