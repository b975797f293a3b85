//! Pages a CPU second through the whole sandbox, beside `pdftotext`, in turns on the same files.
//!
//! Each document has a child of its own here, and a process of its own there. What counts is the CPU time of the ended children of
//! this process, by the kernel's accounts: for Docket the start of a child, the confinement, the reading and the answer; for
//! `pdftotext` its start and the reading. What this process does for Docket's children, which is to send the document and to check
//! the answer, counts for Docket too.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use docket_contract::media_type::Declared;
use docket_extract::limits::Limits;
use docket_extract::sandbox::OcrSettings;
use docket_extract::{ExtractError, Extractor, ParseSettings, Source, place_for_any_scan};
use docket_local::{deps, poll};
use tokio::process::Command;

use super::DocumentsSettings;
use crate::files::pdf::{self, Columns};
use crate::stats::{self, Figures};
use crate::{proc, program};

/// Generated sets: pages of a document, and documents of each of the two layouts.
const SETS: [(usize, usize); 4] = [(1, 60), (14, 8), (100, 2), (500, 1)];
/// Limits of the children: the worker's defaults.
const MEMORY_BYTES: u64 = 1 << 30;
const CPU_SECONDS: u64 = 60;
const WALL: Duration = Duration::from_secs(180);
const LIMITS: Limits = Limits {
    pages: 10_000,
    text_bytes: 64 << 20,
    inflated_bytes: 256 << 20,
};
/// How long the last children of a turn may take to be reaped.
const REAP_MAX: Duration = Duration::from_secs(10);

/// What was measured. The figures are pages a CPU second, by set.
pub struct Measured {
    /// Docket's figures.
    pub ours: Figures,
    /// `pdftotext`'s figures.
    pub theirs: Figures,
    /// The ratio of both over all sets: the median of the rounds.
    pub ratio: Option<f64>,
    /// The ratio by set.
    pub ratios: Figures,
    /// Files that a reader refused.
    pub left_out: usize,
}

/// Documents that are measured together.
struct Set {
    name: String,
    documents: Vec<Document>,
}

struct Document {
    path: PathBuf,
    bytes: Bytes,
    pages: u32,
}

/// CPU seconds of one round for each set, ours and theirs.
type Round = Vec<(f64, f64)>;

/// Measures both readers in turns.
pub async fn measure(settings: &DocumentsSettings) -> Result<Measured> {
    let state = docket_testing::checkout().state()?;
    let deps = deps::Deps::ensure(&state).await?;
    let pdftotext = deps::ensure_pdftotext(&state).await?;
    let extractor = extractor(deps.pdfium, None).await?;
    let folder = tempfile::tempdir().context("make a folder for PDFs")?;
    let (sets, left_out) = match &settings.folder {
        Some(folder) => real(folder, &extractor, &pdftotext).await?,
        None => (generated(folder.path(), settings.seed)?, 0),
    };
    let mut rounds = Vec::new();
    for number in 0..settings.rounds {
        println!("pages: round {} of {}", number + 1, settings.rounds);
        let mut round = Round::new();
        for set in &sets {
            let ours = ours(&extractor, &set.documents).await?;
            round.push((ours, theirs(&pdftotext, &set.documents).await?));
        }
        rounds.push(round);
    }
    Ok(Measured {
        left_out,
        ..summed_up(&sets, &rounds)
    })
}

/// An extractor with a worker's limits.
pub(super) async fn extractor(pdfium: PathBuf, ocr: Option<OcrSettings>) -> Result<Extractor> {
    let settings = ParseSettings {
        pdfium,
        parsers: 1,
        memory_bytes: MEMORY_BYTES,
        cpu_seconds: CPU_SECONDS,
        wall: WALL,
        limits: LIMITS,
        sandbox_required: true,
        ocr,
    };
    Ok(Extractor::start(&settings, PathBuf::from("/proc/self/exe")).await?)
}

fn generated(folder: &Path, seed: u64) -> Result<Vec<Set>> {
    let mut sets = Vec::new();
    for (pages, count) in SETS {
        for (columns, said) in [(Columns::One, "one_column"), (Columns::Two, "two_columns")] {
            let mut documents = Vec::new();
            for number in 0..count {
                let bytes = pdf::contract(pages, columns, seed.wrapping_mul(1_000).wrapping_add(number as u64));
                let path = folder.join(format!("{pages}-{said}-{number}.pdf"));
                std::fs::write(&path, &bytes).with_context(|| format!("write {}", path.display()))?;
                documents.push(Document {
                    path,
                    bytes: bytes.into(),
                    pages: pages as u32,
                });
            }
            sets.push(Set {
                name: format!("{pages}_pages_{said}"),
                documents,
            });
        }
    }
    Ok(sets)
}

/// The PDFs of a folder, as one set, without those that either reader refuses; and how many those are.
async fn real(folder: &Path, extractor: &Extractor, pdftotext: &Path) -> Result<(Vec<Set>, usize)> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("pdf"))
    });
    paths.sort();
    let (mut documents, mut left_out) = (Vec::new(), 0);
    for path in paths {
        let bytes = Bytes::from(std::fs::read(&path).with_context(|| format!("read {}", path.display()))?);
        let pages = pages(extractor, &bytes).await.ok();
        match (pages, run(pdftotext, &path).await?) {
            (Some(pages), true) if pages > 0 => documents.push(Document { path, bytes, pages }),
            _ => left_out += 1,
        }
    }
    if documents.is_empty() {
        bail!("{} has no PDF that both readers read", folder.display());
    }
    let name = "folder".to_owned();
    Ok((vec![Set { name, documents }], left_out))
}

/// CPU seconds in which Docket reads the documents.
async fn ours(extractor: &Extractor, documents: &[Document]) -> Result<f64> {
    let before = extractor.counts().started();
    let own = proc::cpu_seconds(&[std::process::id()]);
    for document in documents {
        let read = pages(extractor, &document.bytes).await;
        let read = read.with_context(|| format!("read {}", document.path.display()))?;
        if read != document.pages {
            bail!(
                "{} has {} pages, and {read} were read",
                document.path.display(),
                document.pages
            );
        }
    }
    // Another child is started for each that was taken, so as many were started as ended.
    let expected = before + documents.len() as u64;
    settle(expected, extractor).await?;
    Ok(proc::cpu_seconds(&[std::process::id()]) - own)
}

/// Waits until the children of all documents are reaped, which is when the kernel counts their time, and the next are ready.
pub(super) async fn settle(started: u64, extractor: &Extractor) -> Result<()> {
    let own = std::process::id();
    let (mut last, mut since) = (proc::cpu_seconds(&[own]), Instant::now());
    poll::until("the children of the documents are reaped", REAP_MAX, async || {
        let now = proc::cpu_seconds(&[own]);
        if now > last + 0.011 {
            (last, since) = (now, Instant::now());
        }
        let is_quiet = since.elapsed() > Duration::from_millis(150);
        Ok((extractor.counts().started() >= started && is_quiet).then_some(()))
    })
    .await
}

async fn pages(extractor: &Extractor, bytes: &Bytes) -> Result<u32> {
    let source = Source {
        declared: Declared::parse("application/pdf")?,
        file_name: None,
        pages: None,
        files: false,
    };
    let parsed = extractor.parse(source, bytes.clone(), place_for_any_scan, async |_| {
        Ok::<_, std::convert::Infallible>(())
    });
    let parsed = parsed.await.map_err(|error| match error {
        ExtractError::Refused(refusal) => anyhow::Error::new(refusal),
        ExtractError::Parser(error) => anyhow::Error::new(error),
        ExtractError::NoRoom(never) => match never {},
    })?;
    let reading = parsed.check(extractor.limits())?;
    Ok(reading.text.coverage.pages.map_or(0, |pages| pages.total))
}

/// CPU seconds in which `pdftotext` reads the documents.
async fn theirs(pdftotext: &Path, documents: &[Document]) -> Result<f64> {
    let own = std::process::id();
    let before = proc::ended_seconds(own).context("this process has no accounts")?;
    for document in documents {
        if !run(pdftotext, &document.path).await? {
            bail!("pdftotext does not read {}", document.path.display());
        }
    }
    Ok(proc::ended_seconds(own).context("this process has no accounts")? - before)
}

async fn run(pdftotext: &Path, path: &Path) -> Result<bool> {
    let mut command = program::command(pdftotext);
    command.arg("-q").arg(path).arg("-");
    quiet(&mut command);
    Ok(command.status().await.context("run pdftotext")?.success())
}

fn quiet(command: &mut Command) {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
}

fn summed_up(sets: &[Set], rounds: &[Round]) -> Measured {
    let (mut ours, mut theirs, mut ratios) = (Figures::new(), Figures::new(), Figures::new());
    let pages: Vec<f64> = sets
        .iter()
        .map(|set| set.documents.iter().map(|document| f64::from(document.pages)).sum())
        .collect();
    let mut add = |name: &str, pages: f64, seconds: &[(f64, f64)]| {
        let speeds = |of: fn(&(f64, f64)) -> f64| seconds.iter().map(|pair| pages / of(pair)).collect::<Vec<f64>>();
        let (of_ours, of_theirs) = (speeds(|pair| pair.0), speeds(|pair| pair.1));
        ours.extend(stats::median(&of_ours).map(|value| (name.to_owned(), value)));
        theirs.extend(stats::median(&of_theirs).map(|value| (name.to_owned(), value)));
        let pairs: Vec<(f64, f64)> = of_ours.into_iter().zip(of_theirs).collect();
        let ratio = stats::ratio(&pairs);
        ratios.extend(ratio.map(|value| (name.to_owned(), value)));
        ratio
    };
    for (at, set) in sets.iter().enumerate() {
        let seconds: Vec<(f64, f64)> = rounds.iter().map(|round| round[at]).collect();
        add(&set.name, pages[at], &seconds);
    }
    let whole = |round: &Round| {
        round
            .iter()
            .fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1))
    };
    let seconds: Vec<(f64, f64)> = rounds.iter().map(whole).collect();
    let ratio = add("all", pages.iter().sum(), &seconds);
    Measured {
        ours,
        theirs,
        ratio,
        ratios,
        left_out: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_above_one_means_that_docket_reads_more_pages() {
        let document = |pages| Document {
            path: PathBuf::new(),
            bytes: Bytes::new(),
            pages,
        };
        let set = |name: &str, pages| Set {
            name: name.to_owned(),
            documents: vec![document(pages)],
        };
        let rounds = [
            vec![(0.5, 1.0), (2.0, 2.0)],
            vec![(0.25, 0.5), (1.0, 1.0)],
            vec![(0.5, 1.0), (2.0, 2.0)],
        ];
        let measured = summed_up(&[set("a", 10), set("b", 100)], &rounds);
        assert_eq!((measured.ours["a"], measured.theirs["a"]), (20.0, 10.0));
        assert_eq!((measured.ratios["a"], measured.ratios["b"]), (2.0, 1.0));
        assert!(
            (measured.ratio.unwrap() - 1.2).abs() < 1e-9,
            "110 pages in 2.5 s and in 3 s"
        );
    }
}
