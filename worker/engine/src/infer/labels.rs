//! What a model's labels mean. They are read from its `config.json`, so that no code knows one model's labels.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Deserializer};

use crate::infer::manifest::{LabelScheme, ManifestError, read_json};

/// The part of a model's `config.json` that Docket reads.
#[derive(Debug, Clone, Deserialize)]
pub struct ModelConfig {
    /// Label of each output, by the output's number in decimal.
    pub id2label: BTreeMap<String, String>,
    /// Token id that pads short rows, 0 where the file names none. Padding is masked, so most models do not care.
    #[serde(default, deserialize_with = "zero_for_null")]
    pub pad_token_id: u32,
    /// Longest sequence that the model has positions for, if the file says so.
    pub max_position_embeddings: Option<usize>,
}

/// What a label says about a word. The number is that of a kind of entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// The word is in no entity.
    Outside,
    /// The first word of an entity.
    Begin(usize),
    /// A further word of an entity, behind another word of the same entity.
    Inside(usize),
    /// The last word of an entity, in schemes that mark it.
    End(usize),
    /// The only word of an entity, in schemes that mark it.
    Single(usize),
    /// Any word of an entity, in schemes that mark no more.
    Part(usize),
}

/// Makes a tag from a kind's number.
type OfKind = fn(usize) -> Tag;

/// A model's labels, in the order of its outputs.
///
/// Invariants: at least one label means outside, no two others mean the same, and each entity that can begin can end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    tags: Vec<Tag>,
    kinds: Vec<String>,
    scheme: LabelScheme,
}

impl ModelConfig {
    /// Reads a `config.json`.
    pub fn from_file(path: &Path) -> Result<Self, ManifestError> {
        read_json(path)
    }
}

fn zero_for_null<'de, D: Deserializer<'de>>(json: D) -> Result<u32, D::Error> {
    Option::deserialize(json).map(Option::unwrap_or_default)
}

impl Tag {
    /// Number of the kind of entity; `None` outside entities.
    pub fn kind(self) -> Option<usize> {
        match self {
            Self::Outside => None,
            Self::Begin(kind) | Self::Inside(kind) | Self::End(kind) | Self::Single(kind) | Self::Part(kind) => {
                Some(kind)
            }
        }
    }

    /// Whether the word belongs to the entity of the word before.
    pub fn goes_on(self, before: Self) -> bool {
        let joins = matches!(
            (before, self),
            (Self::Begin(_) | Self::Inside(_), Self::Inside(_) | Self::End(_)) | (Self::Part(_), Self::Part(_))
        );
        joins && before.kind() == self.kind()
    }

    /// Whether the word needs another word of its entity before it.
    pub fn needs_before(self) -> bool {
        matches!(self, Self::Inside(_) | Self::End(_))
    }
}

impl Labels {
    /// Parses the labels of a configuration.
    pub fn of(config: &ModelConfig, scheme: LabelScheme) -> Result<Self, ManifestError> {
        let in_order: Option<Vec<&String>> = (0..config.id2label.len())
            .map(|id| config.id2label.get(&id.to_string()))
            .collect();
        let names = in_order.ok_or_else(|| ManifestError::Labels("id2label does not count up from 0".into()))?;
        let mut labels = Self {
            tags: Vec::with_capacity(names.len()),
            kinds: Vec::new(),
            scheme,
        };
        for name in names {
            labels.push(name)?;
        }
        labels.check()?;
        Ok(labels)
    }

    fn push(&mut self, name: &str) -> Result<(), ManifestError> {
        let refuse = |reason: String| Err(ManifestError::Labels(format!("{name} {reason}")));
        if name == "O" {
            self.tags.push(Tag::Outside);
            return Ok(());
        }
        let Some((tag, kind)) = spelled(name, self.scheme) else {
            return refuse(format!("is no label of the scheme {:?}", self.scheme));
        };
        let known = self.kinds.iter().position(|known| known == kind);
        let tag = tag(known.unwrap_or(self.kinds.len()));
        if self.tags.contains(&tag) {
            return refuse("stands twice".into());
        }
        if known.is_none() {
            self.kinds.push(kind.to_owned());
        }
        self.tags.push(tag);
        Ok(())
    }

    fn check(&self) -> Result<(), ManifestError> {
        let refuse = |reason: String| Err(ManifestError::Labels(reason));
        if !self.tags.contains(&Tag::Outside) {
            return refuse("there is no O".into());
        }
        if u16::try_from(self.tags.len()).is_err() {
            return refuse(format!("{} labels are more than 16 bits can number", self.tags.len()));
        }
        let has = |tag| self.tags.contains(&tag);
        for (kind, name) in self.kinds.iter().enumerate() {
            if has(Tag::Inside(kind)) && !has(Tag::Begin(kind)) {
                return refuse(format!("I-{name} has no B-{name}"));
            }
            if self.says_ends() && has(Tag::Begin(kind)) != has(Tag::End(kind)) {
                return refuse(format!("of B-{name} and E-{name} there is one without the other"));
            }
        }
        Ok(())
    }

    /// Whether the scheme marks an entity's last word, so that every entity ends with one.
    pub fn says_ends(&self) -> bool {
        self.scheme == LabelScheme::Bioes
    }

    /// Number of outputs that the model has for a token.
    pub fn len(&self) -> usize {
        self.tags.len()
    }

    /// Always false: there is a label for "no entity".
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// Meaning of each output.
    pub fn tags(&self) -> &[Tag] {
        &self.tags
    }

    /// Meaning of one output.
    pub fn tag(&self, label: u16) -> Tag {
        self.tags[usize::from(label)]
    }

    /// Names of the kinds of entity.
    pub fn kinds(&self) -> &[String] {
        &self.kinds
    }
}

/// What a label says about a kind, and the kind's name.
fn spelled(name: &str, scheme: LabelScheme) -> Option<(OfKind, &str)> {
    let (prefix, kind) = match scheme {
        LabelScheme::Plain => ("", name),
        LabelScheme::Bio | LabelScheme::Bioes => name.split_once('-')?,
    };
    let tag: OfKind = match (scheme, prefix) {
        (LabelScheme::Plain, _) => Tag::Part,
        (LabelScheme::Bio | LabelScheme::Bioes, "B") => Tag::Begin,
        (LabelScheme::Bio | LabelScheme::Bioes, "I") => Tag::Inside,
        (LabelScheme::Bioes, "E" | "L") => Tag::End,
        (LabelScheme::Bioes, "S" | "U") => Tag::Single,
        (LabelScheme::Bio | LabelScheme::Bioes, _) => return None,
    };
    (!kind.is_empty()).then_some((tag, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scheme: LabelScheme, names: &[&str]) -> Result<Labels, ManifestError> {
        let config = ModelConfig {
            id2label: names
                .iter()
                .enumerate()
                .map(|(id, name)| (id.to_string(), (*name).to_owned()))
                .collect(),
            pad_token_id: 0,
            max_position_embeddings: None,
        };
        Labels::of(&config, scheme)
    }

    #[test]
    fn labels_may_come_in_any_order() {
        let bio = labels(LabelScheme::Bio, &["I-X-Y", "O", "B-Z", "B-X-Y"]).expect("they are BIO");
        assert_eq!(bio.kinds(), ["X-Y", "Z"]);
        assert_eq!(bio.tags(), [Tag::Inside(0), Tag::Outside, Tag::Begin(1), Tag::Begin(0)]);
        let plain = labels(LabelScheme::Plain, &["B-X", "O", "Y"]).expect("every name is plain");
        assert_eq!(plain.kinds(), ["B-X", "Y"]);
        assert_eq!(plain.tags(), [Tag::Part(0), Tag::Outside, Tag::Part(1)]);
    }

    #[test]
    fn bilou_is_bioes_by_other_letters() {
        let bioes = labels(LabelScheme::Bioes, &["O", "S-X", "E-X", "B-X", "I-X"]).expect("they are BIOES");
        let bilou = labels(LabelScheme::Bioes, &["O", "U-X", "L-X", "B-X", "I-X"]).expect("they are BILOU");
        assert_eq!(bioes, bilou);
        let tags = [Tag::Outside, Tag::Single(0), Tag::End(0), Tag::Begin(0), Tag::Inside(0)];
        assert_eq!(bioes.tags(), tags);
    }

    #[test]
    fn a_configuration_may_name_no_padding() {
        for json in [r#"{"id2label": {}}"#, r#"{"id2label": {}, "pad_token_id": null}"#] {
            let config: ModelConfig = serde_json::from_str(json).expect("it is a configuration");
            assert_eq!(config.pad_token_id, 0);
        }
    }

    #[test]
    fn what_is_not_of_the_scheme_is_refused() {
        let bad: [(LabelScheme, &[&str]); 15] = [
            (LabelScheme::Bio, &["B-X", "I-X"]),
            (LabelScheme::Bio, &["O", "I-X"]),
            (LabelScheme::Bio, &["O", "X"]),
            (LabelScheme::Bio, &["O", "B-X", "B-X"]),
            (LabelScheme::Bio, &["O", "B-X", "I-X", "I-X"]),
            (LabelScheme::Bio, &["O", "B-"]),
            (LabelScheme::Bio, &["O", "B-X", "S-X"]),
            (LabelScheme::Bio, &[]),
            (LabelScheme::Bioes, &["O", "B-X", "I-X"]),
            (LabelScheme::Bioes, &["O", "S-X", "E-X"]),
            (LabelScheme::Bioes, &["O", "S-X", "U-X"]),
            (LabelScheme::Bioes, &["O", "S-X", "I-X"]),
            (LabelScheme::Plain, &["X", "Y"]),
            (LabelScheme::Plain, &["O", "X", "X"]),
            (LabelScheme::Plain, &["O", ""]),
        ];
        for (scheme, names) in bad {
            assert!(labels(scheme, names).is_err(), "{scheme:?} {names:?}");
        }
    }
}
