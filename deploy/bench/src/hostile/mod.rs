//! `bench hostile`: thousands of hostile files through the real service, which must end every one in a state, keep its workers, and
//! let nothing out of the sandbox.

mod bombs;
pub mod corpus;
mod mutations;
pub mod outcomes;
mod watch;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use docket_client::{ClientError, Upload};
use docket_local::poll;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::docket::{self, Docket, Worker};
use crate::report::{self, Report};
use crate::stats::Figures;
use corpus::Corpus;
use outcomes::Outcome;
use watch::{Seen, Watch};

/// Workers of a run.
const WORKERS: usize = 2;
/// Documents that each worker parses at a time.
const PARSERS: usize = 2;
/// Children that a worker without a job may have: the ready ones, and one that waits for its place.
const WARM: usize = PARSERS + 1;
/// How long the last documents may take: a document that times out is tried three times, with pauses.
const DRAIN_MAX: Duration = Duration::from_secs(30 * 60);
/// How long the children of the last documents may take to be gone.
const REAP_MAX: Duration = Duration::from_secs(10);
/// Clients that upload in turn.
const CLIENTS: usize = docket::CLIENTS;
/// Lines of the table, in order.
const LINES: [&str; 10] = [
    "files",
    "refused_at_upload",
    "files_within",
    "unfinished",
    "workers_down",
    "escaped",
    "children_seen",
    "worst_seconds",
    "worst_bytes",
    "worst_child_bytes",
];

/// What to send.
#[derive(Debug, Clone, Args, Serialize)]
pub struct HostileSettings {
    /// Files to upload: every bomb once, and valid and damaged files.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub files: u32,
    /// Seed of the files.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Most documents under way: the next file is uploaded when one of them ends.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub at_once: u32,
    /// Most uploads a second.
    #[arg(long, default_value_t = 50.0)]
    pub rate: f64,
    /// Keep the files whose parser crashed, timed out or ran out of memory, in this folder.
    #[arg(long, value_name = "DIR")]
    #[serde(skip)]
    pub keep: Option<PathBuf>,
    /// Write all figures to a file, as one JSON object.
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub json: Option<PathBuf>,
}

/// A run under way.
struct Run {
    docket: Docket,
    workers: Vec<Worker>,
    workers_down: usize,
    watch: Watch,
    /// The names of the uploaded files, by the jobs of their documents.
    files: HashMap<Uuid, String>,
    /// Uploads that the service refused, by the kind of problem.
    refused: BTreeMap<String, usize>,
}

/// What a run found.
struct Found {
    outcomes: Vec<Outcome>,
    seen: Seen,
    /// Each way in which something got out, with how often.
    escapes: BTreeMap<String, usize>,
}

/// Runs the bench. An error if a document did not end, a worker ended, or something got out.
pub async fn run(settings: &HostileSettings) -> Result<()> {
    let corpus = Corpus::new(settings.files as usize, settings.seed);
    let root_before = watch::names_in_root();
    let mut run = Run::start().await?;
    run.upload_all(&corpus, settings).await?;
    run.drain().await?;
    let outcomes = run.docket.outcomes().await?;
    let (files, refused, workers_down) = (run.files.clone(), run.refused.clone(), run.workers_down);
    let found = run.stop(outcomes, &root_before).await?;
    if let Some(folder) = &settings.keep {
        keep(folder, &corpus, &outcomes::suspicious(&found.outcomes, &files))?;
    }
    let figures = figures(&found, corpus.len(), (&refused, workers_down));
    println!("\n{}\n", report::table(&[("hostile", &figures)], &LINES));
    let by_reason = outcomes::by_reason(&found.outcomes, false);
    let within = outcomes::by_reason(&found.outcomes, true);
    println!(
        "{}",
        serde_json::to_string_pretty(&json!({ "by_reason": by_reason, "escapes": found.escapes }))?
    );
    let mut all = serde_json::to_value(&figures)?;
    all["by_reason"] = json!(by_reason);
    all["by_reason_within"] = json!(within);
    all["by_reason_of_refused_uploads"] = json!(refused);
    all["escapes"] = json!(found.escapes);
    all["noted"] = outcomes::noted(&found.outcomes, &files);
    Report::new("hostile", serde_json::to_value(settings)?, all, json!({})).write(settings.json.as_deref())?;
    conclude(&figures)
}

/// An error that names each figure that must be 0 and is not.
fn conclude(figures: &Figures) -> Result<()> {
    let bad = ["unfinished", "workers_down", "escaped"]
        .into_iter()
        .filter_map(|name| {
            let value = figures.get(name).copied().unwrap_or_default();
            (value > 0.0).then(|| format!("{name} is {value}"))
        });
    let bad: Vec<String> = bad.collect();
    ensure!(bad.is_empty(), "{}", bad.join(", "));
    Ok(())
}

fn figures(found: &Found, files: usize, (refused, workers_down): (&BTreeMap<String, usize>, usize)) -> Figures {
    let within = found.outcomes.iter().filter(|outcome| outcome.is_within).count();
    let unfinished = found.outcomes.iter().filter(|outcome| !outcome.is_end()).count();
    // A file that was neither refused nor made a job is lost.
    let lost = files.saturating_sub(refused.values().sum::<usize>() + found.outcomes.len() - within);
    let named = [
        ("files", files as f64),
        ("refused_at_upload", refused.values().sum::<usize>() as f64),
        ("files_within", within as f64),
        ("unfinished", (unfinished + lost) as f64),
        ("workers_down", workers_down as f64),
        ("escaped", found.escapes.values().sum::<usize>() as f64),
        ("children_seen", found.seen.children.len() as f64),
        (
            "worst_seconds",
            outcomes::worst_seconds(&found.outcomes).unwrap_or_default(),
        ),
        ("worst_bytes", found.seen.worker_bytes as f64),
        ("worst_child_bytes", found.seen.child_bytes as f64),
    ];
    named
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Writes files of the corpus into a folder, each with a line about it in `notes.jsonl`.
fn keep(folder: &std::path::Path, corpus: &Corpus, noted: &[outcomes::Noted]) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    let wanted: BTreeSet<&str> = noted.iter().map(|noted| noted.file.as_str()).collect();
    for place in 0..corpus.len() {
        let name = corpus.name(place);
        if wanted.contains(&*name) {
            std::fs::write(folder.join(&name), corpus.file(place).bytes).with_context(|| format!("write {name}"))?;
        }
    }
    let lines: Vec<String> = noted.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
    std::fs::write(folder.join("notes.jsonl"), lines.join("\n") + "\n")?;
    Ok(())
}

impl Run {
    async fn start() -> Result<Self> {
        let mut run = Self {
            docket: Docket::start(&docket::logs()?).await?,
            workers: Vec::with_capacity(WORKERS),
            workers_down: 0,
            watch: Watch::start()?,
            files: HashMap::new(),
            refused: BTreeMap::new(),
        };
        for _ in 0..WORKERS {
            let worker = run.new_worker().await?;
            run.workers.push(worker);
        }
        run.tell_watch();
        Ok(run)
    }

    async fn new_worker(&self) -> Result<Worker> {
        let parsers = [("DOCKET_PARSERS", PARSERS.to_string())];
        self.docket.worker_with(None, 1, &parsers).await
    }

    fn pids(&self) -> Vec<u32> {
        self.workers.iter().map(|worker| worker.program.pid()).collect()
    }

    fn tell_watch(&self) {
        self.watch.workers(self.pids());
    }

    /// Counts each worker that has ended, and starts another in its place.
    async fn look_after_workers(&mut self) -> Result<()> {
        for at in 0..self.workers.len() {
            if let Err(error) = self.workers[at].program.check() {
                println!("{error:#}");
                self.workers_down += 1;
                self.workers[at] = self.new_worker().await?;
                self.tell_watch();
            }
        }
        Ok(())
    }

    async fn upload_all(&mut self, corpus: &Corpus, settings: &HostileSettings) -> Result<()> {
        let mut turn = tokio::time::interval(Duration::from_secs_f64(1.0 / settings.rate.max(0.001)));
        let began = Instant::now();
        for place in 0..corpus.len() {
            turn.tick().await;
            while self.docket.open_jobs().await? >= i64::from(settings.at_once) {
                self.look_after_workers().await?;
                turn.tick().await;
            }
            let file = corpus.file(place);
            let upload = Upload::new(file.media_type, file.bytes).file_name(&file.name);
            match self.docket.send(place % CLIENTS, upload).await {
                Ok(uploaded) => drop(self.files.insert(uploaded.job, file.name)),
                Err(ClientError::Refused(problem)) => *self.refused.entry(problem.kind).or_default() += 1,
                Err(error) => return Err(error).with_context(|| format!("upload {}", file.name)),
            }
            if (place + 1) % 100 == 0 {
                println!("{} files after {:.0} s", place + 1, began.elapsed().as_secs_f64());
            }
        }
        Ok(())
    }

    /// Waits until every job has ended. A job that does not end is a figure, and no error.
    async fn drain(&mut self) -> Result<()> {
        let began = Instant::now();
        let mut tick = tokio::time::interval(Duration::from_millis(250));
        while self.docket.open_jobs().await? > 0 && began.elapsed() < DRAIN_MAX {
            self.look_after_workers().await?;
            tick.tick().await;
        }
        self.look_after_workers().await
    }

    /// Stops the workers, and looks for what is left of their children.
    async fn stop(self, outcomes: Vec<Outcome>, root_before: &BTreeSet<String>) -> Result<Found> {
        let pids = self.pids();
        let most = WARM * self.workers.len();
        let gone = poll::until("the children of the last documents are gone", REAP_MAX, async || {
            Ok((watch::children(&pids) <= most).then_some(()))
        });
        let too_many = if gone.await.is_ok() {
            0
        } else {
            watch::children(&pids) - most
        };
        for worker in self.workers {
            worker.program.stop().await?;
        }
        self.docket.stop().await?;
        let seen = self.watch.stop()?;
        let outlived = async || Ok(seen.children.iter().all(|child| !child.lives()).then_some(()));
        let _ = poll::until("the children of the workers are gone", REAP_MAX, outlived).await;
        let outlived = seen.children.iter().filter(|child| child.lives()).count();
        let new_in_root = watch::names_in_root().difference(root_before).count();
        let mut escapes: BTreeMap<String, usize> = [
            ("children that outlived their documents", too_many),
            ("children that outlived their worker", outlived),
            ("new names in the root of the file system", new_in_root),
        ]
        .map(|(how, count)| (how.to_owned(), count))
        .into();
        escapes.extend(seen.escapes.iter().map(|(how, pids)| ((*how).to_owned(), pids.len())));
        if seen.unreadable > 0 {
            println!("the open files of children could not be read {} times", seen.unreadable);
        }
        Ok(Found {
            outcomes,
            seen,
            escapes,
        })
    }
}
