//! Token classifiers of a few kilobytes, for tests that need a model but no understanding.
//!
//! A tiny model gives each word the label that the test chose, wherever the word stands: its whole network is a table of scores,
//! a row for each piece of its vocabulary. So a test knows the answer to any text by construction. The model loads in an instant,
//! and can be broken in a chosen way. It writes a complete folder, as operators publish it.

mod graph;
mod tokenizer;

use std::path::Path;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// Score of the label that a word carries; all other labels have 0. So the label's probability is nearly 1.
const CARRIED_SCORE: f32 = 8.0;
/// The label of words whose scores are not numbers.
const POISON: &str = "";

/// The spelling of labels, as in the manifest's `label_scheme`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `B-X` begins an entity, `I-X` continues it.
    Bio,
    /// As BIO, with `E-X` for an entity's last word and `S-X` for an only word.
    Bioes,
    /// As BIOES, with `L-X` for the last word and `U-X` for an only word.
    Bilou,
    /// Just the kind, `X`.
    Plain,
}

/// A defect of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The graph has one output more than `config.json` has labels.
    Shape,
    /// No score is a number.
    NotANumber,
    /// `model.onnx` ends in its middle, and so differs from the manifest's hash.
    CutShort,
    /// `model.onnx` ends in its middle, and the manifest's hash agrees.
    NoGraph,
}

/// A model to write. Words without a chosen label carry `O`.
///
/// ```
/// use docket_testing::{Scheme, TinyModel};
///
/// let folder = tempfile::tempdir().unwrap();
/// TinyModel::new("tiny", "1")
///     .scheme(Scheme::Bioes)
///     .kinds(&["PARTY"])
///     .word("alice", "B-PARTY")
///     .word("smith", "E-PARTY")
///     .write(folder.path());
/// assert!(folder.path().join("manifest.json").exists());
/// ```
#[derive(Debug, Clone)]
pub struct TinyModel {
    name: String,
    version: String,
    scheme: Scheme,
    labels: Vec<String>,
    words: Vec<(String, String)>,
    inputs: Vec<String>,
    output: String,
    window_tokens: usize,
    overlap_tokens: usize,
    about: Map<String, Value>,
    files: Vec<(String, Vec<u8>)>,
    fault: Option<Fault>,
}

impl Scheme {
    fn in_manifest(self) -> &'static str {
        match self {
            Self::Bio => "bio",
            Self::Bioes => "bioes",
            Self::Bilou => "bilou",
            Self::Plain => "plain",
        }
    }

    fn labels(self, kind: &str) -> Vec<String> {
        let prefixes: &[&str] = match self {
            Self::Bio => &["B-", "I-"],
            Self::Bioes => &["B-", "I-", "E-", "S-"],
            Self::Bilou => &["B-", "I-", "L-", "U-"],
            Self::Plain => &[""],
        };
        prefixes.iter().map(|prefix| format!("{prefix}{kind}")).collect()
    }
}

impl TinyModel {
    /// A BIO model that knows neither kinds nor words, and takes no token types.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            scheme: Scheme::Bio,
            labels: vec!["O".to_owned()],
            words: Vec::new(),
            inputs: ["input_ids", "attention_mask"].map(String::from).to_vec(),
            output: "logits".to_owned(),
            window_tokens: 64,
            overlap_tokens: 16,
            about: Map::new(),
            files: Vec::new(),
            fault: None,
        }
    }

    /// Sets the spelling of the labels; call this before [`TinyModel::kinds`].
    pub fn scheme(mut self, scheme: Scheme) -> Self {
        self.scheme = scheme;
        self
    }

    /// Sets every label of the scheme for each of these kinds of entity, with `O` as the first.
    pub fn kinds(self, kinds: &[&str]) -> Self {
        let labels: Vec<String> = kinds.iter().flat_map(|kind| self.scheme.labels(kind)).collect();
        let labels: Vec<&str> = std::iter::once("O").chain(labels.iter().map(String::as_str)).collect();
        self.labels(&labels)
    }

    /// Sets exactly these labels, in the order of the model's outputs.
    pub fn labels(mut self, labels: &[&str]) -> Self {
        self.labels = labels.iter().map(|&label| label.to_owned()).collect();
        self
    }

    /// Sets the label of a word. Case does not matter; `##ly` is the end of words that begin with another piece.
    pub fn word(mut self, word: &str, label: &str) -> Self {
        self.words.push((word.to_lowercase(), label.to_owned()));
        self
    }

    /// Adds a word whose scores are not numbers: no window with this word can be read.
    pub fn poison(self, word: &str) -> Self {
        self.word(word, POISON)
    }

    /// Sets the names of the graph's inputs, in order: `input_ids` and any others, which the graph accepts and ignores.
    pub fn inputs(mut self, names: &[&str]) -> Self {
        self.inputs = names.iter().map(|&name| name.to_owned()).collect();
        self
    }

    /// Adds the input `token_type_ids`, as BERT has it.
    pub fn token_types(self) -> Self {
        self.inputs(&["input_ids", "attention_mask", "token_type_ids"])
    }

    /// Sets the name of the graph's output.
    pub fn output(mut self, name: &str) -> Self {
        self.output = name.to_owned();
        self
    }

    /// Sets the longest window, special tokens included, and the overlap of windows, in tokens.
    pub fn windows(mut self, window_tokens: usize, overlap_tokens: usize) -> Self {
        self.window_tokens = window_tokens;
        self.overlap_tokens = overlap_tokens;
        self
    }

    /// Adds a field to the manifest, or replaces its value.
    pub fn about(mut self, field: &str, value: Value) -> Self {
        self.about.insert(field.to_owned(), value);
        self
    }

    /// Adds a file to the folder.
    pub fn file(mut self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((name.to_owned(), content.into()));
        self
    }

    /// Breaks the model in this way.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }

    /// Writes the model's folder, made if missing.
    pub fn write(&self, folder: &Path) {
        std::fs::create_dir_all(folder).unwrap_or_else(|error| panic!("make {}: {error}", folder.display()));
        let mut files = self.parts();
        let manifest = pretty(&self.manifest(&files));
        if self.fault == Some(Fault::CutShort) {
            halve(&mut files[0].1);
        }
        files.push(("manifest.json".to_owned(), manifest));
        for (name, content) in files {
            let path = folder.join(name);
            std::fs::write(&path, content).unwrap_or_else(|error| panic!("write {}: {error}", path.display()));
        }
    }

    /// The files that the manifest names, the graph first.
    fn parts(&self) -> Vec<(String, Vec<u8>)> {
        let mut graph = graph::encode(&self.inputs, &self.output, &self.table());
        if self.fault == Some(Fault::NoGraph) {
            halve(&mut graph);
        }
        let words = self.words.iter().map(|(word, _)| word.as_str());
        let tokenizer = pretty(&tokenizer::json(words));
        let mut files = vec![
            ("model.onnx".to_owned(), graph),
            ("tokenizer.json".to_owned(), tokenizer),
            ("config.json".to_owned(), pretty(&self.config())),
        ];
        files.extend(self.files.iter().cloned());
        files
    }

    /// The scores of each piece of the vocabulary for each label.
    fn table(&self) -> Vec<Vec<f32>> {
        let specials = tokenizer::SPECIALS.iter().map(|_| "O");
        let carried = specials.chain(self.words.iter().map(|(_, label)| label.as_str()));
        carried.map(|label| self.row(label)).collect()
    }

    fn row(&self, label: &str) -> Vec<f32> {
        if label == POISON {
            return vec![f32::NAN; self.labels.len()];
        }
        let place = self.labels.iter().position(|known| known == label);
        let place = place.unwrap_or_else(|| panic!("{label} is none of the labels {:?}", self.labels));
        let mut row = vec![0.0; self.labels.len()];
        row[place] = CARRIED_SCORE;
        match self.fault {
            Some(Fault::NotANumber) => row.fill(f32::NAN),
            Some(Fault::Shape) => row.push(0.0),
            Some(Fault::CutShort | Fault::NoGraph) | None => (),
        }
        row
    }

    fn config(&self) -> Value {
        let labels = self.labels.iter().enumerate();
        let id2label: Map<String, Value> = labels.map(|(id, label)| (id.to_string(), json!(label))).collect();
        json!({"id2label": id2label, "pad_token_id": 0})
    }

    fn manifest(&self, files: &[(String, Vec<u8>)]) -> Value {
        let entry = |content: &[u8]| json!({"sha256": sha256(content), "bytes": content.len()});
        let files: Map<String, Value> = files
            .iter()
            .map(|(name, content)| (name.clone(), entry(content)))
            .collect();
        let mut manifest = json!({
            "name": self.name,
            "version": self.version,
            "description": "A tiny model for tests.",
            "label_scheme": self.scheme.in_manifest(),
            "window_tokens": self.window_tokens,
            "overlap_tokens": self.overlap_tokens,
            "provenance": "A table of scores, written by the tests.",
            "licence": "Apache-2.0",
            "files": files,
        });
        for (field, value) in &self.about {
            manifest[field] = value.clone();
        }
        manifest
    }
}

fn halve(content: &mut Vec<u8>) {
    content.truncate(content.len() / 2);
}

fn pretty(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

fn sha256(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
