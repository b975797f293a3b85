//! `bench soak`: a worker under a long mixed load, whose memory is read every second; then small documents beside a very large
//! one.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use docket_client::{State, Upload};
use docket_local::poll;
use serde::Serialize;
use serde_json::{Value, json};

use crate::corpus::{self, Kind, Random};
use crate::docket::{self, Docket, Row, Uploaded, Worker};
use crate::files;
use crate::proc;
use crate::report::{self, Report};
use crate::stats::{self, Figures};

/// Pause between looks at the jobs; ended jobs are replaced then.
const TICK: Duration = Duration::from_millis(250);
/// Pause between looks at the memory.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);
/// How long the documents under way may take after the load's end.
const DRAIN_MAX: Duration = Duration::from_secs(30 * 60);
/// Contracts, and how many are in one cycle of lengths; the next cycle has other texts.
const CONTRACTS: (Kind, usize) = (Kind::Contracts, 40);
/// Letters, and how many are in one cycle of lengths.
const LETTERS: (Kind, usize) = (Kind::Letters, 60);
/// Of so many files one is a scan, which takes as long as hundreds of letters.
const SCAN_EVERY: usize = 50;
/// The scan.
const SCAN: &[u8] = include_bytes!("../../local/samples/termination-notice-scan.pdf");
/// Words of a document of 1 MB: the contracts here have 5.9 bytes a word, with its space.
const MEGABYTE_WORDS: usize = 175_000;
/// Letters timed alone, and as many beside the large document: the 95th percentile is the fourth longest time.
const LETTERS_TIMED: usize = 60;
/// Numbers of the client of the timed letters and of the client of the large document.
const SMALL_CLIENT: usize = 0;
const LARGE_CLIENT: usize = 1;

/// How to soak.
#[derive(Debug, Clone, Args, Serialize)]
pub struct SoakSettings {
    /// How long the mixed load lasts.
    #[arg(long, default_value_t = 10.0)]
    pub minutes: f64,
    /// Seed of the documents.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Model calls at the same time.
    #[arg(long, default_value_t = 1)]
    pub sessions: usize,
    /// Characters of the large document; 0 leaves that part out.
    #[arg(long, default_value_t = 5_000_000)]
    pub large: usize,
    /// Write all figures to a file, as one JSON object.
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub json: Option<PathBuf>,
}

/// A client that always has `at_once` documents under way.
#[derive(Debug)]
struct Client {
    number: usize,
    at_once: usize,
    kind: Load,
    uploads: usize,
    under_way: Vec<Uploaded>,
}

/// Kind of documents that a client uploads.
#[derive(Debug, Clone, Copy)]
enum Load {
    Letters,
    Contracts,
    Megabytes,
    /// Small files of every kind, and a scan now and then.
    Files,
}

/// The outcome of the mixed load.
#[derive(Debug, Default)]
struct Mixed {
    memory: Vec<f64>,
    documents: usize,
    failed: usize,
}

/// Runs the soak.
pub async fn run(settings: &SoakSettings) -> Result<()> {
    let mut docket = Docket::start(&docket::logs()?).await?;
    let mut worker = docket.worker(None, settings.sessions).await?;
    println!("mixed load for {} minutes", settings.minutes);
    let mixed = mixed(&mut docket, &mut worker, settings).await?;
    let mut figures = Figures::new();
    let mut add = |name: &str, value: Option<f64>| {
        figures.extend(value.map(|value| (name.to_owned(), value)));
    };
    add("rss_drift", stats::drift(&mixed.memory));
    add("rss_median_bytes", stats::median(&mixed.memory));
    add("rss_peak_bytes", Some(proc::peak_bytes(&[worker.program.pid()]) as f64));
    add("documents", Some(mixed.documents as f64));
    add("failed", Some(mixed.failed as f64));
    let mut ratios = json!({});
    if settings.large > 0 {
        let (found, ratio) = beside_large(&mut docket, &mut worker, settings).await?;
        figures.extend(found);
        ratios["small_p95_beside_large_to_alone"] = json!(ratio);
    }
    worker.program.stop().await?;
    docket.stop().await?;
    let lines: Vec<&str> = figures.keys().map(String::as_str).collect();
    println!(
        "\n{}\n\nratios\n{ratios:#}",
        report::table(&[("soak", &figures)], &lines)
    );
    let mut figures: Value = serde_json::to_value(&figures)?;
    figures["rss_bytes"] = json!(mixed.memory);
    Report::new("soak", serde_json::to_value(settings)?, figures, ratios).write(settings.json.as_deref())
}

/// Each client replaces an ended document by its next, until the time is over; then the documents under way may end.
async fn mixed(docket: &mut Docket, worker: &mut Worker, settings: &SoakSettings) -> Result<Mixed> {
    let mut clients = [
        Client::new(0, 4, Load::Letters),
        Client::new(1, 4, Load::Letters),
        Client::new(2, 3, Load::Contracts),
        Client::new(3, 1, Load::Megabytes),
        Client::new(4, 3, Load::Files),
    ];
    let mut found = Mixed::default();
    let (began, mut sampled) = (Instant::now(), Instant::now());
    let lasts = Duration::from_secs_f64(settings.minutes * 60.0);
    let mut tick = tokio::time::interval(TICK);
    loop {
        tick.tick().await;
        worker.program.check()?;
        let goes_on = began.elapsed() < lasts;
        for client in &mut clients {
            let ended = client.take_ended(docket).await?;
            found.documents += ended.len();
            found.failed += ended.iter().filter(|row| !row.succeeded).count();
            if goes_on {
                client.fill(docket, settings.seed).await?;
            }
        }
        if goes_on && sampled.elapsed() >= SAMPLE_EVERY {
            sampled += SAMPLE_EVERY;
            found
                .memory
                .extend(proc::resident_bytes(worker.program.pid()).map(|bytes| bytes as f64));
        }
        if clients.iter().all(|client| client.under_way.is_empty()) && !goes_on {
            return Ok(found);
        }
        ensure!(began.elapsed() < lasts + DRAIN_MAX, "the last documents do not end");
    }
}

/// Times letters one by one, first alone, then while a large document is read. Returns the figures, and the ratio of the 95th
/// percentiles of the time from accept to result.
async fn beside_large(
    docket: &mut Docket,
    worker: &mut Worker,
    settings: &SoakSettings,
) -> Result<(Figures, Option<f64>)> {
    println!("{LETTERS_TIMED} letters alone");
    let alone = timed_letters(docket, worker, settings.seed).await?;
    let large = large_text(settings);
    let chars = large.chars().count();
    println!("{LETTERS_TIMED} letters beside a document of {chars} characters");
    let uploaded = docket.upload(LARGE_CLIENT, &large).await?;
    poll::until("the large document is claimed", DRAIN_MAX, async || {
        Ok((docket.state(&uploaded).await? == State::Running).then_some(()))
    })
    .await?;
    let beside = timed_letters(docket, worker, settings.seed).await?;
    let was_beside = docket.state(&uploaded).await? == State::Running;
    let row = until_ended(docket, worker, &uploaded).await?;
    ensure!(row.succeeded, "the large document failed");
    ensure!(
        row.text_chars == Some(chars as i64),
        "of {chars} characters {:?} were read",
        row.text_chars
    );
    let seconds = row.ended - row.started.unwrap_or(row.created);
    let p95 = |times: &[f64]| stats::percentile(times, 0.95);
    let named = [
        ("small_alone_p50_seconds", stats::median(&alone)),
        ("small_alone_p95_seconds", p95(&alone)),
        ("small_beside_large_p50_seconds", stats::median(&beside)),
        ("small_beside_large_p95_seconds", p95(&beside)),
        ("large_characters", Some(chars as f64)),
        ("large_seconds", Some(seconds)),
        (
            "large_seconds_a_window",
            row.windows.map(|windows| seconds / f64::from(windows.max(1))),
        ),
        ("large_outlasted_small", Some(f64::from(u8::from(was_beside)))),
    ];
    let figures = named
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect();
    Ok((
        figures,
        p95(&beside).zip(p95(&alone)).map(|(beside, alone)| beside / alone),
    ))
}

/// Seconds from accept to result of each letter, one after the other; the letters are always the same.
async fn timed_letters(docket: &mut Docket, worker: &mut Worker, seed: u64) -> Result<Vec<f64>> {
    let mut seconds = Vec::with_capacity(LETTERS_TIMED);
    for text in corpus::texts(Kind::Letters, LETTERS_TIMED, seed) {
        let uploaded = docket.upload(SMALL_CLIENT, &text).await?;
        let row = until_ended(docket, worker, &uploaded).await?;
        ensure!(row.succeeded, "a letter failed");
        seconds.push(row.ended - row.created);
    }
    Ok(seconds)
}

async fn until_ended(docket: &mut Docket, worker: &mut Worker, uploaded: &Uploaded) -> Result<Row> {
    poll::until("a document ends", DRAIN_MAX, async || {
        worker.program.check()?;
        Ok(docket.ended(std::slice::from_ref(uploaded)).await?.pop())
    })
    .await
}

/// Contracts one after the other, until the text has the wanted number of characters.
fn large_text(settings: &SoakSettings) -> String {
    let mut text = String::new();
    let mut chars = 0;
    for index in 0.. {
        let part = corpus::text(Kind::Contracts, MEGABYTE_WORDS, settings.seed, index);
        let taken: String = part.chars().take(settings.large - chars).collect();
        chars += taken.chars().count();
        text.push_str(&taken);
        if chars >= settings.large {
            break;
        }
    }
    text
}

impl Client {
    fn new(number: usize, at_once: usize, kind: Load) -> Self {
        Self {
            number,
            at_once,
            kind,
            uploads: 0,
            under_way: Vec::new(),
        }
    }

    async fn take_ended(&mut self, docket: &mut Docket) -> Result<Vec<Row>> {
        if self.under_way.is_empty() {
            return Ok(Vec::new());
        }
        let ended = docket.ended(&self.under_way).await?;
        self.under_way
            .retain(|uploaded| ended.iter().all(|row| row.id != uploaded.job));
        Ok(ended)
    }

    async fn fill(&mut self, docket: &Docket, seed: u64) -> Result<()> {
        while self.under_way.len() < self.at_once {
            let upload = self.kind.upload(seed + self.number as u64, self.uploads);
            self.uploads += 1;
            let uploaded = docket.send(self.number, upload).await;
            self.under_way.push(uploaded.context("keep the worker busy")?);
        }
        Ok(())
    }
}

impl Load {
    /// The next document of a client.
    fn upload(self, seed: u64, number: usize) -> Upload {
        let kinds = files::Kind::ALL;
        match self {
            Self::Files if number % SCAN_EVERY == SCAN_EVERY - 1 => Upload::new("application/pdf", SCAN),
            Self::Files => {
                let file = files::sample(kinds[number % kinds.len()], &mut Random::of(seed, number as u64));
                Upload::new(file.media_type, file.bytes)
            }
            Self::Letters => Upload::new("text/plain", text(LETTERS, seed, number)),
            Self::Contracts => Upload::new("text/plain", text(CONTRACTS, seed, number)),
            Self::Megabytes => Upload::new(
                "text/plain",
                corpus::text(Kind::Contracts, MEGABYTE_WORDS, seed, number as u64),
            ),
        }
    }
}

/// The next text of a client: lengths repeat, texts do not.
fn text((kind, cycle): (Kind, usize), seed: u64, number: usize) -> String {
    let words = corpus::lengths(kind, cycle, seed)[number % cycle];
    corpus::text(kind, words, seed, number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_megabyte_is_one_and_no_two_documents_are_alike() {
        let megabyte = corpus::text(Kind::Contracts, MEGABYTE_WORDS, 1, 0);
        assert!((1_000_000..1_150_000).contains(&megabyte.len()), "{}", megabyte.len());
        assert_ne!(text(LETTERS, 1, 0), text(LETTERS, 1, LETTERS.1));
    }

    #[test]
    fn the_large_document_has_exactly_its_characters() {
        let settings = SoakSettings {
            minutes: 0.0,
            seed: 1,
            sessions: 1,
            large: 1_300_000,
            json: None,
        };
        assert_eq!(large_text(&settings).chars().count(), 1_300_000);
    }
}
