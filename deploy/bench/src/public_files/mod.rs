//! Reads public files as a worker does, each in a sandboxed process, and compares what was read with what is known of them.

mod check;
mod facts;

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use bytes::Bytes;
use clap::Args;
use docket_contract::media_type::{Declared, MediaType};
use docket_extract::limits::Limits;
use docket_extract::refusal::Refusal;
use docket_extract::sandbox::OcrSettings;
use docket_extract::{ExtractError, Extractor, ParseSettings, Reading, Source, place_for_any_scan};
use docket_local::checkout::Checkout;
use docket_local::deps::Deps;

use check::Verdict;
use facts::{FACTS, Fact};

/// A worker's defaults for a document.
const LIMITS: Limits = Limits {
    pages: 10_000,
    text_bytes: 64 << 20,
    inflated_bytes: 256 << 20,
};
/// Longer than a worker gives a document: a debug build on a busy machine is slow.
const WALL: Duration = Duration::from_secs(600);

/// Which files are read.
#[derive(Debug, Args)]
pub struct PublicFilesSettings {
    /// Folder that holds snapshots of public repositories, in folders named pdf.js, sample-files, docling, pandoc and mail-parser.
    folder: PathBuf,
    /// Path of `libpdfium.so`; by default that of the launcher, which fetches the library if it is missing.
    #[arg(long, env = "DOCKET_PDFIUM_LIB", value_name = "FILE")]
    pdfium: Option<PathBuf>,
}

/// How many facts came out how.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    hold: usize,
    fail: usize,
    need_ocr: usize,
    missing: usize,
}

impl Counts {
    fn add(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Holds => self.hold += 1,
            Verdict::Fails(_) => self.fail += 1,
            Verdict::NeedsOcr => self.need_ocr += 1,
            Verdict::Missing => self.missing += 1,
        }
    }
}

/// Checks every fact, and prints a line for each. An error if one does not hold.
pub async fn run(settings: &PublicFilesSettings) -> Result<()> {
    let folder = &settings.folder;
    ensure!(folder.is_dir(), "{} is not a folder", folder.display());
    let pdfium = match &settings.pdfium {
        Some(pdfium) => pdfium.clone(),
        None => Deps::ensure(&Checkout::find()?.state()?).await?.pdfium,
    };
    let extractor = extractor(pdfium).await?;
    let wide = FACTS.iter().map(|fact| fact.path.len()).max().unwrap_or_default();
    let mut counts = Counts::default();
    for facts in FACTS.chunk_by(|a, b| a.path == b.path) {
        for (fact, verdict) in verdicts(&extractor, folder, facts).await? {
            counts.add(&verdict);
            println!("{:wide$}  {}  {verdict}", fact.path, fact.check);
        }
    }
    let Counts {
        hold,
        fail,
        need_ocr,
        missing,
    } = counts;
    println!("{hold} facts hold, {fail} fail, {need_ocr} need OCR, {missing} are of missing files");
    if fail > 0 {
        bail!("{fail} of {} facts do not hold", FACTS.len());
    }
    Ok(())
}

async fn extractor(pdfium: PathBuf) -> Result<Extractor> {
    let settings = ParseSettings {
        pdfium,
        parsers: 1,
        memory_bytes: 1 << 30,
        cpu_seconds: WALL.as_secs(),
        wall: WALL,
        limits: LIMITS,
        sandbox_required: false,
        ocr: ocr(),
    };
    let extractor = Extractor::start(&settings, "/proc/self/exe".into()).await;
    extractor.context("start a process that reads documents")
}

/// OCR, where this machine has Tesseract.
fn ocr() -> Option<OcrSettings> {
    let tesseract = PathBuf::from("/usr/bin/tesseract");
    tesseract.is_file().then(|| OcrSettings {
        tesseract,
        languages: vec!["eng".to_owned()],
        processes: 2,
        document_max: WALL,
    })
}

/// What came of the facts of one file.
async fn verdicts<'f>(extractor: &Extractor, folder: &Path, facts: &'f [Fact]) -> Result<Vec<(&'f Fact, Verdict)>> {
    let Some(first) = facts.first() else {
        return Ok(Vec::new());
    };
    let path = folder.join(first.path);
    if !path.is_file() {
        return Ok(facts.iter().map(|fact| (fact, Verdict::Missing)).collect());
    }
    let bytes = std::fs::read(&path).with_context(|| format!("read {}", path.display()))?;
    let verdict: Box<dyn Fn(&Fact) -> Verdict> = match read(extractor, &path, bytes.into()).await {
        Ok(read) => Box::new(move |fact| fact.check.verdict(&read)),
        Err(error) => Box::new(move |_| Verdict::Fails(format!("{error:#}"))),
    };
    Ok(facts.iter().map(|fact| (fact, verdict(fact))).collect())
}

/// Reads a file of which only the name is known.
async fn read(extractor: &Extractor, path: &Path, bytes: Bytes) -> Result<Result<Reading, Refusal>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let source = Source {
        declared: Declared {
            media_type: MediaType::Unknown,
            charset: None,
        },
        file_name: Some(&name),
        pages: None,
        files: true,
    };
    let parsed = extractor.parse(source, bytes, place_for_any_scan, async |_| Ok::<(), Infallible>(()));
    match parsed.await {
        Ok(parsed) => Ok(Ok(parsed.check(extractor.limits())?)),
        Err(ExtractError::Refused(refusal)) => Ok(Err(refusal)),
        Err(ExtractError::Parser(error)) => Err(anyhow!(error)),
        Err(ExtractError::NoRoom(never)) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_is_counted_where_it_belongs() {
        let mut counts = Counts::default();
        for verdict in [
            Verdict::Holds,
            Verdict::Fails(String::new()),
            Verdict::NeedsOcr,
            Verdict::Missing,
        ] {
            counts.add(&verdict);
        }
        let each = Counts {
            hold: 1,
            fail: 1,
            need_ocr: 1,
            missing: 1,
        };
        assert_eq!(counts, each);
    }

    #[test]
    fn the_facts_of_a_file_stand_together() {
        let files = FACTS.chunk_by(|a, b| a.path == b.path).map(|facts| facts[0].path);
        let files: Vec<_> = files.collect();
        let known: std::collections::HashSet<_> = files.iter().collect();
        assert_eq!(files.len(), known.len(), "a file is read once");
    }
}
