//! A model's folder: which files it must have, and the manifest that lists them.
//!
//! A folder is taken as a whole or not at all: each file must have the size and the SHA-256 that the manifest names.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use docket_contract::ids::{ModelName, ModelVersion};
use docket_contract::language::Language;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::release::Release;

/// Name of the manifest in a model's folder.
pub const MANIFEST_FILE: &str = "manifest.json";
/// Name of the graph and its weights.
pub const MODEL_FILE: &str = "model.onnx";
/// Name of the tokenizer, as Hugging Face's `tokenizers` writes it.
pub const TOKENIZER_FILE: &str = "tokenizer.json";
/// Name of the model's configuration, which holds the labels.
pub const CONFIG_FILE: &str = "config.json";

/// Shortest window in tokens: in a shorter one special tokens and overlap leave no room for a sentence.
const WINDOW_TOKENS_MIN: usize = 16;
/// Longest window in tokens: attention costs the square of the length, and no model here was trained on more.
const WINDOW_TOKENS_MAX: usize = 4096;
/// Largest model, all its files together, in bytes. An ONNX file holds at most 2 GiB, and token classifiers that fit into a
/// worker's memory are far smaller. A worker fetches no more than this for one version.
pub const MODEL_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// Longest name of a file in characters, all ASCII: file systems take 255 bytes.
const FILE_NAME_LENGTH_MAX: usize = 128;
/// End of the names of incomplete files in the cache. No file of a model may end so.
pub const PART_FILE_END: &str = ".part";
/// Bytes hashed at a time.
const HASH_CHUNK_BYTES: usize = 64 * 1024;

/// What a model is, and which files make it up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// What the model's author says about it.
    #[serde(flatten)]
    pub about: About,
    /// Size and hash of each file, by the file's name.
    pub files: BTreeMap<String, FileEntry>,
}

/// What a model's author says about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// The model's name.
    pub name: ModelName,
    /// The version. A published version never changes.
    pub version: ModelVersion,
    /// What the model is for, in one line.
    pub description: String,
    /// The languages that the model reads; empty for a model whose author does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<Language>,
    /// How the labels mark the words of an entity.
    pub label_scheme: LabelScheme,
    /// Longest window in tokens, special ones included.
    pub window_tokens: usize,
    /// Tokens that two windows share where a sentence is longer than a window.
    pub overlap_tokens: usize,
    /// Where the weights come from.
    pub provenance: String,
    /// Licence of the weights.
    pub licence: String,
    /// Accuracy that the model must have to be published; `None` for no such check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
}

/// The accuracy below which a model is not published: how much accuracy a small and fast file may cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// Name of the folder's file with labelled text, as `docket-worker evaluate` reads it.
    pub data: String,
    /// Micro F1 on that text, 0 to 1, of the same weights in 32-bit floats.
    pub reference_f1: f64,
    /// How far the model's own F1 may be below the reference.
    pub loss_max: f64,
}

/// How labels mark the words of an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LabelScheme {
    /// `B-X` begins an X, `I-X` continues it, `O` is outside.
    Bio,
    /// As BIO, with `E-X` for the last word of an X and `S-X` for its only word. BILOU is the same in other letters: `L-X`,
    /// `U-X`.
    #[serde(alias = "bilou")]
    Bioes,
    /// `X` is any word of an X, `O` is outside. Two entities of a kind without a word between them count as one.
    Plain,
}

/// Size and hash of one file of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// SHA-256 of the file's content, in lower-case hexadecimal.
    pub sha256: String,
    /// Size of the file.
    pub bytes: u64,
}

/// Why a folder is not a usable model.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// A file cannot be read.
    #[error("read {path}")]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file is not the JSON it should be.
    #[error("understand {path}")]
    Json {
        /// Path of the file.
        path: PathBuf,
        /// What the JSON parser said.
        #[source]
        source: serde_json::Error,
    },
    /// The manifest of another version lies in the place of the one asked for.
    #[error("the manifest of {asked} says that it is of {found}")]
    Other {
        /// The version asked for.
        asked: Release,
        /// The version that the manifest names.
        found: Release,
    },
    /// The manifest contradicts itself or the rules.
    #[error("the manifest cannot be used: {0}")]
    Invalid(String),
    /// The labels cannot be understood.
    #[error("the labels of config.json cannot be used: {0}")]
    Labels(String),
    /// A file differs from the manifest.
    #[error("{name} is not the file of the manifest: {difference}")]
    Changed {
        /// Name of the file.
        name: String,
        /// The size or hash found, beside the manifest's.
        difference: String,
    },
}

impl Manifest {
    /// Reads the manifest of a folder and checks the manifest, but not yet the files.
    pub fn from_folder(folder: &Path) -> Result<Self, ManifestError> {
        let manifest: Self = read_json(&folder.join(MANIFEST_FILE))?;
        manifest.validate()?;
        Ok(manifest)
    }

    /// Reads a manifest as it is stored, and checks it.
    pub fn from_json(json: &[u8]) -> Result<Self, ManifestError> {
        let manifest: Self = serde_json::from_slice(json).map_err(|source| ManifestError::Json {
            path: MANIFEST_FILE.into(),
            source,
        })?;
        manifest.validate()?;
        Ok(manifest)
    }

    /// Reads the manifest stored for a version, and checks that it is that version's.
    pub fn of(release: &Release, json: &[u8]) -> Result<Self, ManifestError> {
        let manifest = Self::from_json(json)?;
        let (asked, found) = (release.clone(), manifest.release());
        if found == asked {
            Ok(manifest)
        } else {
            Err(ManifestError::Other { asked, found })
        }
    }

    /// The version that the manifest describes.
    pub fn release(&self) -> Release {
        Release {
            name: self.about.name.clone(),
            version: self.about.version.clone(),
        }
    }

    /// Size of all files together.
    pub fn bytes(&self) -> u64 {
        self.files.values().fold(0, |sum, file| sum.saturating_add(file.bytes))
    }

    /// The manifest as JSON, as it is stored.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("strings and numbers are JSON");
        json + "\n"
    }

    /// Makes the manifest of a folder. It lists every plain file except an older manifest, hidden files and Markdown, which may
    /// be edited without making another model.
    pub fn for_folder(folder: &Path, about: About) -> Result<Self, ManifestError> {
        let unreadable = |source| ManifestError::Read {
            path: folder.to_owned(),
            source,
        };
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_file = entry.file_type().map_err(unreadable)?.is_file();
            let left_out = name == MANIFEST_FILE || name.starts_with('.') || name.ends_with(".md");
            if is_file && !left_out {
                files.insert(name, FileEntry::of(&entry.path())?);
            }
        }
        let manifest = Self { about, files };
        manifest.validate()?;
        Ok(manifest)
    }

    /// Checks that every file of the manifest is in the folder, unchanged. Reads all files, so do not call it on an async thread.
    pub fn verify(&self, folder: &Path) -> Result<(), ManifestError> {
        for (name, expected) in &self.files {
            expected.compare(name, &FileEntry::of(&folder.join(name))?)?;
        }
        Ok(())
    }

    fn validate(&self) -> Result<(), ManifestError> {
        let refuse = |reason: String| Err(ManifestError::Invalid(reason));
        let About {
            window_tokens,
            overlap_tokens,
            ..
        } = self.about;
        if !(WINDOW_TOKENS_MIN..=WINDOW_TOKENS_MAX).contains(&window_tokens) {
            return refuse(format!(
                "window_tokens is {window_tokens}, not {WINDOW_TOKENS_MIN} to {WINDOW_TOKENS_MAX}"
            ));
        }
        if overlap_tokens > window_tokens / 2 {
            return refuse(format!(
                "overlap_tokens is {overlap_tokens}, more than half of a window"
            ));
        }
        if let Some(missing) = [MODEL_FILE, TOKENIZER_FILE, CONFIG_FILE]
            .iter()
            .find(|name| !self.files.contains_key(**name))
        {
            return refuse(format!("{missing} is not among the files"));
        }
        if let Some(reason) = self.about.gate.as_ref().and_then(|gate| gate.fault(&self.files)) {
            return refuse(reason);
        }
        if let Some(name) = self.files.keys().find(|name| !is_plain(name)) {
            return refuse(format!(
                "{name:?} is no plain file name: 1 to {FILE_NAME_LENGTH_MAX} characters of letters, digits, '.', '_' and '-' \
                 that start with a letter or digit, neither {MANIFEST_FILE} nor ending in {PART_FILE_END}"
            ));
        }
        if self.bytes() > MODEL_BYTES_MAX {
            return refuse(format!(
                "its files have {} bytes together, more than the {MODEL_BYTES_MAX} that a model may have",
                self.bytes()
            ));
        }
        let hexadecimal = |entry: &FileEntry| {
            entry.sha256.len() == 64
                && entry
                    .sha256
                    .bytes()
                    .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        if let Some((name, _)) = self.files.iter().find(|(_, entry)| !hexadecimal(entry)) {
            return refuse(format!("the SHA-256 of {name} is not 64 lower-case hexadecimal digits"));
        }
        Ok(())
    }
}

/// Whether a name may become a path in the cache and a key in the bucket.
fn is_plain(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=FILE_NAME_LENGTH_MAX).contains(&name.len())
        && name.bytes().all(legal)
        && name.as_bytes()[0].is_ascii_alphanumeric()
        && name != MANIFEST_FILE
        && !name.ends_with(PART_FILE_END)
}

impl Gate {
    /// The least micro F1 that passes the gate.
    pub fn f1_min(&self) -> f64 {
        self.reference_f1 - self.loss_max
    }

    fn fault(&self, files: &BTreeMap<String, FileEntry>) -> Option<String> {
        let Self {
            data,
            reference_f1,
            loss_max,
        } = self;
        if !files.contains_key(data) {
            Some(format!("the gate's data, {data}, is not among the files"))
        } else if !(0.0..=1.0).contains(reference_f1) {
            Some(format!("the gate's reference_f1 is {reference_f1}, not 0 to 1"))
        } else if !(0.0..=*reference_f1).contains(loss_max) {
            Some(format!("the gate's loss_max is {loss_max}, not 0 to its reference_f1"))
        } else {
            None
        }
    }
}

impl FileEntry {
    /// Reads a file for its size and hash.
    pub fn of(path: &Path) -> Result<Self, ManifestError> {
        let unreadable = |source| ManifestError::Read {
            path: path.to_owned(),
            source,
        };
        let mut file = File::open(path).map_err(unreadable)?;
        let mut hash = Sha256::new();
        let mut chunk = vec![0; HASH_CHUNK_BYTES];
        let mut bytes = 0;
        loop {
            match file.read(&mut chunk).map_err(unreadable)? {
                0 => break,
                count => {
                    hash.update(&chunk[..count]);
                    bytes += count as u64;
                }
            }
        }
        let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { sha256, bytes })
    }

    /// An error unless `found` is the manifest's entry for the file of this name.
    pub fn compare(&self, name: &str, found: &Self) -> Result<(), ManifestError> {
        if self == found {
            return Ok(());
        }
        Err(self.differs(name, &format!("{} bytes with SHA-256 {}", found.bytes, found.sha256)))
    }

    /// The error for a file that differs from the manifest. `found` says what was found instead.
    pub fn differs(&self, name: &str, found: &str) -> ManifestError {
        ManifestError::Changed {
            name: name.to_owned(),
            difference: format!("{found}, expected {} bytes with {}", self.bytes, self.sha256),
        }
    }
}

/// Reads a file of JSON.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, ManifestError> {
    let json = std::fs::read(path).map_err(|source| ManifestError::Read {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_slice(&json).map_err(|source| ManifestError::Json {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let entry = FileEntry {
            sha256: "0a".repeat(32),
            bytes: 1,
        };
        Manifest {
            about: About {
                name: "m".parse().expect("it is a name"),
                version: "1".parse().expect("it is a version"),
                description: String::new(),
                languages: Vec::new(),
                label_scheme: LabelScheme::Bio,
                window_tokens: 192,
                overlap_tokens: 32,
                provenance: String::new(),
                licence: String::new(),
                gate: None,
            },
            files: [MODEL_FILE, TOKENIZER_FILE, CONFIG_FILE]
                .map(|file| (file.to_owned(), entry.clone()))
                .into(),
        }
    }

    fn gate(data: &str, reference_f1: f64, loss_max: f64) -> Gate {
        Gate {
            data: data.into(),
            reference_f1,
            loss_max,
        }
    }

    #[test]
    fn a_gate_comes_back_as_it_was_written() {
        let mut manifest = manifest();
        manifest.about.gate = Some(gate(CONFIG_FILE, 0.8712, 0.01));
        let json = manifest.to_json();
        assert_eq!(Manifest::from_json(json.as_bytes()).expect("it is valid"), manifest);
    }

    #[test]
    fn a_manifest_may_say_which_languages_the_model_reads() {
        let mut manifest = manifest();
        let json = manifest.to_json();
        assert!(!json.contains("languages"), "what is not said is not written: {json}");
        manifest.about.languages = vec!["en".parse().expect("it is one"), "de".parse().expect("it is one")];
        let json = manifest.to_json();
        assert_eq!(Manifest::from_json(json.as_bytes()).expect("it is valid"), manifest);
        let wrong = json.replace("\"de\"", "\"German\"");
        assert!(
            matches!(Manifest::from_json(wrong.as_bytes()), Err(ManifestError::Json { .. })),
            "{wrong}"
        );
    }

    #[test]
    fn a_manifest_comes_back_as_it_was_written() {
        let json = manifest().to_json();
        assert_eq!(Manifest::from_json(json.as_bytes()).expect("it is valid"), manifest());
        assert!(json.contains("\"label_scheme\": \"bio\""), "{json}");
    }

    #[test]
    fn what_contradicts_the_rules_is_refused() {
        type Breakage = (&'static str, fn(&mut Manifest));
        let breakages: [Breakage; 9] = [
            ("window_tokens is 15", |m| m.about.window_tokens = 15),
            ("window_tokens is 4097", |m| m.about.window_tokens = 4097),
            ("overlap_tokens is 97", |m| m.about.overlap_tokens = 97),
            ("config.json is not among", |m| drop(m.files.remove(CONFIG_FILE))),
            ("have 4294967298 bytes together, more than the 4294967296", |m| {
                m.files
                    .entry(MODEL_FILE.into())
                    .and_modify(|file| file.bytes = MODEL_BYTES_MAX);
            }),
            ("the gate's data, gate.jsonl", |m| {
                m.about.gate = Some(gate("gate.jsonl", 0.9, 0.1));
            }),
            ("the gate's reference_f1 is 1.1", |m| {
                m.about.gate = Some(gate(CONFIG_FILE, 1.1, 0.1));
            }),
            ("the gate's loss_max is 0.6", |m| {
                m.about.gate = Some(gate(CONFIG_FILE, 0.5, 0.6));
            }),
            ("the SHA-256 of config.json", |m| {
                m.files
                    .entry(CONFIG_FILE.into())
                    .and_modify(|entry| entry.sha256.make_ascii_uppercase());
            }),
        ];
        for (reason, break_it) in breakages {
            let mut broken = manifest();
            break_it(&mut broken);
            let error = broken.validate().expect_err(reason).to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn file_names_are_plain() {
        for plain in ["model.onnx_data", "gate.jsonl", "a", &"a".repeat(FILE_NAME_LENGTH_MAX)] {
            assert!(is_plain(plain), "{plain:?}");
        }
        let long = "a".repeat(FILE_NAME_LENGTH_MAX + 1);
        for bad in [
            "",
            ".hidden",
            "..",
            "../evil",
            "a/b",
            "a\\b",
            "a\0",
            "a\nb",
            "-a",
            MANIFEST_FILE,
            "x.part",
            &long,
        ] {
            let mut broken = manifest();
            let entry = broken.files[CONFIG_FILE].clone();
            broken.files.insert(bad.into(), entry);
            let error = broken.validate().expect_err(bad).to_string();
            assert!(error.contains("is no plain file name"), "{error}");
        }
    }

    #[test]
    fn sizes_that_overflow_are_too_large() {
        let mut broken = manifest();
        broken.files.values_mut().for_each(|file| file.bytes = u64::MAX);
        let error = broken.validate().expect_err("it is too large").to_string();
        assert!(
            error.contains("more than the 4294967296 that a model may have"),
            "{error}"
        );
    }

    #[test]
    fn a_manifest_of_another_version_is_refused() {
        let json = manifest().to_json();
        let of = |release: &str| {
            let release = release.parse().expect("it is a release");
            Manifest::of(&release, json.as_bytes()).map_err(|error| error.to_string())
        };
        assert_eq!(of("m@1"), Ok(manifest()));
        assert_eq!(of("m@2"), Err("the manifest of m@2 says that it is of m@1".into()));
        assert_eq!(of("n@1"), Err("the manifest of n@1 says that it is of m@1".into()));
    }

    #[test]
    fn a_manifests_version_is_no_path() {
        let json = manifest()
            .to_json()
            .replace(r#""version": "1""#, r#""version": "../../x""#);
        let error = Manifest::from_json(json.as_bytes()).expect_err("it is no version");
        let error = docket_process::telemetry::chain(&error);
        assert!(error.contains("a model version must be 1 to 64 characters"), "{error}");
    }
}
