//! The uploaded documents, most of them texts, and the model that reads them.

use docket_bench::corpus::{self, Kind};
use docket_testing::TinyModel;
use sha2::{Digest as _, Sha256};

/// Name of the model.
pub const MODEL: &str = docket_checker::MODEL;
/// Number of different letters.
const LETTERS: usize = 24;
/// Number of different large contracts.
const CONTRACTS: u64 = 2;
/// Words of a large contract: about 300 KB, more than an upload may hold in memory.
const CONTRACT_WORDS: usize = 50_000;
/// Words that the model finds as entities. Each stands in many letters.
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

/// Documents that are no plain text.
const FILES: [&[u8]; 3] = [
    include_bytes!("../../local/samples/services-agreement.pdf"),
    include_bytes!("../../local/samples/standard-terms.pdf"),
    include_bytes!("../../local/samples/supply-amendment.docx"),
];

/// A document and its hash.
#[derive(Debug, Clone)]
pub struct Text {
    /// The uploaded bytes.
    pub bytes: Vec<u8>,
    /// SHA-256 of the bytes, in hex.
    pub sha256: String,
}

/// All documents of a run; each is uploaded many times.
#[derive(Debug, Clone)]
pub struct Texts {
    /// Short texts.
    pub letters: Vec<Text>,
    /// Texts of about 300 KB.
    pub contracts: Vec<Text>,
    /// PDFs and a Word file: parsers read them, in processes of their own.
    pub files: Vec<Text>,
    /// A scan, which OCR reads: it takes as long as hundreds of letters.
    pub scan: Text,
    /// A PDF that is none, and so must fail: a parser reads it, in a process of its own.
    pub broken: Text,
}

impl Texts {
    /// The texts of a seed.
    pub fn new(seed: u64) -> Self {
        let letters = corpus::texts(Kind::Letters, LETTERS, seed);
        let contracts = (0..CONTRACTS).map(|index| corpus::text(Kind::Contracts, CONTRACT_WORDS, seed, index));
        Self {
            letters: letters.into_iter().map(|text| Text::new(text.into())).collect(),
            contracts: contracts.map(|text| Text::new(text.into())).collect(),
            files: FILES.map(|file| Text::new(file.to_vec())).into(),
            scan: Text::new(include_bytes!("../../local/samples/termination-notice-scan.pdf").to_vec()),
            broken: Text::new(b"%PDF-1.7 and nothing that a PDF needs".to_vec()),
        }
    }

    /// Every text once.
    pub fn all(&self) -> impl Iterator<Item = &Text> {
        let texts = self.letters.iter().chain(&self.contracts);
        texts.chain(&self.files).chain([&self.scan, &self.broken])
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
