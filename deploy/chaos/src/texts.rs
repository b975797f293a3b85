//! What is uploaded, and the model that reads it.

use docket_bench::corpus::{self, Kind};
use docket_local::testing::TinyModel;
use sha2::{Digest as _, Sha256};

/// Name of the model.
pub const MODEL: &str = docket_checker::MODEL;
/// Different letters.
const LETTERS: usize = 24;
/// Different large contracts.
const CONTRACTS: u64 = 2;
/// Words of a large contract: about 300 KB, more than an upload may hold in memory.
const CONTRACT_WORDS: usize = 50_000;
/// Words that the model takes for entities. Each stands in many letters.
const KNOWN: [(&str, &str); 12] = [
    ("agreement", "B-DEED"),
    ("contract", "B-DEED"),
    ("lease", "B-DEED"),
    ("inc", "B-PARTY"),
    ("llc", "B-PARTY"),
    ("ltd", "B-PARTY"),
    ("january", "B-MONTH"),
    ("march", "B-MONTH"),
    ("june", "B-MONTH"),
    ("october", "B-MONTH"),
    ("court", "B-COURT"),
    ("district", "B-COURT"),
];

/// A content, and what it is known by.
#[derive(Debug, Clone)]
pub struct Text {
    /// What is sent.
    pub bytes: Vec<u8>,
    /// SHA-256 of it, in hex.
    pub sha256: String,
}

/// Everything that is uploaded in a run, each many times.
#[derive(Debug, Clone)]
pub struct Texts {
    /// Small ones.
    pub letters: Vec<Text>,
    /// Large ones.
    pub contracts: Vec<Text>,
    /// One that is no UTF-8, and so must fail.
    pub broken: Text,
}

impl Texts {
    /// Those of a seed.
    pub fn new(seed: u64) -> Self {
        let letters = corpus::texts(Kind::Letters, LETTERS, seed);
        let contracts = (0..CONTRACTS).map(|index| corpus::text(Kind::Contracts, CONTRACT_WORDS, seed, index));
        Self {
            letters: letters.into_iter().map(|text| Text::new(text.into())).collect(),
            contracts: contracts.map(|text| Text::new(text.into())).collect(),
            broken: Text::new(b"An agreement of the caf\xe9 in January.".to_vec()),
        }
    }

    /// Each once.
    pub fn all(&self) -> impl Iterator<Item = &Text> {
        self.letters.iter().chain(&self.contracts).chain([&self.broken])
    }
}

impl Text {
    fn new(bytes: Vec<u8>) -> Self {
        let digest = Sha256::digest(&bytes);
        Self {
            sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            bytes,
        }
    }
}

/// The model: a table of some words, loaded in an instant.
pub fn model() -> TinyModel {
    let model = TinyModel::new(MODEL, "1").kinds(&["DEED", "PARTY", "MONTH", "COURT"]);
    KNOWN.iter().fold(model, |model, (word, label)| model.word(word, label))
}
